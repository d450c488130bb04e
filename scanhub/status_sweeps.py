"""What `scanhub status` tells a person of sweeps: what each was of, how it ended, and how old the whole is."""

from collections.abc import Iterator

from hub.service_status import ServiceStatus
from hub.sweeps import Named, SweepRun
from infra.words import one_line


def lines(told: ServiceStatus) -> Iterator[str]:
    """The last sweep; where it was of a part, also the last one of the whole organization; and one that is not done."""
    last, full = told.last_sweep, told.last_full_sweep
    yield f"last sweep  {_run(last) if last is not None else 'none in 90 days; begin one with: scanhub sweep'}"
    if last is not None and not last.is_full:
        yield f"last whole  {_run(full) if full is not None else 'none in 90 days; begin one with: scanhub sweep'}"
    if told.running_sweep is not None:
        yield f"running     {_run(told.running_sweep)}"
    if told.unfinished_sweep is not None:
        heard = told.unfinished_sweep.heard_of_at
        yield f"unfinished  {_run(told.unfinished_sweep)}; not heard of since {heard:%Y-%m-%d %H:%M} UTC"


def subject(run: SweepRun) -> str:
    """What a run goes over, in a few words: `3 accounts in eu-central-1, without legacy-*`."""
    scope = run.scope
    if scope is None:
        # Noted by an older version, which kept an id only.
        return "the whole organization" if run.is_full else "a part of the organization"
    whose = [_words(scope.accounts, "account", "accounts", named=True), _words(scope.ous, "unit", "units", named=True)]
    place = _words(scope.regions, "region", "regions")
    less = _words(scope.exclude, "pattern", "patterns")
    return (
        (" and ".join(filter(None, whose)) or "the whole organization")
        + (f" in {place}" if place else "")
        + (f", without {less}" if less else "")
    )


def _words(names: Named, one: str, many: str, *, named: bool = False) -> str:
    """A single name itself, or how many there are; nothing where there is none."""
    if names.number == 1 and names.first:
        name = one_line(names.first[0])
        return f"{one} {name}" if named else name
    return f"{names.number:,} {many}" if names.number else ""


def _run(run: SweepRun) -> str:
    counts = run.counts
    if run.at is None and run.finished_at is None:
        # The first note of its counts comes ten seconds after it begins.
        return f"begun {run.started_at:%Y-%m-%d %H:%M} UTC, {subject(run)}"
    when = f"finished {run.finished_at:%Y-%m-%d %H:%M}" if run.finished_at else f"begun {run.started_at:%Y-%m-%d %H:%M}"
    return (
        f"{when} UTC, {subject(run)}: {counts.accounts:,} of {run.accounts:,} accounts, "
        f"{counts.functions:,} functions, {counts.due:,} queued, {counts.failed:,} failed"
    )
