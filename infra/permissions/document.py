"""The tables of `docs/iam.md`, put into their frame."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.permissions.code import ROOT, Use
from infra.permissions.reasons import Reason, faults, load
from infra.permissions.statements import Kind, Statement, statements
from infra.permissions.values import Guards

FRAME = Path(__file__).with_name("frame.md")
DOCUMENT = ROOT / "docs" / "iam.md"

_PLACE = re.compile(r"^\{\{ (\S+) ([^{}]+) \}\}$", re.MULTILINE)
_HEADS = {
    Kind.TRUST: ("Who may assume it", "Action", "Only if", "Why", "Used by"),
    Kind.GRANT: ("Statement", "Action", "On what", "Only if", "Why", "Used by"),
    Kind.RESOURCE: ("Policy", "Statement", "Who", "Action", "On what", "Only if", "Why", "Used by"),
}


class Incomplete(ValueError):
    """Templates, reasons, frame and code do not fit each other; its text names each misfit in a line."""


def rendered() -> str:
    """The whole document.

    Raises:
        Incomplete: A permission without a reason, a reason without a permission, code that is not there, a policy that
            the frame has no place for, ...
    """
    return render(FRAME.read_text("utf-8"), tuple(statements()), load())


def render(frame: str, found: Sequence[Statement], reasons: Sequence[Reason]) -> str:
    """The frame, each `{{ template resource ... }}` of it replaced by the tables of these resources' policies."""
    wrong = [*faults(reasons, found), *_misplaced(frame, found)]
    if wrong:
        raise Incomplete("\n".join(wrong))
    by_key = {key: reason for reason in reasons for key in reason.permissions()}

    def tables(match: re.Match[str]) -> str:
        placed = set(_places(match))
        of_it = [one for one in found if (one.template, one.holder) in placed]
        kinds = [(kind, [one for one in of_it if one.kind is kind]) for kind in Kind]
        return "\n\n".join(_table(kind, of_kind, by_key) for kind, of_kind in kinds if of_kind)

    return _PLACE.sub(tables, frame)


def _places(match: re.Match[str]) -> list[tuple[str, str]]:
    template, holders = match.groups()
    return [(template, holder) for holder in holders.split()]


def _misplaced(frame: str, found: Sequence[Statement]) -> Iterator[str]:
    placed = [place for match in _PLACE.finditer(frame) for place in _places(match)]
    holders = {(statement.template, statement.holder) for statement in found}
    yield from (
        f"{' '.join(one)}: the frame has it twice" for one in sorted({p for p in placed if placed.count(p) > 1})
    )
    yield from (f"{' '.join(one)}: the frame has no place for it" for one in sorted(holders - set(placed)))
    yield from (f"{' '.join(one)}: has no policy, yet a place in the frame" for one in sorted(set(placed) - holders))


def _table(kind: Kind, found: Sequence[Statement], reasons: dict[tuple[str, str], Reason]) -> str:
    head = _HEADS[kind]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for statement in found:
        for reason, actions in _grouped(statement, reasons):
            lines.append("| " + " | ".join(_cells(statement, reason, actions)) + " |")
    return "\n".join(lines)


def _grouped(
    statement: Statement, reasons: dict[tuple[str, str], Reason]
) -> Iterator[tuple[Reason, list[tuple[str, Guards]]]]:
    """The statement's actions, those with one reason together."""
    groups: dict[Reason, list[tuple[str, Guards]]] = {}
    for action, guards in statement.actions:
        groups.setdefault(reasons[statement.place, action], []).append((action, guards))
    yield from groups.items()


def _cells(statement: Statement, reason: Reason, actions: list[tuple[str, Guards]]) -> Iterator[str]:
    if statement.kind is Kind.RESOURCE:
        yield _code(statement.holder)
    if statement.kind is not Kind.TRUST:
        yield statement.sid
    if statement.kind is not Kind.GRANT:
        yield "<br>".join(_code(who) if who != "*" else "everybody" for who in statement.principals)
    yield ("**refused:** " if statement.effect == "Deny" else "") + _values(actions)
    if statement.kind is not Kind.TRUST:
        yield _values(statement.resources)
    yield _conditions(statement)
    yield reason.why
    yield ", ".join([*([reason.by] if reason.by else []), *(_link(use) for use in reason.code)])


def _values(values: Sequence[tuple[str, Guards]]) -> str:
    return "<br>".join(f"{_code(value)}{_guarded(guards)}" for value, guards in values)


def _conditions(statement: Statement) -> str:
    tests = [
        f"{operator} {_code(key)}: " + ", ".join(f"{_code(value)}{_guarded(guards)}" for value, guards in values)
        for operator, key, values in statement.conditions
    ]
    return "<br>".join([*tests, *([_parameters(statement.guards)] if statement.guards else [])])


def _guarded(guards: Guards) -> str:
    return f" ({_parameters(guards)})" if guards else ""


def _parameters(guards: Guards) -> str:
    """The conditions of the template, by name."""
    return "template: " + " and ".join(
        f"not {_code(guard.removeprefix('not '))}" if guard.startswith("not ") else _code(guard) for guard in guards
    )


def _link(use: Use) -> str:
    place = f"{use.path}#L{use.line()}"
    return f"[{place}](../{place})"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"
