"""The process: take a message, make its journey, run the scanner, drain on stop."""
