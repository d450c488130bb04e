"""What the register tells of the service: whether it is paused, when it was last swept, and what the sweep left out."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from hub.diagnosis import MOST_EVIDENCE, Check, Kind
from hub.inquiry import Inquiry
from hub.service_notes import Pause
from hub.sweeps import AccountNote, SweepRun
from spoke.errors import ScanhubError

GROUP = "sweep"
OVERDUE = timedelta(days=2)
"""A sweep begins each day: one may be missed."""
NAMED = 5
"""Accounts that a reason names."""

PAUSED = Kind(
    name="pause",
    group="worker",
    asks="does the service take work, or has somebody paused it?",
    wrong="Nothing is scanned, and no sweep begins, until somebody resumes it; changes wait in their queue.",
    fix="ask who paused it; then `scanhub resume`",
)
LAST = Kind(
    name="last-sweep",
    group=GROUP,
    asks="has a sweep of the whole organization finished within two days?",
    wrong="What events have missed is not found, and results grow old.",
    fix="look at `sweep-schedule`, and at the log streams sweep/ of /scanhub/worker; sweep now by "
    "`scanhub sweep --in-hub --wait`",
)
LEFT_OUT = Kind(
    name="swept-accounts",
    group=GROUP,
    asks="could the last sweep go over every account?",
    wrong="What is not listed there is not scanned, unless an event tells of it.",
    fix="see `account-role` and `account-sweep` of these accounts, and docs/operate.md#the-sweep",
)
KINDS = (PAUSED, LAST, LEFT_OUT)


class Register(Protocol):
    """Of the register, what is asked; see `worker.ports.Register` and `hub.sweep.ports.SweepRegister`."""

    async def paused(self) -> Pause | None:
        """Whether, by whom and why the service was paused."""
        ...

    def sweeps(self) -> AsyncIterator[SweepRun]:
        """The runs of the last 90 days, the newest first."""
        ...

    def accounts(self) -> AsyncIterator[AccountNote]:
        """Every account that a worker or a sweep has seen, by id."""
        ...


def inquiries(register: Register, table: str, *, now: datetime) -> Iterator[Inquiry]:
    """The questions to the register; one that cannot be read leaves them open.

    Args:
        register: The register.
        table: Where it lies, for the words.
        now: Aware.
    """

    def inquiry(kind: Kind, look: Callable[[], Awaitable[Check]]) -> Inquiry:
        async def ask() -> Check:
            try:
                return await look()
            except ScanhubError as error:
                return kind.unknown(table, error.text)

        return Inquiry(kind, table, ask)

    async def pause() -> Check:
        return _pause(await register.paused(), table)

    async def last() -> Check:
        runs = [run async for run in register.sweeps()]
        return _last(runs, table, now=now)

    async def left_out() -> Check:
        run = _finished([run async for run in register.sweeps()])
        return _left_out([note async for note in register.accounts()], run, table)

    yield inquiry(PAUSED, pause)
    yield inquiry(LAST, last)
    yield inquiry(LEFT_OUT, left_out)


def _pause(pause: Pause | None, table: str) -> Check:
    if pause is None:
        return PAUSED.ok(table, "it takes work")
    why = f": {pause.reason}" if pause.reason else ""
    return PAUSED.warning(table, f"paused since {_told(pause.at)} by {pause.by}{why}")


def _finished(runs: Sequence[SweepRun]) -> SweepRun | None:
    """The one that finished last, of the whole organization."""
    whole = [(run.finished_at, run) for run in runs if run.is_full and run.finished_at is not None]
    return max(whole, key=lambda one: one[0])[1] if whole else None


def _last(runs: Sequence[SweepRun], table: str, *, now: datetime) -> Check:
    run = _finished(runs)
    at = run.finished_at if run is not None else None
    if run is None or at is None:
        return LAST.warning(table, f"none has finished in the last 90 days{_under_way(runs)}")
    told = f"{run.id} finished at {_told(at)}: {run.counts.functions} functions in {run.accounts} accounts"
    if now - at <= OVERDUE:
        return LAST.ok(table, told)
    # What began before the last one finished was given up, or is the same work under another profile.
    return LAST.warning(table, told + _under_way([one for one in runs if one.started_at > at]))


def _under_way(runs: Sequence[SweepRun]) -> str:
    run = next((one for one in runs if one.is_full and one.finished_at is None), None)
    if run is None:
        return ""
    return f"; {run.id} has begun, and has gone over {run.counts.accounts} of {run.accounts} accounts"


def _left_out(notes: Sequence[AccountNote], run: SweepRun | None, table: str) -> Check:
    """Of the accounts that were gone over since the last whole sweep began: others may not be there any more."""
    swept = [
        (note.account, note.outcome)
        for note in notes
        if note.outcome is not None and note.swept_at is not None and (run is None or note.swept_at >= run.started_at)
    ]
    if not swept:
        return LEFT_OUT.ok(table, "no sweep has gone over an account yet")
    shut = {account: outcome.problem for account, outcome in swept if outcome.problem}
    partly = {
        f"{account} {region}": found.problem
        for account, outcome in swept
        for region, found in sorted(outcome.regions.items())
        if found.problem
    }
    if not shut and not partly:
        return LEFT_OUT.ok(table, f"all of {len(swept)} accounts, in all their regions")
    parts = []
    if shut:
        parts.append(f"{len(shut)} of {len(swept)} accounts could not be entered ({_first(shut)})")
    if partly:
        parts.append(f"{len(partly)} regions could not be listed to their end ({_first(partly)})")
    evidence = [f"{place}: {problem}" for place, problem in {**shut, **partly}.items()]
    return LEFT_OUT.warning(table, "; ".join(parts), evidence=evidence[:MOST_EVIDENCE])


def _first(places: dict[str, str]) -> str:
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return ", ".join(islice(places, NAMED)) + more


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
