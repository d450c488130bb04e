"""The dated advisory list, and which installed packages it speaks of."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import resources

from univers.versions import InvalidVersion, MavenVersion, PypiVersion, SemverVersion, Version

from infra.local.qscanner.inventory import Ecosystem, Package
from infra.local.qscanner.limits import Budget

_VERSIONS: Mapping[Ecosystem, type[Version]] = {
    Ecosystem.PYPI: PypiVersion,
    Ecosystem.NPM: SemverVersion,
    Ecosystem.MAVEN: MavenVersion,
}


class Severity(IntEnum):
    """Qualys's numbers."""

    INFORMATIONAL = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5


@dataclass(frozen=True, slots=True)
class Range:
    """Versions from `introduced` (`0`: from the first) up to, but without, `fixed`."""

    introduced: str
    fixed: str


@dataclass(frozen=True, slots=True)
class Advisory:
    """One public advisory.

    Attributes:
        qid: The stand-in's own number; Qualys numbers its detections otherwise.
        cve: The public id.
        ghsa: GitHub's id.
        ecosystem: Of the packages.
        packages: Their names, as `key` gives them.
        severity: As the source grades it.
        cvss: The CVSS 3.1 base score, where the source has a vector.
        ranges: The affected versions.
        published: The day, `YYYY-MM-DD`, where known.
        title: In the stand-in's words.
    """

    qid: int
    cve: str
    ghsa: str
    ecosystem: Ecosystem
    packages: tuple[str, ...]
    severity: Severity
    cvss: float | None
    ranges: tuple[Range, ...]
    published: str | None
    title: str

    @property
    def url(self) -> str:
        """The advisory's page."""
        return f"https://github.com/advisories/{self.ghsa}"

    @property
    def score(self) -> int:
        """0-100 in the place of Qualys's detection score: ten times the CVSS score, or a guess by severity."""
        return round(self.cvss * 10) if self.cvss is not None else self.severity * 20 - 5


@dataclass(frozen=True, slots=True)
class Affected:
    """An installed package that an advisory speaks of, and the version that mends it."""

    package: Package
    fixed: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One advisory with every package that it speaks of."""

    advisory: Advisory
    affected: tuple[Affected, ...]


@cache
def advisories() -> tuple[Advisory, ...]:
    """The list that comes with the stand-in."""
    document = json.loads(resources.files(__package__).joinpath("advisories.json").read_text("utf-8"))
    return tuple(
        Advisory(
            qid=one["qid"],
            cve=one["cve"],
            ghsa=one["ghsa"],
            ecosystem=Ecosystem(one["ecosystem"]),
            packages=tuple(one["packages"]),
            severity=Severity[one["severity"].upper()],
            cvss=one["cvss"],
            ranges=tuple(Range(**one_range) for one_range in one["ranges"]),
            published=one["published"],
            title=one["title"],
        )
        for one in document["advisories"]
    )


def key(ecosystem: Ecosystem, name: str) -> str:
    """A package's name in the form that the list uses."""
    if ecosystem is Ecosystem.PYPI:
        # https://packaging.python.org/en/latest/specifications/name-normalization/
        return re.sub(r"[-_.]+", "-", name).lower()
    return name


def match(packages: Iterable[Package], known: Sequence[Advisory], budget: Budget) -> list[Finding]:
    """Every advisory that speaks of one of the packages, gravest first.

    A JAR that does not tell its group is matched by its artifact alone. A version that cannot be read is a warning.
    """
    by_name: dict[tuple[Ecosystem, str], list[Advisory]] = defaultdict(list)
    for advisory in known:
        for name in advisory.packages:
            by_name[advisory.ecosystem, name].append(advisory)
            if advisory.ecosystem is Ecosystem.MAVEN:
                by_name[advisory.ecosystem, name.rpartition(":")[2]].append(advisory)
    affected: dict[Advisory, list[Affected]] = defaultdict(list)
    for package in packages:
        for advisory in by_name.get((package.ecosystem, key(package.ecosystem, package.name)), ()):
            try:
                fixed = _fixed_version(package, advisory.ranges)
            except (InvalidVersion, ValueError, TypeError):
                budget.warn(f"{package.location}: version {package.version!r} cannot be compared")
                continue
            if fixed is not None:
                affected[advisory].append(Affected(package, fixed))
    findings = [Finding(advisory, tuple(packages)) for advisory, packages in affected.items()]
    return sorted(findings, key=lambda finding: (-finding.advisory.severity, finding.advisory.qid))


def _fixed_version(package: Package, ranges: Iterable[Range]) -> str | None:
    """The mended version of the range that the package lies in; None outside of all."""
    read = _VERSIONS[package.ecosystem]
    version = read(package.version)
    for one in ranges:
        if (one.introduced == "0" or version >= read(one.introduced)) and version < read(one.fixed):
            return one.fixed
    return None
