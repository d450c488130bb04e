"""What a tool says of a template, what is excused there, and what is left to complain about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """Where a rule of a tool finds, or is suppressed."""

    tool: str
    file: str
    resource: str
    rule: str

    def __str__(self) -> str:
        return f"{self.file}: {self.resource}: {self.tool} {self.rule}"


@dataclass(frozen=True)
class Finding:
    """A rule that does not hold, and what the tool says of it."""

    place: Place
    says: str


@dataclass(frozen=True)
class Suppression:
    """A rule that is known not to hold, and why; without a reason the text is empty."""

    place: Place
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What came out of one tool."""

    complaints: tuple[str, ...]
    """One line each; empty means clean."""
    suppressed: int
    """Findings with a reason where they stand."""


def judge(findings: Iterable[Finding], suppressions: Iterable[Suppression]) -> Verdict:
    """Hold the findings against the suppressions.

    Each finding needs a suppression, each suppression a reason, and a finding that it is for.
    """
    found = {finding.place: finding for finding in findings}
    excused = {suppression.place: suppression for suppression in suppressions}
    return Verdict(tuple(_complaints(found, excused)), len(found.keys() & excused.keys()))


def _complaints(found: dict[Place, Finding], excused: dict[Place, Suppression]) -> Iterator[str]:
    for place in sorted(found.keys() - excused.keys()):
        yield f"{place}: {found[place].says}"
    for place in sorted(excused):
        if not excused[place].reason.strip():
            yield f"{place}: is suppressed without a reason"
        elif place not in found:
            yield f"{place}: is suppressed, and nothing is found there"
