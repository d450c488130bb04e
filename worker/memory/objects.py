"""A bucket in memory."""

from dataclasses import dataclass
from typing import BinaryIO

from spoke.errors import Unavailable
from worker.memory.hooks import OnCall, operation


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object."""

    data: bytes
    content_type: str


class MemoryObjects:
    """The results bucket as a dictionary, with the order of writes.

    Args:
        on_call: Awaited before and after the effect of each operation.

    Attributes:
        stored: By key.
        writes: The keys in the order written, overwrites included.
    """

    def __init__(self, on_call: OnCall | None = None) -> None:
        self.on_call = on_call
        self.stored: dict[str, StoredObject] = {}
        self.writes: list[str] = []

    async def check(self) -> None:
        """See `hub.results_bucket.Objects`."""
        async with operation("check", self.on_call):
            pass

    async def put(self, key: str, content: BinaryIO, *, size: int, content_type: str) -> None:
        """See `hub.results_bucket.Objects`.

        Raises:
            Unavailable: The content has another size than stated; S3 breaks such an upload off.
        """
        async with operation("put", self.on_call):
            data = content.read()
            if len(data) != size:
                raise Unavailable(f"storing {key}: {len(data)} bytes came where {size} were announced")
            self.stored[key] = StoredObject(data, content_type)
            self.writes.append(key)

    async def get(self, key: str) -> bytes | None:
        """See `hub.results_bucket.Objects`."""
        async with operation("get", self.on_call):
            found = self.stored.get(key)
        return None if found is None else found.data
