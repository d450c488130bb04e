"""What the service says of itself: its workers, its pause, how fast changes were scanned."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import pytest

from hub.ledger_schema import Key
from hub.service_notes import ObjectiveDay, Pause, WorkerNote
from spoke.errors import Misconfigured
from tests.ledger_samples import HOUR, MINUTE, NOW, PROFILE
from tests.register_rig import RegisterRig

WORKER = WorkerNote(
    id="7d1f3c5a9b2e4d60",
    version="0.1.0",
    profile=PROFILE,
    slots=4,
    running=3,
    started_at=NOW - HOUR,
    seen_at=NOW,
)
PAUSE = Pause(by="arn:aws:sts::999888777666:assumed-role/operator/anna", reason="Qualys is being moved", at=NOW)
TODAY = date(2026, 11, 21)
DAY = ObjectiveDay(day=TODAY, target=600, changes=12, within=10, failed=1, slowest=731.5)


async def workers(rig: RegisterRig) -> list[WorkerNote]:
    return [one async for one in rig.register.workers()]


async def objective(rig: RegisterRig) -> list[ObjectiveDay]:
    return [one async for one in rig.register.objective()]


class TestWorkers:
    async def test_a_worker_that_checked_in_is_there(self, rig: RegisterRig) -> None:
        await rig.register.check_in(WORKER)
        assert await workers(rig) == [WORKER]

    async def test_its_newest_word_stands(self, rig: RegisterRig) -> None:
        held = replace(WORKER, circuit="Qualys refuses the token", paused=True)
        await rig.register.check_in(held)
        assert await workers(rig) == [held]
        later = replace(WORKER, running=0, seen_at=NOW + MINUTE)
        await rig.register.check_in(later)
        assert await workers(rig) == [later]

    async def test_one_that_checked_out_is_not_there_any_more(self, rig: RegisterRig) -> None:
        other = replace(WORKER, id="0c8e1a7f55d04b3b")
        await rig.register.check_in(WORKER)
        await rig.other.check_in(other)
        await rig.register.check_out(WORKER.id)
        assert await workers(rig) == [other]
        await rig.register.check_out(WORKER.id)
        item = (await rig.items())[Key("workers", WORKER.id)]
        assert item == {"pk": "workers", "sk": WORKER.id, "schema": 1, "expiresAt": int(NOW.timestamp())}

    async def test_one_that_is_not_known_may_check_out_and_leaves_nothing(self, rig: RegisterRig) -> None:
        await rig.register.check_out("nobody")
        assert await rig.items() == {}

    async def test_one_that_died_is_told_of_for_a_day(self, rig: RegisterRig) -> None:
        await rig.register.check_in(WORKER)
        rig.clock.advance(timedelta(days=1))
        assert await workers(rig) == [WORKER]
        rig.clock.advance(timedelta(milliseconds=1))
        assert await workers(rig) == []
        item = (await rig.items())[Key("workers", WORKER.id)]
        assert item["expiresAt"] == int((NOW + timedelta(days=1)).timestamp())

    async def test_a_word_of_a_newer_version_is_refused_and_left_alone(self, rig: RegisterRig) -> None:
        await rig.register.check_in(WORKER)
        await rig.put((await rig.items())[Key("workers", WORKER.id)] | {"schema": 2})
        before = await rig.items()
        for attempt in (rig.register.check_in(WORKER), rig.register.check_out(WORKER.id), workers(rig)):
            with pytest.raises(Misconfigured, match="has schema 2"):
                await attempt
        assert await rig.items() == before


class TestPause:
    async def test_the_service_is_not_paused_at_first(self, rig: RegisterRig) -> None:
        assert await rig.register.paused() is None
        assert await rig.register.resume() is False
        assert await rig.items() == {}

    async def test_a_pause_is_told_of_until_somebody_resumes(self, rig: RegisterRig) -> None:
        await rig.register.pause(PAUSE)
        assert await rig.other.paused() == PAUSE
        assert await rig.other.resume() is True
        assert await rig.register.paused() is None
        assert await rig.register.resume() is False

    async def test_a_pause_replaces_the_one_before(self, rig: RegisterRig) -> None:
        await rig.register.pause(PAUSE)
        other = Pause(by="local user maria", reason="", at=NOW + MINUTE)
        await rig.other.pause(other)
        assert await rig.register.paused() == other

    async def test_it_can_be_paused_again(self, rig: RegisterRig) -> None:
        for _ in range(2):
            await rig.register.pause(PAUSE)
            assert await rig.register.paused() == PAUSE
            assert await rig.register.resume() is True

    async def test_of_two_that_resume_at_once_one_did_it(self, rig: RegisterRig) -> None:
        await rig.register.pause(PAUSE)
        assert sorted(await asyncio.gather(rig.register.resume(), rig.other.resume())) == [False, True]

    async def test_a_pause_of_a_newer_version_is_refused_and_left_alone(self, rig: RegisterRig) -> None:
        await rig.register.pause(PAUSE)
        await rig.put((await rig.items())[Key("service", "pause")] | {"schema": 2})
        before = await rig.items()
        for attempt in (rig.register.pause(PAUSE), rig.register.resume(), rig.register.paused()):
            with pytest.raises(Misconfigured, match="has schema 2"):
                await attempt
        assert await rig.items() == before


class TestObjective:
    async def test_nothing_was_counted_at_first(self, rig: RegisterRig) -> None:
        assert await objective(rig) == []

    async def test_what_several_workers_count_adds_up(self, rig: RegisterRig) -> None:
        await rig.register.count_changes(DAY)
        more = ObjectiveDay(day=TODAY, target=300, changes=5, within=5, slowest=90.25)
        await rig.other.count_changes(more)
        await rig.register.count_changes(replace(more, failed=2, slowest=1200.0))
        assert await objective(rig) == [
            ObjectiveDay(day=TODAY, target=600, changes=22, within=20, failed=3, slowest=1200.0)
        ]

    async def test_counts_of_one_process_at_once_all_count(self, rig: RegisterRig) -> None:
        await asyncio.gather(*(rig.register.count_changes(DAY) for _ in range(5)))
        (day,) = await objective(rig)
        assert (day.changes, day.within, day.failed) == (60, 50, 5)

    async def test_the_target_and_the_slowest_only_grow(self, rig: RegisterRig) -> None:
        for target, slowest in ((600, 5.0), (900, 1.0), (300, 7.5)):
            await rig.register.count_changes(replace(DAY, target=target, slowest=slowest))
        assert [(day.target, day.slowest) for day in await objective(rig)] == [(900, 7.5)]

    async def test_days_are_told_of_newest_first_without_empty_ones(self, rig: RegisterRig) -> None:
        for back in (2, 0, 1):
            await rig.register.count_changes(replace(DAY, day=TODAY - timedelta(days=back)))
        await rig.other.count_changes(ObjectiveDay(day=TODAY + timedelta(days=1), target=600))
        assert [day.day for day in await objective(rig)] == [TODAY - timedelta(days=back) for back in (0, 1, 2)]

    async def test_a_day_is_kept_for_400_days(self, rig: RegisterRig) -> None:
        await rig.register.count_changes(DAY)
        (item,) = (await rig.items()).values()
        assert item["expiresAt"] == 1795219200 + 400 * 86_400
        rig.clock.advance(timedelta(days=399))
        assert await objective(rig) == [DAY]
        rig.clock.advance(timedelta(days=1))
        assert await objective(rig) == []

    async def test_a_day_of_a_newer_version_is_refused(self, rig: RegisterRig) -> None:
        await rig.register.count_changes(DAY)
        (item,) = (await rig.items()).values()
        await rig.put(item | {"schema": 2})
        for attempt in (rig.register.count_changes(DAY), objective(rig)):
            with pytest.raises(Misconfigured, match="has schema 2"):
                await attempt
