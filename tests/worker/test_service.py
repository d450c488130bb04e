import asyncio
from datetime import timedelta

import pytest

from spoke.errors import QualysFault
from tests.virtual_time import run
from tests.worker.worlds import (
    ACCOUNT,
    LONG,
    NEWER_CODE,
    TestWorld,
    event,
    fill,
    function,
    key_of,
    running,
    snapshot,
)
from worker.memory.clock import START
from worker.memory.scanner import Script
from worker.trip import EndingKind


def test_a_drain_does_not_wait_for_qualys() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 1)
        world.scanner.script(function("function-0"), Script(error=QualysFault("401 unauthorized")))
        with pytest.raises(QualysFault, match="401"):
            await world.service().run(drain=True)
        assert len(world.changes.messages) == 1

    run(main())


async def sweep_of(world: TestWorld, count: int, script: Script = LONG, *, accounts: int = 5) -> None:
    """So many swept functions, of so many accounts in turn; none of them is `ACCOUNT`, unless there is but one."""
    first = int(ACCOUNT) + (accounts > 1)
    for number in range(count):
        arn = function(f"swept-{number}", account=f"{first + number % accounts}")
        world.spoke.put(snapshot(arn))
        world.scanner.script(arn, script)
        await world.sweep.send(event(arn), group=arn.account)


async def change(world: TestWorld, name: str) -> None:
    """A change whose scan takes two hours."""
    arn = function(name)
    world.spoke.put(snapshot(arn))
    world.scanner.script(arn, LONG)
    await world.changes.send(event(arn), group=arn.account)


@pytest.mark.parametrize(("slots", "swept"), [(1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (12, 9)])
def test_while_no_change_is_in_sight_the_sweep_leaves_a_quarter_of_the_slots(slots: int, swept: int) -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=slots)
        await sweep_of(world, 2 * slots)
        async with running(world.service(sweep=True), stops=2):
            await asyncio.sleep(600)
            assert len(world.scanner.running) == swept

    run(main())


@pytest.mark.parametrize("accounts", [1, 5])
def test_a_change_finds_a_slot_at_once_behind_a_sweep_of_its_own_account_too(accounts: int) -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4)
        await sweep_of(world, 12, accounts=accounts)
        async with running(world.service(sweep=True), stops=2):
            await asyncio.sleep(600)
            await change(world, "changed")
            # The longest: until the sweep's turn at SQS is over.
            await asyncio.sleep(1.5)
            assert len(world.scanner.runs_of(function("changed"))) == 1

    run(main())


def test_while_a_change_is_in_hand_the_sweep_leaves_half_of_the_slots_and_the_next_one_finds_one() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4)
        await sweep_of(world, 100, Script(duration=timedelta(minutes=2)))
        async with running(world.service(sweep=True), stops=2):
            await asyncio.sleep(60)
            await change(world, "first")
            await asyncio.sleep(2)
            assert len(world.scanner.running) == 4, "no scan that runs is ended for it"
            await asyncio.sleep(1800)
            assert len(world.scanner.running) == 3
            await change(world, "second")
            await asyncio.sleep(1.5)
            assert len(world.scanner.runs_of(function("second"))) == 1
            await asyncio.sleep(600)
            assert len(world.scanner.running) == 4, "and the sweep goes on in its half"

    run(main())


def test_the_sweep_uses_its_share_while_changes_leave_slots_idle() -> None:
    async def main() -> None:
        world = TestWorld(max_concurrent_scans=4)
        await fill(world, 2)
        for number in range(2):
            world.scanner.script(function(f"function-{number}"), LONG)
        for number in range(10):
            arn = function(f"swept-{number}", account="210000000002")
            world.spoke.put(snapshot(arn))
            world.scanner.script(arn, Script(duration=timedelta(seconds=10)))
            await world.sweep.send(event(arn), group=arn.account)
        async with running(world.service(sweep=True), stops=2):
            await asyncio.sleep(120)
            assert world.sweep.messages == ()

    run(main())


def test_no_message_is_joined_to_one_that_has_gone() -> None:
    """An earlier delivery left a lease on other code when its worker died; then that code is rolled back to."""

    async def main() -> None:
        world = TestWorld()
        arn = function()
        world.spoke.put(snapshot())
        await world.changes.send(event(), group=arn.account)
        [first] = await world.changes.receive(1, wait=0)
        await world.ledger.claim(key_of(world), message_id=first.id, now=world.clock.now(), duration=timedelta(hours=1))
        await world.changes.give_back(first, timedelta(0))
        world.spoke.put(snapshot(code_sha256=NEWER_CODE, last_modified=START + timedelta(seconds=1)))
        assert (await world.service().run(drain=True)).endings == {EndingKind.STORED: 1}
        world.spoke.put(snapshot(last_modified=START + timedelta(seconds=60)))
        await world.changes.send(event(), group=arn.account)
        assert (await world.service().run(drain=True)).endings == {EndingKind.STORED: 1}, "not joined to what is gone"

    run(main())


def test_what_is_in_hand_is_told_every_minute() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 2)
        for number in range(2):
            world.scanner.script(function(f"function-{number}"), Script(duration=timedelta(seconds=150)))
        await world.service().run(drain=True)
        assert [one.values for one in world.metrics.emitted if "RunningScans" in one.values] == [
            {
                "RunningScans": 2.0,
                "HeldMessages": 2.0,
                "Slots": 4.0,
                "WaitingMessages": 0.0,
                "AccountsPaused": 0.0,
                "AccountsWithoutAccess": 0.0,
                "QualysCircuitOpen": 0.0,
                "Paused": 0.0,
            }
        ] * 2

    run(main())


def test_an_account_without_access_shows_in_each_minute_until_it_answers() -> None:
    """Its pauses end and begin meanwhile: an alarm must not come and go with them."""

    async def main() -> None:
        world = TestWorld(max_attempts=20)
        await fill(world, 1)
        world.spoke.deny(ACCOUNT)
        async with running(world.service()):
            # Within one hour it may be, by chance, that it is paused whenever a minute is told.
            await asyncio.sleep(3 * 3600)
            told = [one.values for one in world.metrics.emitted if "AccountsWithoutAccess" in one.values]
            assert {values["AccountsPaused"] for values in told[1:]} == {0, 1}
            assert {values["AccountsWithoutAccess"] for values in told[1:]} == {1}
            world.spoke.allow(ACCOUNT)
            await asyncio.sleep(3600)
            told = [one.values for one in world.metrics.emitted if "AccountsWithoutAccess" in one.values]
            assert told[-1]["AccountsWithoutAccess"] == 0

    run(main())


def test_the_sweep_is_never_starved_by_changes() -> None:
    async def main() -> None:
        world = TestWorld()
        await fill(world, 200)
        swept = function("swept")
        world.spoke.put(snapshot(swept))
        await world.sweep.send(event(swept), group=swept.account)
        async with running(world.service(sweep=True)):
            await asyncio.sleep(600)
            assert len(world.scanner.runs_of(swept)) == 1
            assert len(world.changes.messages) > 100, "long before the changes were done"

    run(main())
