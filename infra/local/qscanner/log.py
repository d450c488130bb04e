"""Lines on stderr, in the form that Go programs often use."""

from datetime import UTC, datetime
from typing import TextIO

_LEVELS = ("trace", "debug", "info", "warn", "error")


class Log:
    """Writes lines from a level on. A message stays one line, whatever it quotes."""

    def __init__(self, stream: TextIO, level: str = "info") -> None:
        self._stream = stream
        self._from = _LEVELS.index(level)

    def write(self, level: str, message: str) -> None:
        """One line, if its level is wanted."""
        if _LEVELS.index(level) >= self._from:
            text = " ".join(message.split())
            self._stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {level.upper()} {text}\n")
