import asyncio
from datetime import timedelta

import pytest

from hub.scanned import ArtifactName, Scanned
from hub.scans import PolicyVerdict, ScanStatus
from spoke.errors import Throttled
from spoke.snapshot import FunctionSnapshot
from tests import virtual_time
from tests.doubles.qscanner_rig import session, snapshot
from worker.memory.artifacts import artifacts_of
from worker.memory.clock import START, LoopClock
from worker.memory.scanner import MemoryScanner, RunEnd, Script

MINUTE = timedelta(minutes=1)


async def scan(scanner: MemoryScanner, function: FunctionSnapshot) -> Scanned:
    async with scanner.scan(function, session()) as scanned:
        return scanned


def test_scripts_are_used_one_by_one_and_then_the_default() -> None:
    async def main() -> None:
        scanner = MemoryScanner(LoopClock(), default=Script(duration=MINUTE))
        orders = snapshot("orders")
        scanner.script(
            orders.arn,
            Script(duration=2 * MINUTE, error=Throttled("patience")),
            Script(duration=3 * MINUTE, policy=PolicyVerdict.DENY, exit_code=42),
        )
        with pytest.raises(Throttled):
            await scan(scanner, orders)
        second = await scan(scanner, orders)
        assert (second.exit_code, second.policy) == (42, PolicyVerdict.DENY)
        assert (second.started_at, second.finished_at) == (START + 2 * MINUTE, START + 5 * MINUTE)
        assert (await scan(scanner, orders)).exit_code == 0
        assert [run.end for run in scanner.runs_of(orders.arn)] == [RunEnd.FAILED, RunEnd.SCANNED, RunEnd.SCANNED]
        assert scanner.runs[2].ended_at == START + 6 * MINUTE
        assert scanner.overlaps() == []

    virtual_time.run(main())


def test_what_ran_at_the_same_time_is_seen() -> None:
    async def main() -> None:
        scanner = MemoryScanner(LoopClock(), default=Script(duration=MINUTE))
        other_code = snapshot("orders", layers=("arn:aws:lambda:eu-west-1:210987654321:layer:shared:3",))
        await asyncio.gather(*(scan(scanner, one) for one in (snapshot("orders"), snapshot("orders"), other_code)))
        assert scanner.max_running == 3
        assert [(one.fingerprint, other.fingerprint) for one, other in scanner.overlaps()] == [
            (snapshot("orders").fingerprint, snapshot("orders").fingerprint)
        ]

    virtual_time.run(main())


def test_a_limit_makes_the_rest_wait() -> None:
    async def main() -> None:
        scanner = MemoryScanner(LoopClock(), default=Script(duration=MINUTE), limit=2)
        await asyncio.gather(*(scan(scanner, snapshot(f"function-{number}")) for number in range(5)))
        assert scanner.max_running == 2
        assert LoopClock().now() == START + 3 * MINUTE

    virtual_time.run(main())


def test_a_cancelled_scan_is_on_record() -> None:
    async def main() -> None:
        scanner = MemoryScanner(LoopClock())
        task = asyncio.create_task(scan(scanner, snapshot("orders")))
        await asyncio.sleep(5)
        assert (scanner.open, len(scanner.running)) == (1, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (run,) = scanner.runs
        assert (run.end, run.ended_at) == (RunEnd.CANCELLED, START + timedelta(seconds=5))
        assert run.session == "ASIASPOKESPOKESPOKE1"
        assert (scanner.open, scanner.running) == (0, [])

    virtual_time.run(main())


def test_files_may_depend_on_the_function() -> None:
    async def main() -> None:
        scanner = MemoryScanner(LoopClock())
        scanner.script(
            snapshot("orders").arn,
            Script(
                status=ScanStatus.PARTIAL,
                artifacts=lambda found: artifacts_of({ArtifactName.STDERR: found.arn.name.encode()}),
            ),
        )
        (artifact,) = (await scan(scanner, snapshot("orders"))).artifacts
        assert artifact.open().read() == b"orders"

    virtual_time.run(main())
