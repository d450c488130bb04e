"""The results bucket, as a protocol."""

from typing import BinaryIO, Protocol


class Objects(Protocol):
    """The results bucket. Every method may raise `Throttled` or `Unavailable`."""

    async def check(self) -> None:
        """Ask whether the bucket is there.

        Raises:
            Misconfigured: It is not, or it may not be used.
        """
        ...

    async def put(self, key: str, content: BinaryIO, *, size: int, content_type: str) -> None:
        """Store one object, with a checksum that the service verifies. Overwrites."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The object, or None where there is none."""
        ...
