"""A sweep over AWS in a process of its own, as `scanhub sweep` puts it together.

`python -m bench.sweeping HOW ACCOUNTS ROUNDS` takes its settings from the environment, as the command does, and prints
for each round what it cost and what it found, as JSON. HOW is

- `together`: the sweep itself;
- `alone`: the same code, with the settings' `sweep_places` at 1 and an account begun when the one before is done:
  one account after another, region after region, page after page, the very same calls;
- `count`: what `scanhub coverage` counts, of the same accounts.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from bench.estate import Estate
from bench.scanner import PROFILE
from hub import logs
from hub.message import Source
from hub.redaction import Redactor
from hub.settings import load
from hub.sweep.claims import sweep_account
from hub.sweep.course import Course, SweepWorld
from hub.sweep.sweep import ADOPT_WITHIN, Sweep
from hub.sweep.tally import Tally
from hub.sweeps import AccountOutcome, SweepCounts, SweepScope
from scanhub.collection import collected_seldom
from scanhub.spoke_wiring import estate
from scanhub.wiring import Hub, open_hub

SCOPE = SweepScope(profile_id=PROFILE.id)

Way = Callable[[list[str]], Awaitable[dict[str, object]]]


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Hub, SweepWorld]]:
    """The hub and the world of a sweep, as `scanhub.sweep_wiring` makes them."""
    settings, redactor = load(), Redactor()
    logs.configure("WARNING", stream=sys.stderr, redactor=redactor)
    async with open_hub(settings, os.environ) as hub:
        world = SweepWorld(
            estate=await estate(settings, hub.clients, hub.clock, redactor),
            ledger=hub.ledger,
            register=hub.register,
            queue=hub.queues[Source.SWEEP],
            objects=hub.objects,
            settings=settings,
            clock=hub.clock,
        )
        with collected_seldom():
            yield hub, world


async def together(hub: Hub, world: SweepWorld, accounts: list[str]) -> dict[str, object]:
    """The sweep as it is."""
    report = await Sweep(world, calls=hub.calls).run(SCOPE, accounts)
    if not report.is_complete:
        raise AssertionError(f"the sweep was not complete: {report.problems}")
    return asdict(report.counts)


async def alone(_: Hub, world: SweepWorld, accounts: list[str]) -> dict[str, object]:
    """One account after another, region after region."""
    if world.settings.sweep_places != 1:
        raise AssertionError("more than one place at once")
    run = await world.register.begin_sweep(SCOPE, now=world.clock.now(), adopt_within=ADOPT_WITHIN)
    course, counts = Course.of(world, SCOPE), SweepCounts()
    for account in accounts:
        outcome = await sweep_account(account, run, course, Tally())
        if not isinstance(outcome, AccountOutcome) or outcome.problem:
            raise AssertionError(f"account {account} was not gone over: {outcome}")
        counts += outcome.counts
    await world.register.finish_sweep(run, counts, accounts=len(accounts), now=world.clock.now())
    return asdict(counts)


async def count(hub: Hub, _: SweepWorld, accounts: list[str]) -> dict[str, object]:
    """The counts of every account."""
    counted = await hub.ledger.counts(accounts)
    return {"functions": counted.functions, **Counter({state.value: n for state, n in counted.by_state.items()})}


def waited() -> float:
    """Seconds for which this process could have run, and no processor was free for it.

    Linux's `Documentation/scheduler/sched-stats.rst`, /proc/<pid>/schedstat: the second number, in nanoseconds.
    """
    return int(Path("/proc/self/schedstat").read_text(encoding="utf-8").split()[1]) / 1e9


async def main(how: str, accounts: int, rounds: int) -> None:
    """Do it so often; the first round of several makes clients and reads models, as a running service has long done."""
    way = {"together": together, "alone": alone, "count": count}[how]
    told = []
    async with opened() as (hub, world):
        for _ in range(rounds):
            wall, cpu, queued = time.perf_counter(), time.process_time(), waited()
            found = await way(hub, world, list(Estate(accounts, 1, 1).account_ids))
            spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            told.append(spent | {"waited": waited() - queued, **found})
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
