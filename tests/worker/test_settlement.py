"""What is told of each journey's end, as it leaves the worker."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from hub.coverage import CoverageState
from hub.scans import ScanStatus
from spoke.errors import ScannerCrashed, Throttled, Unavailable
from tests.virtual_time import run
from tests.worker.hooks import failing
from tests.worker.worlds import ACCOUNT, NEWER_CODE, REGION, TestWorld, event, function, request, snapshot, travel
from worker.memory.clock import START
from worker.memory.metrics import Emission
from worker.memory.scanner import Script

OF_PAYMENTS = {"account": ACCOUNT, "region": REGION, "function": str(function())}
KILLED = ScannerCrashed("the scanner failed: died by SIGKILL (out of memory?)", exit_code="SIGKILL")


async def worked_off(world: TestWorld, *bodies: str) -> None:
    for body in bodies:
        await world.changes.send(body, group=ACCOUNT)
    await world.service().run(drain=True)


async def worked_off_again(world: TestWorld) -> None:
    """What was given back comes again."""
    await asyncio.sleep(timedelta(hours=1).total_seconds())
    await world.service().run(drain=True)


def endings(world: TestWorld) -> list[Emission]:
    """The lines of ended journeys, in their order."""
    return [one for one in world.metrics.emitted if "QueueDelay" in one.values]


def with_metric(world: TestWorld, label: str) -> list[Emission]:
    return [one for one in world.metrics.emitted if label in one.values]


def with_function(**changes: Any) -> TestWorld:
    world = TestWorld(**changes)
    world.spoke.put(snapshot())
    return world


def test_a_change_that_is_stored_tells_its_function_its_state_and_its_latency() -> None:
    async def main() -> None:
        world = with_function()
        await worked_off(world, event(at=START - timedelta(seconds=50)))
        [line] = endings(world)
        assert line.properties == {"reason": "success", "state": "COVERED", **OF_PAYMENTS}
        # Fifty seconds on the way here, thirty of scan.
        assert line.values["ChangeLatency"] == pytest.approx(80, abs=1)
        [scan] = with_metric(world, "ScansCompleted")
        assert scan.properties["exit_code"] == "0"

    run(main())


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (request(force=True), "COVERED"),
        (event().replace('"id"', '"replay-name": "after-the-outage", "id"', 1), "COVERED"),
    ],
    ids=["request", "replayed"],
)
def test_what_is_no_change_of_just_now_has_no_latency(body: str, state: str) -> None:
    async def main() -> None:
        world = with_function()
        await worked_off(world, body)
        [line] = endings(world)
        assert line.properties["state"] == state
        assert "EventsStored" in line.values
        assert "ChangeLatency" not in line.values

    run(main())


def test_only_what_ends_as_stored_has_a_latency_and_it_has_one_only() -> None:
    """The result is committed by the first delivery; its notification by the second."""

    async def main() -> None:
        world = with_function()
        world.notifier.on_call = failing("notify", Unavailable("SNS does not answer"))
        await worked_off(world, event())
        world.notifier.on_call = None
        await worked_off_again(world)
        given_back, stored = endings(world)
        assert "EventsGivenBack" in given_back.values
        assert "ChangeLatency" not in given_back.values
        assert given_back.properties["state"] == "COVERED"
        # To the end of the scan that stored it, not to the notification's.
        assert stored.values["ChangeLatency"] == pytest.approx(30, abs=1)
        assert "exit_code" not in with_metric(world, "ScansCompleted")[0].properties

    run(main())


def test_what_cannot_be_read_names_nobody() -> None:
    async def main() -> None:
        world = TestWorld()
        await worked_off(world, "{not json")
        [line] = endings(world)
        assert line.properties == {"reason": "not_json"}

    run(main())


def test_what_names_another_account_is_told_under_the_one_that_sent_it() -> None:
    async def main() -> None:
        world = with_function()
        await worked_off(world, event(account="666666666666"))
        [line] = endings(world)
        assert line.properties == {**OF_PAYMENTS, "reason": "account_mismatch", "account": "666666666666"}

    run(main())


def test_a_covered_event_has_written_no_state() -> None:
    async def main() -> None:
        world = with_function()
        await travel(world, event())
        await worked_off(world, event())
        [line] = endings(world)
        assert line.properties == {**OF_PAYMENTS, "reason": "fresh"}

    run(main())


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"tags": {"QualysScanExclude": "true"}}, "EXCLUDED"),
        ({"state": "Inactive", "state_reason_code": "ImageAccessDenied", "package_type": "Image"}, "UNREADABLE"),
    ],
)
def test_the_state_is_that_which_the_journey_has_written(changes: dict[str, Any], state: str) -> None:
    async def main() -> None:
        world = with_function()
        world.spoke.put(snapshot(**changes))
        await worked_off(world, event())
        assert [line.properties["state"] for line in endings(world)] == [state]
        assert (await world.coverage()).state is CoverageState(state)

    run(main())


def test_a_function_that_is_gone_or_excluded_by_name_says_so() -> None:
    async def main() -> None:
        world = TestWorld(exclude_functions="scratch-*")
        await worked_off(world, event(), event(function("scratch-7")))
        assert sorted(line.properties["state"] for line in endings(world)) == ["EXCLUDED", "GONE"]

    run(main())


def test_each_failed_try_and_the_scan_that_failed_say_how_the_scanner_ended() -> None:
    async def main() -> None:
        world = with_function(max_attempts=2)
        world.scanner.script(function(), Script(error=KILLED), Script(error=KILLED))
        await worked_off(world, event())
        await worked_off_again(world)
        assert [line.properties for line in with_metric(world, "TriesFailed")] == [
            {"reason": "scanner_crashed", "exit_code": "SIGKILL", **OF_PAYMENTS}
        ] * 2
        [failed] = with_metric(world, "ScansFailed")
        assert failed.properties["exit_code"] == "SIGKILL"
        assert [line.properties["state"] for line in endings(world)] == ["PENDING", "FAILED"]

    run(main())


def test_a_failed_try_that_was_not_the_scanners_has_no_exit_code() -> None:
    async def main() -> None:
        world = with_function()
        world.spoke.fail("describe", Throttled("TooManyRequestsException"))
        await worked_off(world, event())
        [line] = with_metric(world, "TriesFailed")
        assert line.properties == {"reason": "throttled", **OF_PAYMENTS}

    run(main())


@pytest.mark.parametrize(("exit_code", "kept"), [("1", 1), ("SIGKILL", None), ("timeout", None)])
def test_the_manifest_of_a_failed_scan_has_the_exit_code_if_there_was_one(exit_code: str, kept: int | None) -> None:
    async def main() -> None:
        world = with_function(max_attempts=1)
        world.scanner.script(function(), Script(error=ScannerCrashed("the scanner failed", exit_code=exit_code)))
        await worked_off(world, event())
        manifest = json.loads(world.objects.stored[world.objects.writes[-1]].data)
        assert (manifest["status"], manifest["exitCode"]) == (ScanStatus.FAILED, kept)

    run(main())


def test_a_result_beside_a_newer_state_leaves_the_function_in_no_state_of_its_own() -> None:
    async def main() -> None:
        world = with_function()

        async def on_call(operation: str, *, after: bool) -> None:
            if operation == "commit" and not after:
                # While the older code was scanned, the function changed and the newer code was scanned elsewhere.
                world.ledger.on_call = None
                world.spoke.put(snapshot(code_sha256=NEWER_CODE, last_modified=START))
                await travel(world, event(code=NEWER_CODE), number=2)

        world.ledger.on_call = on_call
        await worked_off(world, event())
        [line] = endings(world)
        assert "EventsStored" in line.values
        assert "state" not in line.properties

    run(main())


def test_a_state_that_could_not_be_written_is_not_told() -> None:
    async def main() -> None:
        world = with_function()
        await travel(world, event())
        world.spoke.put(snapshot(code_sha256=NEWER_CODE, last_modified=START))
        world.ledger.on_call = failing("record", Unavailable("DynamoDB does not answer"))
        await worked_off(world, event(code=NEWER_CODE))
        world.ledger.on_call = None
        await worked_off_again(world)
        assert ["state" in line.properties for line in endings(world)] == [False, True]

    run(main())
