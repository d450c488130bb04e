"""An inspector that keeps what it is shown, and archives to show to it."""

import io
import zipfile
from collections.abc import Mapping


class Recording:
    def __init__(self, *, wants: bool = True) -> None:
        self.files: dict[str, bytes] = {}
        self.archives: list[str] = []
        self._wants = wants

    def wants(self, path: str, size: int) -> bool:  # noqa: ARG002  # the protocol's
        return self._wants

    def file(self, path: str, content: bytes) -> None:
        self.files[path] = content

    def archive(self, path: str) -> None:
        self.archives.append(path)


def zipped(files: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return target.getvalue()
