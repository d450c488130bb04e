"""Why each permission is there and who uses it: `reasons.toml`."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.permissions.code import UnknownCode, Use
from infra.permissions.operations import needs
from infra.permissions.statements import Statement

TABLE = Path(__file__).with_name("reasons.toml")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some permissions are there.

    Attributes:
        places: The statements that it is about (`Statement.place`).
        actions: Which of their actions.
        why: One phrase.
        code: The lines that use them.
        by: Who uses them, where it is not our own code that asks AWS.
    """

    places: tuple[str, ...]
    actions: tuple[str, ...]
    why: str
    code: tuple[Use, ...]
    by: str

    def permissions(self) -> Iterator[tuple[str, str]]:
        """Statement and action of each permission."""
        for place in self.places:
            for action in self.actions:
                yield place, action


def load(path: Path = TABLE) -> tuple[Reason, ...]:
    """The reasons as they are written.

    Raises:
        ValueError: An entry holds something else than it should.
    """
    return tuple(_reason(entry) for entry in tomllib.loads(path.read_text("utf-8"))["permission"])


def _reason(entry: Mapping[str, Any]) -> Reason:
    unknown = set(entry) - {"of", "actions", "why", "code", "by"}
    if unknown or not entry.get("why") or not (entry.get("code") or entry.get("by")):
        raise ValueError(f"{entry.get('of')}: a permission has of, actions, why, and code or by or both")
    return Reason(
        places=tuple(entry["of"]),
        actions=tuple(entry["actions"]),
        why=entry["why"],
        code=tuple(Use.parse(one) for one in entry.get("code", ())),
        by=entry.get("by", ""),
    )


def faults(reasons: Iterable[Reason], statements: Iterable[Statement]) -> Iterator[str]:
    """What is wrong between the reasons, the templates and the code: one line each."""
    given: dict[tuple[str, str], Reason] = {}
    for reason in reasons:
        for key in reason.permissions():
            if key in given:
                yield f"{' '.join(key)}: has two reasons"
            given[key] = reason
        yield from _faults_in_code(reason)
    there: set[tuple[str, str]] = set()
    for statement in statements:
        for action, _ in statement.actions:
            key = statement.place, action
            if key in there:
                yield f"{' '.join(key)}: stands in the templates twice; give each statement a Sid of its own"
            there.add(key)
    yield from (f"{' '.join(key)}: no reason is given" for key in sorted(there - set(given)))
    yield from (f"{' '.join(key)}: is in no template" for key in sorted(set(given) - there))


def _faults_in_code(reason: Reason) -> Iterator[str]:
    for use in reason.code:
        try:
            use.line()
        except UnknownCode as fault:
            yield str(fault)
        if reason.by:
            continue
        # What our own code calls must ask for what is said of it; what others do, only their documents can tell.
        yield from (f"{use}: does not ask for {action}" for action in reason.actions if not needs(use.what, action))
