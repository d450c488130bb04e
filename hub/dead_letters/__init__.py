"""Messages that could not be handled: how they are parked, found, sent back and dropped."""
