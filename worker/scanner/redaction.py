"""What one scan must not let out: its own secrets, and those that the whole worker knows."""

from collections.abc import Iterable

from hub.redaction import Redactor


class ScanRedaction:
    """The worker's redactor, and one for the secrets of this scan alone.

    A session's secrets live for one scan. Told to the shared redactor they would stay there for ever and make every
    log line slower, so they have a redactor that goes with the scan.

    Args:
        shared: The worker's.
        values: The secrets that this scan is given.
    """

    def __init__(self, shared: Redactor, values: Iterable[str]) -> None:
        self._redactors = (Redactor(values), shared)

    @property
    def longest(self) -> int:
        """Bytes of the longest form of a secret."""
        return max(redactor.longest for redactor in self._redactors)

    def data(self, data: bytes) -> bytes:
        """The bytes without the secrets."""
        for redactor in self._redactors:
            data = redactor.data(data)
        return data

    def stream(self) -> "ScanRedactingStream":
        """For a file that is read in pieces."""
        return ScanRedactingStream(self._redactors)


class ScanRedactingStream:
    """Joined, the pieces that `feed` and `flush` return are `ScanRedaction.data` of the pieces fed, joined."""

    def __init__(self, redactors: Iterable[Redactor]) -> None:
        self._streams = [redactor.stream() for redactor in redactors]

    def feed(self, data: bytes) -> bytes:
        """The next piece; returns what is certain by now."""
        for stream in self._streams:
            data = stream.feed(data)
        return data

    def flush(self) -> bytes:
        """The end: returns what was held back."""
        data = b""
        for stream in self._streams:
            data = stream.feed(data) + stream.flush()
        return data
