"""What a check found out: the words that `scanhub doctor` speaks, from outside the hub and from inside."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_TEXT = 1000
"""Characters of a reason, a fix or a piece of evidence: a check must fit into one line of a container's log, which is
torn after 16 KiB."""
MOST_EVIDENCE = 10
"""Pieces of evidence of one check."""


class Verdict(StrEnum):
    """What is to be thought of it.

    `WARNING` works today, and somebody should look at it; `UNKNOWN` could not be asked, which is never read as well.
    """

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question about one thing, answered.

    Attributes:
        name: Of its kind, such as `queue-redrive`.
        group: By which they are shown together, such as `queues`.
        subject: What was looked at.
        verdict: See `Verdict`.
        reason: Why, in one line, without secrets.
        fix: What to do; empty where all is well.
        evidence: What was seen, word by word, where the reason alone does not say it.
    """

    name: str
    group: str
    subject: str
    verdict: Verdict
    reason: str
    fix: str = ""
    evidence: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """For JSON: `fix` and `evidence` only where there is any."""
        return {
            "name": self.name,
            "group": self.group,
            "subject": self.subject,
            "verdict": self.verdict.value,
            "reason": self.reason,
            **({"fix": self.fix} if self.fix else {}),
            **({"evidence": list(self.evidence)} if self.evidence else {}),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Check":
        """What `document` wrote.

        Raises:
            ValueError, KeyError: It did not write this.
        """
        return cls(
            name=_cut(str(document["name"])),
            group=_cut(str(document["group"])),
            subject=_cut(str(document["subject"])),
            verdict=Verdict(document["verdict"]),
            reason=_cut(str(document["reason"])),
            fix=_cut(str(document.get("fix", ""))),
            evidence=tuple(_cut(str(line)) for line in document.get("evidence", ()))[:MOST_EVIDENCE],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of check. `docs/doctor.md` lists them all, in these words.

    Attributes:
        name: Stable, in kebab-case.
        group: See `Check`.
        asks: What is asked.
        wrong: What it means when the answer is no.
        fix: What to do then.
    """

    name: str
    group: str
    asks: str
    wrong: str
    fix: str

    def ok(self, subject: str, reason: str, *, evidence: Iterable[str] = ()) -> Check:
        """As it should be."""
        return self._check(subject, Verdict.OK, reason, "", evidence)

    def warning(self, subject: str, reason: str, *, fix: str | None = None, evidence: Iterable[str] = ()) -> Check:
        """It works, and somebody should look at it."""
        return self._check(subject, Verdict.WARNING, reason, fix, evidence)

    def failed(self, subject: str, reason: str, *, fix: str | None = None, evidence: Iterable[str] = ()) -> Check:
        """Something is wrong."""
        return self._check(subject, Verdict.FAILED, reason, fix, evidence)

    def unknown(self, subject: str, reason: str, *, fix: str = "", evidence: Iterable[str] = ()) -> Check:
        """It could not be asked."""
        return self._check(subject, Verdict.UNKNOWN, reason, fix, evidence)

    def _check(self, subject: str, verdict: Verdict, reason: str, fix: str | None, evidence: Iterable[str]) -> Check:
        return Check(
            name=self.name,
            group=self.group,
            subject=_cut(subject),
            verdict=verdict,
            reason=_cut(reason),
            fix=_cut(self.fix if fix is None else fix),
            evidence=tuple(_cut(line) for line in evidence)[:MOST_EVIDENCE],
        )


def _cut(text: str) -> str:
    """One line without what a terminal obeys: names and messages here are written by others."""
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(text.split()))
    return line if len(line) <= MOST_TEXT else line[: MOST_TEXT - 3] + "..."
