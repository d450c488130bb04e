"""A sweep of a million functions in memory, in a process of its own: `python -m bench.sweep_memory ACCOUNTS REGIONS
FUNCTIONS KNOWN` prints the peak of its resident memory and what it found, as JSON.

The estate, the ledger and the queue hold nothing of their own: what they say is made on the way, what they are given is
counted. So what is measured is the sweep's: what it keeps of a place, of an account, of the whole.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench import organization
from bench.estate import Answers, Estate
from bench.scanner import PROFILE
from hub import logs
from hub.coverage import Coverage, CoverageState
from hub.message import Depth
from hub.redaction import Redactor
from hub.settings import load
from hub.standing import CoverageRow, Standing
from hub.sweep.course import SweepWorld
from hub.sweep.sweep import Sweep
from hub.sweeps import SweepScope
from scanhub.collection import collected_seldom
from spoke.arn import FunctionArn
from spoke.clock import SystemClock
from spoke.listing import page_of
from spoke.snapshot import FunctionSnapshot, fingerprint
from worker.memory.estate import MemoryEstate
from worker.memory.objects import MemoryObjects
from worker.memory.register import MemoryRegister

_ROWS = 1000
"""Rows of one page."""


@dataclass(slots=True)
class Counted:
    """The port `SweepQueue`, and what came through it.

    Attributes:
        requests: Sent.
    """

    requests: int = 0

    async def send_all(self, requests: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Takes everything, keeps nothing."""
        self.requests += len(requests)
        return []

    async def depth(self) -> Depth:
        """Whoever receives is as quick as the sweep."""
        return Depth(visible=0, in_flight=0, delayed=0)


class Ledger:
    """The port `SweepLedger`: knows every function of the estate, or none; keeps nothing.

    Args:
        estate: Whose functions these are.

    Attributes:
        replaced: States written.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._now = datetime.now(UTC)
        self.replaced = 0

    async def standings(self, functions: Collection[FunctionArn]) -> Mapping[FunctionArn, Standing]:
        """All fresh, or nothing."""
        await asyncio.sleep(0)
        return {one: self._standing(one) for one in functions} if self._estate.known else {}

    async def rows(
        self, account: str, *, region: str | None = None, without: Collection[FunctionArn] = ()
    ) -> AsyncIterator[Sequence[CoverageRow]]:
        """What the index by account would have."""
        regions = [region] if region is not None else self._estate.region_names if self._estate.known else []
        for name in regions:
            page = []
            for function in self._estate.place(account, name):
                if function in without:
                    continue
                row = CoverageRow(function=function, state=CoverageState.COVERED, at=self._now, runtime="python3.13")
                page.append(row)
                if len(page) == _ROWS:
                    await asyncio.sleep(0)
                    yield page
                    page = []
            yield page

    async def replace(self, coverage: Coverage, *, seen: Standing | None) -> bool:
        """Counted."""
        await asyncio.sleep(0)
        self.replaced += coverage.queued_at is not None and seen is None
        return True

    async def record(self, coverage: Coverage) -> bool:
        """Nothing is to be recorded here: nothing is gone."""
        raise AssertionError(f"{coverage.function} is not {coverage.state}")

    def _standing(self, function: FunctionArn) -> Standing:
        return Standing(
            function=function,
            state=CoverageState.COVERED,
            at=self._now,
            as_of=self._now,
            fingerprint=fingerprint(organization.code_sha256(str(function)), organization.LAYERS),
            profile_id=PROFILE.id,
            fresh_until=self._now + timedelta(days=30),
        )


def snapshots(answers: Answers, account: str, region: str) -> Iterator[FunctionSnapshot]:
    """The functions of a place, read from the pages that Lambda would send."""
    marker: str | None = ""
    while marker is not None:
        page = page_of(answers.made_page(account, region, marker), account=account, region=region)
        yield from page.functions
        marker = page.marker


async def main(estate: Estate) -> None:
    """Sweep it, and tell."""
    clock, queue, ledger = SystemClock(), Counted(), Ledger(estate)
    logs.configure("WARNING", stream=sys.stderr, redactor=Redactor())
    spoke, answers = MemoryEstate(), Answers(estate)
    for account in estate.account_ids:
        for region in estate.region_names:
            spoke.generate(account, region, partial(snapshots, answers, account, region))
    world = SweepWorld(
        estate=spoke,
        ledger=ledger,
        register=MemoryRegister(clock),
        queue=queue,
        objects=MemoryObjects(),
        settings=load(),
        clock=clock,
    )
    before = peak()
    with collected_seldom():
        report = await Sweep(world).run(SweepScope(profile_id=PROFILE.id), estate.account_ids)
    told = {"before": before, "peak": peak(), "requests": queue.requests, "replaced": ledger.replaced}
    print(json.dumps(told | asdict(report.counts)))


def peak() -> float:
    """MB of resident memory at the most. Not `getrusage`, which counts what the parent had before `exec` too."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("proc(5) promises VmHWM")


if __name__ == "__main__":
    accounts, regions, functions, known = map(int, sys.argv[1:5])
    asyncio.run(main(Estate(accounts, regions, functions, bool(known))))
