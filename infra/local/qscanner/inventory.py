"""The packages that are installed in what was read, each with its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from packageurl import PackageURL


class Ecosystem(StrEnum):
    """Where a package comes from, in the words of package URLs."""

    PYPI = "pypi"
    NPM = "npm"
    MAVEN = "maven"


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One installed package.

    Attributes:
        ecosystem: Where it comes from.
        name: As its metadata spells it; `group:artifact` for Maven, or the artifact alone where the group is unknown.
        version: As its metadata spells it.
        location: The file that tells of it, or the JAR; `!/` stands between an archive and what lies in it.
        layer: `sha256:` and the digest of the zip that it lies in; '' for a directory.
    """

    ecosystem: Ecosystem
    name: str
    version: str
    location: str
    layer: str = ""

    @property
    def purl(self) -> str:
        """The package URL (https://github.com/package-url/purl-spec)."""
        namespace, name = self._split()
        if self.ecosystem is Ecosystem.MAVEN and namespace is None:
            # Maven's package URLs need a group; this JAR tells none.
            return PackageURL("generic", None, name, self.version).to_string()
        return PackageURL(str(self.ecosystem), namespace, name, self.version).to_string()

    def _split(self) -> tuple[str | None, str]:
        separator = {Ecosystem.NPM: "/", Ecosystem.MAVEN: ":"}.get(self.ecosystem)
        if separator is None or separator not in self.name:
            return None, self.name
        namespace, _, name = self.name.rpartition(separator)
        return namespace, name


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector reports: a package without its layer."""

    ecosystem: Ecosystem
    name: str
    version: str
    location: str


class Detector(Protocol):
    """Knows one ecosystem's traces of installed packages. One instance reads one artifact."""

    def wants(self, path: str) -> bool:
        """Whether this file may tell of a package."""
        ...

    def file(self, path: str, content: bytes) -> None:
        """Read such a file."""
        ...

    def archive(self, path: str) -> None:
        """An archive begins."""
        ...

    def found(self) -> Sequence[Found]:
        """What the artifact holds, once all of it was read."""
        ...


def is_plausible(name: str, version: str) -> bool:
    """Whether a name and a version read from a hostile file may go into results."""
    return all(0 < len(text) <= 256 and text.isprintable() for text in (name, version))
