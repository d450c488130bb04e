"""The packages of one function: one form, whichever inventory the scanner wrote."""

from collections.abc import Iterable
from dataclasses import dataclass

from packageurl import PackageURL

from hub.document import Document

UNKNOWN_TYPE = "unknown"
MAX_LOCATIONS = 50
MAX_PURL = 2048

# How the ecosystems themselves join a package's namespace and name. The others' namespace (debian, redhat) is no part
# of the name that people and advisories use.
_JOINED_BY = {
    "maven": ":",
    "npm": "/",
    "golang": "/",
    "composer": "/",
    "github": "/",
    "huggingface": "/",
    "swift": "/",
}


class Package(Document):
    """One line of `packages.jsonl`; the published schema is `hub/schemas/package.schema.json`.

    Attributes:
        name: As its ecosystem writes it: `org.apache.logging.log4j:log4j-core`, `@babel/core`, `requests`.
        version: None where the inventory has none.
        type: The purl type (`pypi`, `npm`, `maven`, ...); `unknown` without a purl.
        purl: Package URL in canonical form.
        locations: Paths in the function's code, sorted; empty where the inventory has none.
        licenses: As the inventory states them, sorted.
    """

    name: str
    version: str | None = None
    type: str = UNKNOWN_TYPE
    purl: str | None = None
    locations: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What two entries for the same package share; packages are sorted by it."""
        return (self.type, self.name, self.version or "", self.purl or "")


@dataclass(frozen=True, slots=True)
class Purl:
    """A package URL, checked and in canonical form.

    Attributes:
        text: The whole.
        type: Such as `pypi`.
        name: With the namespace, as the ecosystem writes it.
        version: None where it has none.
    """

    text: str
    type: str
    name: str
    version: str | None

    @classmethod
    def parse(cls, text: str | None) -> "Purl | None":
        """The purl, or None if the text is none (https://github.com/package-url/purl-spec)."""
        if text is None or len(text) > MAX_PURL:
            return None
        try:
            purl = PackageURL.from_string(text)
            canonical = purl.to_string()
        except ValueError:
            return None
        joined_by = _JOINED_BY.get(purl.type)
        name = f"{purl.namespace}{joined_by}{purl.name}" if purl.namespace and joined_by else purl.name
        return cls(canonical, purl.type, name, purl.version or None)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The packages of one scan.

    Attributes:
        packages: Each once, sorted by type, name, version and purl.
        truncated: Whether there were more than the limit.
    """

    packages: tuple[Package, ...]
    truncated: bool = False

    @property
    def has_purls(self) -> bool:
        """Whether at least one package has a purl."""
        return any(package.purl for package in self.packages)

    @classmethod
    def of(cls, entries: Iterable[Package], limit: int) -> "Inventory":
        """The entries with what is named twice joined, at most `limit` of them."""
        found: dict[tuple[str, str, str, str], Package] = {}
        truncated = False
        for entry in entries:
            present = found.get(entry.identity)
            if present is not None:
                found[entry.identity] = _joined(present, entry)
            elif len(found) < limit:
                found[entry.identity] = entry
            else:
                truncated = True
        return cls(tuple(found[identity] for identity in sorted(found)), truncated)

    def purls(self) -> dict[tuple[str, str], str]:
        """The purl by (name, version), under every name a report may use; ambiguous ones are left out."""
        known: dict[tuple[str, str], set[str]] = {}
        for package in self.packages:
            if package.purl is None:
                continue
            with_slash = package.name.replace(":", "/")
            for name in {package.name, with_slash, with_slash.rpartition("/")[2]}:
                known.setdefault((name.casefold(), package.version or ""), set()).add(package.purl)
        return {key: next(iter(purls)) for key, purls in known.items() if len(purls) == 1}


def _joined(one: Package, other: Package) -> Package:
    return one.model_copy(
        update={
            "locations": tuple(sorted({*one.locations, *other.locations})[:MAX_LOCATIONS]),
            "licenses": tuple(sorted({*one.licenses, *other.licenses})[:MAX_LOCATIONS]),
        }
    )
