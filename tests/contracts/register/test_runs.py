"""Runs of sweeps: who begins one, who joins it, how far it is, when it is over."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.ledger_schema import Key
from hub.sweeps import Named, ScopeNote, SweepCounts, SweepRun
from spoke.errors import Misconfigured
from tests.ledger_samples import HOUR, MINUTE, NOW, SECOND
from tests.register_rig import DAY, NARROW, OUTCOME, WHOLE, RegisterRig, begun

COUNTS = OUTCOME.counts


async def listed(rig: RegisterRig) -> list[SweepRun]:
    return [one async for one in rig.register.sweeps()]


async def test_a_run_begins_now(rig: RegisterRig) -> None:
    run = await begun(rig)
    assert run == SweepRun(
        id=run.id, scope_id=WHOLE.id, whole_scope_id=WHOLE.id, started_at=NOW, scope=ScopeNote.of(WHOLE)
    )
    assert run.id.startswith("20261121T093015250Z-")
    assert await listed(rig) == [run]


async def test_of_many_that_begin_at_once_one_run_comes(rig: RegisterRig) -> None:
    runs = await asyncio.gather(
        *(
            (rig.register, rig.other)[number % 2].begin_sweep(WHOLE, now=NOW + number * SECOND, adopt_within=DAY)
            for number in range(6)
        )
    )
    assert len({run.id for run in runs}) == 1
    assert [one.id for one in await listed(rig)] == [runs[0].id]


async def test_an_unfinished_run_is_adopted_with_its_counts(rig: RegisterRig) -> None:
    run = await begun(rig)
    await rig.register.note_sweep(run, COUNTS, accounts=12, now=NOW + MINUTE)
    adopted = await rig.other.begin_sweep(WHOLE, now=NOW + DAY, adopt_within=DAY)
    assert adopted == replace(run, counts=COUNTS, accounts=12, at=NOW + MINUTE)


async def test_one_that_began_too_long_ago_is_not(rig: RegisterRig) -> None:
    run = await begun(rig)
    now = NOW + DAY + timedelta(milliseconds=1)
    new = await rig.other.begin_sweep(WHOLE, now=now, adopt_within=DAY)
    assert (new.id != run.id, new.started_at) == (True, now)
    assert (await rig.register.begin_sweep(WHOLE, now=now + MINUTE, adopt_within=DAY)).id == new.id


async def test_another_scope_has_a_run_of_its_own(rig: RegisterRig) -> None:
    whole, narrow = await begun(rig), await begun(rig, NARROW)
    assert whole.id != narrow.id
    assert (narrow.scope_id, narrow.whole_scope_id) == (NARROW.id, WHOLE.id)


async def test_what_a_run_is_of_is_told_to_whoever_looks_on_and_whoever_joins(rig: RegisterRig) -> None:
    scope = replace(NARROW, regions=("us-east-1", "eu-central-1"), exclude=("legacy-*",))
    run = await begun(rig, scope)
    joined = await rig.other.begin_sweep(scope, now=NOW + MINUTE, adopt_within=DAY)
    await rig.other.finish_sweep(joined, COUNTS, accounts=1, now=NOW + HOUR)
    (shown,) = await listed(rig)
    for one in (run, joined, shown):
        assert one.scope == ScopeNote(
            accounts=Named(number=1, first=NARROW.accounts),
            regions=Named(number=2, first=("eu-central-1", "us-east-1")),
            exclude=Named(number=1, first=("legacy-*",)),
        )
        assert not one.is_full


async def test_of_a_run_that_an_older_version_began_only_the_ids_are_known(rig: RegisterRig) -> None:
    for scope, is_full in ((WHOLE, True), (NARROW, False)):
        run = await begun(rig, scope)
        item = dict((await rig.items())[Key("sweeps", run.id)])
        del item["scope"]
        await rig.put(item)
        joined = await rig.other.begin_sweep(scope, now=NOW, adopt_within=DAY)
        assert (joined.scope, joined.is_full) == (None, is_full)
        await rig.other.finish_sweep(joined, COUNTS, accounts=12, now=NOW + HOUR)
        assert {one.id: one.is_full for one in await listed(rig)}[run.id] == is_full


async def test_after_its_end_the_scope_begins_anew(rig: RegisterRig) -> None:
    run = await begun(rig)
    await rig.register.finish_sweep(run, COUNTS, accounts=12, now=NOW + HOUR)
    rig.clock.advance(2 * HOUR)
    new = await begun(rig)
    assert await listed(rig) == [
        new,
        replace(run, finished_at=NOW + HOUR, counts=COUNTS, accounts=12, at=NOW + HOUR),
    ]


async def test_two_that_see_the_end_finish_it_once(rig: RegisterRig) -> None:
    run = await begun(rig)
    await rig.register.finish_sweep(run, COUNTS, accounts=12, now=NOW + HOUR)
    await rig.other.finish_sweep(run, COUNTS, accounts=12, now=NOW + HOUR + SECOND)
    (shown,) = await listed(rig)
    assert shown.finished_at == NOW + HOUR


async def test_who_finishes_late_does_not_end_the_run_after(rig: RegisterRig) -> None:
    run = await begun(rig)
    await rig.register.finish_sweep(run, COUNTS, accounts=12, now=NOW + HOUR)
    rig.clock.advance(2 * HOUR)
    new = await begun(rig)
    await rig.other.finish_sweep(run, COUNTS, accounts=12, now=NOW + 2 * HOUR)
    assert (await begun(rig)).id == new.id


async def test_a_run_that_another_has_replaced_can_still_be_finished(rig: RegisterRig) -> None:
    run = await begun(rig)
    rig.clock.advance(DAY + MINUTE)
    new = await begun(rig)
    await rig.other.finish_sweep(run, COUNTS, accounts=12, now=rig.clock.now())
    assert [one.finished_at for one in await listed(rig)] == [None, rig.clock.now()]
    assert (await begun(rig)).id == new.id


async def test_the_newest_word_on_a_run_stands(rig: RegisterRig) -> None:
    run = await begun(rig)
    await rig.register.note_sweep(run, COUNTS, accounts=12, now=NOW + 2 * MINUTE)
    await rig.other.note_sweep(run, SweepCounts(), accounts=0, now=NOW + MINUTE)
    (shown,) = await listed(rig)
    assert (shown.counts, shown.accounts, shown.at) == (COUNTS, 12, NOW + 2 * MINUTE)


async def test_after_the_end_no_word_changes_it(rig: RegisterRig) -> None:
    run = await begun(rig)
    await rig.register.finish_sweep(run, COUNTS, accounts=12, now=NOW + HOUR)
    before = await rig.items()
    await rig.other.note_sweep(run, SweepCounts(), accounts=12, now=NOW + 2 * HOUR)
    assert await rig.items() == before


async def test_the_end_stands_whatever_a_faster_clock_has_noted(rig: RegisterRig) -> None:
    run = await begun(rig)
    await rig.other.note_sweep(run, SweepCounts(functions=1), accounts=12, now=NOW + HOUR + 9 * SECOND)
    await rig.register.finish_sweep(run, COUNTS, accounts=12, now=NOW + HOUR)
    (shown,) = await listed(rig)
    assert (shown.finished_at, shown.counts) == (NOW + HOUR, COUNTS)


async def test_runs_are_told_of_for_ninety_days_the_newest_first(rig: RegisterRig) -> None:
    ids = []
    for _ in range(4):
        run = await begun(rig)
        ids.append(run.id)
        await rig.register.finish_sweep(run, COUNTS, accounts=12, now=rig.clock.now())
        rig.clock.advance(timedelta(days=30))
    assert [one.id for one in await listed(rig)] == ids[:0:-1]
    item = (await rig.items())[Key("sweeps", ids[0])]
    assert item["expiresAt"] == int((NOW + timedelta(days=90)).timestamp())


@pytest.mark.parametrize("pk", ["sweeps", "open-sweeps"])
async def test_what_a_newer_version_wrote_is_refused_and_left_alone(rig: RegisterRig, pk: str) -> None:
    run = await begun(rig)
    (item,) = [item for key, item in (await rig.items()).items() if key.pk == pk]
    await rig.put(item | {"schema": 2})
    before = await rig.items()
    for attempt in (
        rig.register.begin_sweep(WHOLE, now=NOW, adopt_within=DAY),
        rig.register.finish_sweep(run, COUNTS, accounts=12, now=NOW),
    ):
        with pytest.raises(Misconfigured, match="has schema 2"):
            await attempt
    assert await rig.items() == before


async def test_notes_on_a_run_of_a_newer_version_are_refused(rig: RegisterRig) -> None:
    run = await begun(rig)
    await rig.put((await rig.items())[Key("sweeps", run.id)] | {"schema": 2})
    for attempt in (rig.register.note_sweep(run, COUNTS, accounts=12, now=NOW), listed(rig)):
        with pytest.raises(Misconfigured, match="has schema 2"):
            await attempt
