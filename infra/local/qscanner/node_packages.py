"""Node packages, by the `package.json` of what is installed. Not lock files: they install nothing."""

import json
import re
from collections.abc import Sequence

from infra.local.qscanner.inventory import Ecosystem, Found, is_plausible

# A package's own file, however deep its folder lies; not the package.json of a test or template inside of it.
_INSTALLED = re.compile(r"(?:^|/)node_modules/(?:@[^/]+/)?[^/@][^/]*/package\.json$")


class NodePackages:
    """Reads `node_modules/<name>/package.json` and `node_modules/@<scope>/<name>/package.json`."""

    def __init__(self) -> None:
        self._found: list[Found] = []

    def wants(self, path: str) -> bool:
        """Whether this is the manifest of an installed package."""
        return _INSTALLED.search(path) is not None

    def file(self, path: str, content: bytes) -> None:
        """Take name and version from it."""
        try:
            manifest = json.loads(content)
        except (ValueError, RecursionError):
            return
        if not isinstance(manifest, dict):
            return
        name, version = manifest.get("name"), manifest.get("version")
        if isinstance(name, str) and isinstance(version, str) and is_plausible(name, version):
            self._found.append(Found(Ecosystem.NPM, name, version, path))

    def archive(self, path: str) -> None:
        """Archives tell nothing here."""

    def found(self) -> Sequence[Found]:
        """Every package, in the order read."""
        return self._found
