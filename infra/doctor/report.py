"""What both halves found, put together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hub.diagnosis import Check, Verdict

SCHEMA_VERSION = 1


def merged(outside: Iterable[Check], inside: Sequence[Check]) -> tuple[Check, ...]:
    """All checks, without what the engineer could not ask and the worker did."""
    answered = {(check.name, check.subject) for check in inside}
    kept = [
        check
        for check in outside
        if check.verdict is not Verdict.UNKNOWN or (check.name, check.subject) not in answered
    ]
    return (*kept, *inside)


def counts(checks: Iterable[Check]) -> dict[str, int]:
    """How many of each verdict, also where there is none."""
    found = Counter(check.verdict for check in checks)
    return {verdict.value: found[verdict] for verdict in Verdict}


def is_wrong(checks: Sequence[Check], *, strict: bool) -> bool:
    """Whether the command ends with 1: if something failed, or nothing at all could be asked.

    Args:
        checks: All of them.
        strict: For a warning or an open question too.
    """
    wrong = {Verdict.FAILED, Verdict.WARNING, Verdict.UNKNOWN} if strict else {Verdict.FAILED}
    verdicts = {check.verdict for check in checks}
    return bool(verdicts & wrong) or verdicts == {Verdict.UNKNOWN}


def document(checks: Sequence[Check]) -> dict[str, Any]:
    """For `--json`."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "verdicts": counts(checks),
        "checks": [check.document() for check in checks],
    }
