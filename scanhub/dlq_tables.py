"""Parked messages as a person reads them."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.dead_letters.advice import Remedy, advice, plain
from hub.dead_letters.groups import Group
from hub.dead_letters.holding import Holding
from hub.dead_letters.message import ParkedMessage, printable
from hub.dead_letters.redrive import Fate, Outcome, Plan, Step
from hub.dead_letters.selection import short_ids
from scanhub import terminal
from scanhub.tables import new_table

_NOTHING = Text("-", style="dim")
_REDRIVE = {
    Remedy.REDRIVE: "sends it to its queue once more",
    Remedy.FORCE: "sends a request for a forced scan in its place",
    Remedy.NONE: "is of no use: it would be parked again",
}
_STYLES = {Remedy.REDRIVE: "yellow", Remedy.FORCE: "cyan", Remedy.NONE: "red"}


def parked_table(messages: Sequence[ParkedMessage], everything: Sequence[ParkedMessage]) -> Table:
    """One row a message; its id is short, yet no other one of `everything` begins so."""
    table = new_table(
        "ID", "PARKED", "QUEUE", "REASON", "TRIES", "ACCOUNT", folded=("FUNCTION", "DETAIL"), numbers=["TRIES"]
    )
    ids = short_ids(everything)
    for one in messages:
        table.add_row(
            ids[one.id],
            at(one.at),
            one.source.value,
            _reason(one.reason),
            str(one.attempts) if one.attempts is not None else _NOTHING,
            one.account or _NOTHING,
            Text(one.function.name) if one.function is not None else _NOTHING,
            Text(one.detail.partition("\n")[0]),
        )
    return table


def groups_table(groups: Iterable[Group]) -> Table:
    """One row a group."""
    table = new_table("COUNT", "QUEUE", "REASON", "ACCOUNT", "OLDEST", "NEWEST", numbers=["COUNT"])
    for one in groups:
        table.add_row(
            f"{one.count:,}",
            one.source.value,
            _reason(one.reason),
            one.account or _NOTHING,
            at(one.oldest),
            at(one.newest),
        )
    return table


def told(one: ParkedMessage, console: Console) -> None:
    """All that is known of one message, and what to do about it."""
    known = advice(one.reason)
    lines = [
        ("id", one.id),
        ("parked", f"{at(one.at)}, from the queue {one.source.value}"),
        ("reason", one.reason),
        ("means", plain(known.means)),
        ("to do", plain(known.to_do)),
        ("redrive", _REDRIVE[known.remedy]),
        ("function", str(one.function) if one.function is not None else "-"),
        ("account", one.account or "-"),
        ("received", f"{one.attempts} times" if one.attempts is not None else "-"),
        ("detail", one.detail.rstrip() or "-"),
    ]
    for name, text in lines:
        console.print(_beside(name, text), soft_wrap=True)
    if one.history:
        console.print()
        table = new_table("TRY", "AT", "REASON", folded=("TEXT",))
        for tried in one.history:
            table.add_row(str(tried.attempt), at(tried.at), tried.reason, Text(tried.text))
        console.print(table)
    console.print()
    console.print(Text(_body(one.message.body)), soft_wrap=True)


def skipped(plans: Iterable[Plan], console: Console) -> None:
    """One line for each that stays, and why."""
    for one in plans:
        if one.step is Step.SKIP:
            console.print(Text(f"skipped {_named(one.parked)}: {one.why}", style="dim"), soft_wrap=True)


def unlucky(outcomes: Iterable[Outcome], console: Console) -> None:
    """One line for each that went wrong, and why."""
    for one in outcomes:
        if one.fate is not Fate.REDRIVEN:
            told = "sent, but not deleted" if one.fate is Fate.TWICE else "not redriven"
            console.print(Text(f"{told}: {_named(one.parked)}: {one.why}", style="red"), soft_wrap=True)


def unseen(holding: Holding) -> None:
    """Tell on stderr of what lies there and is not looked at: else it seems that nothing does."""
    errors = terminal.console(stderr=True)
    if holding.elsewhere:
        errors.print(f"Somebody else looks at {counted(holding.elsewhere)} at the moment: not seen here.")
    if not holding.is_whole:
        errors.print("There are more than can be read at once.")


def counted(number: int, noun: str = "message") -> str:
    """`1 message`, `2,000 messages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def at(moment: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%SZ}"


def _named(one: ParkedMessage) -> str:
    about = one.function or one.account or "no function"
    return f"{one.id} ({one.reason}, {about})"


def _reason(reason: str) -> Text:
    return Text(reason, style=_STYLES[advice(reason).remedy])


def _beside(name: str, text: str) -> Text:
    """The text to the right of its name, each line of it."""
    head, *tail = text.split("\n")
    return Text("\n").join([Text(f"{name:10}", style="bold").append(head, style="not bold"), *map(_indented, tail)])


def _indented(line: str) -> Text:
    return Text(f"{'':10}{line}")


def _body(body: str) -> str:
    """Indented where it is JSON, which also spells out what could steer a terminal."""
    try:
        return json.dumps(json.loads(body), indent=2)
    except (ValueError, RecursionError):
        return printable(body)
