"""A bucket in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from spoke.errors import Unavailable


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object."""

    data: bytes
    content_type: str


class MemoryObjects:
    """The results bucket as a dictionary, with the order of writes.

    Args:
        on_call: Called before every operation with its name (`check`, `put`, `get`) and the key; may raise.

    Attributes:
        stored: By key.
        writes: The keys in the order written, overwrites included.
    """

    def __init__(self, on_call: Callable[[str, str], None] | None = None) -> None:
        self.on_call = on_call
        self.stored: dict[str, StoredObject] = {}
        self.writes: list[str] = []

    async def check(self) -> None:
        """See `hub.results.Objects`."""
        self._call("check", "")

    async def put(self, key: str, content: BinaryIO, *, size: int, content_type: str) -> None:
        """See `hub.results.Objects`.

        Raises:
            Unavailable: The content has another size than stated; S3 breaks such an upload off.
        """
        self._call("put", key)
        data = content.read()
        if len(data) != size:
            raise Unavailable(f"storing {key}: {len(data)} bytes came where {size} were announced")
        self.stored[key] = StoredObject(data, content_type)
        self.writes.append(key)

    async def get(self, key: str) -> bytes | None:
        """See `hub.results.Objects`."""
        self._call("get", key)
        found = self.stored.get(key)
        return None if found is None else found.data

    def _call(self, operation: str, key: str) -> None:
        if self.on_call is not None:
            self.on_call(operation, key)
