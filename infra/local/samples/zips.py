"""Zips and JARs whose bytes depend on their contents alone."""

import io
import stat
import zipfile
from collections.abc import Mapping

_MADE_ON = (2026, 11, 1, 0, 0, 0)
_UNIX = 3


def zip_of(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of these files, by path.

    Stored, not deflated: two versions of zlib may pack the same bytes differently, and then `CodeSha256` would differ
    between machines.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path, content in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _MADE_ON)
            entry.create_system = _UNIX
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, content)
    return target.getvalue()
