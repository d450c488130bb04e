"""The SHA-256 and size of a stream, without the whole of it in memory."""

import hashlib
from typing import BinaryIO

_CHUNK = 1024 * 1024


def measure(content: BinaryIO) -> tuple[int, bytes]:
    """Bytes from here to the end, and their SHA-256 (32 bytes). `hashlib.file_digest` tells no size."""
    digest = hashlib.sha256()
    size = 0
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.digest()
