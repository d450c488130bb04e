"""Python packages, by the metadata that pip and setuptools leave. Not `requirements.txt`: it installs nothing."""

import re
from collections.abc import Sequence
from email.parser import BytesHeaderParser

from infra.local.qscanner.inventory import Ecosystem, Found, is_plausible

# https://packaging.python.org/en/latest/specifications/recording-installed-packages/ and setuptools' eggs.
_METADATA = re.compile(
    r"(?:^|/)(?:[^/]+\.dist-info/METADATA|[^/]+\.egg-info/PKG-INFO|EGG-INFO/PKG-INFO|[^/]+\.egg-info)$"
)


class PythonPackages:
    """Reads `*.dist-info/METADATA`, `*.egg-info/PKG-INFO` and `*.egg-info`."""

    def __init__(self) -> None:
        self._found: list[Found] = []

    def wants(self, path: str) -> bool:
        """Whether this is package metadata."""
        return _METADATA.search(path) is not None

    def file(self, path: str, content: bytes) -> None:
        """Take name and version from its headers."""
        headers = BytesHeaderParser().parsebytes(content)
        name, version = str(headers.get("Name", "")).strip(), str(headers.get("Version", "")).strip()
        if is_plausible(name, version):
            self._found.append(Found(Ecosystem.PYPI, name, version, path))

    def archive(self, path: str) -> None:
        """Archives tell nothing here."""

    def found(self) -> Sequence[Found]:
        """Every package, in the order read."""
        return self._found
