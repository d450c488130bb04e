"""A place with more functions than are looked up at once."""

import gc
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.coverage import Coverage, CoverageState
from hub.standing import Standing
from hub.sweep import verdicts
from hub.sweep.decision import Listed, Rules, Verdict, decide
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot
from tests.hub.sweep.rig import PROFILE, Rig, covered, function, snapshot
from tests.virtual_time import run
from worker.memory.clock import START

TAG = {"QualysScanExclude": "true"}
BY_TAG = "it is tagged QualysScanExclude"
HOUR = timedelta(hours=1)


def named(number: int) -> FunctionArn:
    return function(f"function-{number:05}")


def in_state(one: FunctionSnapshot, state: CoverageState, *, age: timedelta, reason: str = "") -> Coverage:
    at = START - age
    return Coverage(
        function=one.arn,
        state=state,
        reason=reason,
        at=at,
        as_of=one.last_modified,
        fingerprint=one.fingerprint,
        queued_at=at if state is CoverageState.PENDING else None,
    )


def known(one: FunctionSnapshot, kind: str) -> Coverage | None:
    """What the ledger has of a function, by the name of its case."""
    cases = {
        "unknown": None,
        "fresh": covered(one),
        "stale": covered(one, fresh_until=START - HOUR),
        "waiting": in_state(one, CoverageState.PENDING, age=HOUR),
        "lost": in_state(one, CoverageState.PENDING, age=timedelta(days=3)),
        "failed": in_state(one, CoverageState.FAILED, age=HOUR),
        "by tag": in_state(one, CoverageState.EXCLUDED, age=HOUR, reason=BY_TAG),
        "by tag long ago": in_state(one, CoverageState.EXCLUDED, age=timedelta(days=3), reason=BY_TAG),
        "by name": in_state(one, CoverageState.EXCLUDED, age=HOUR, reason="the name matches left-*"),
    }
    return cases[kind]


KINDS = ("unknown", "fresh", "stale", "waiting", "lost", "failed", "by tag", "by tag long ago", "by name")
LEFT_ALONE = ("fresh", "waiting", "failed")


class Mixture:
    """A place with functions of many kinds, in an order by chance, and what must become of each."""

    def __init__(self, seed: int, kinds: Sequence[str], **settings: Any) -> None:
        rng = random.Random(seed)  # noqa: S311  # the same each time
        self.rig = Rig(exclude_functions="left-*", **settings)
        self.kinds: dict[FunctionArn, str] = {}
        self.tagged: set[FunctionArn] = set()
        for number in range(60):
            is_left_out = rng.random() < 0.1
            arn = function(f"left-{number:03}") if is_left_out else named(number)
            self.kinds[arn] = rng.choice(kinds)
            if rng.random() < 0.3:
                self.tagged.add(arn)
        order = list(self.kinds)
        rng.shuffle(order)
        for arn in order:
            self.rig.has(arn, tags=TAG if arn in self.tagged else {})

    async def knows(self) -> None:
        """The ledger knows each as its kind says."""
        before = [known(snapshot(arn), kind) for arn, kind in self.kinds.items()]
        await self.rig.knows(*(one for one in before if one is not None))

    async def expected(self) -> dict[FunctionArn, Verdict]:
        """By the rule itself: all of the place decided at once."""
        standings = await self.rig.ledger.standings(list(self.kinds))
        rules = Rules(settings=self.rig.settings, profile_id=PROFILE)

        def all_by(names: set[FunctionArn] | None) -> dict[FunctionArn, Verdict]:
            return {
                arn: decide(
                    Listed.of(snapshot(arn)),
                    standings.get(arn),
                    rules,
                    tagged=None if names is None else arn in names,
                    now=START + timedelta(minutes=1),
                ).verdict
                for arn in self.kinds
            }

        first = all_by(None)
        is_due = Verdict.QUEUE in first.values() or any(rules.is_by_tag(one) for one in standings.values())
        return all_by(self.tagged) if is_due or self.rig.settings.sweep_all_tags else first


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize("settings", [{}, {"sweep_all_tags": True}], ids=["", "all tags"])
@pytest.mark.parametrize("kinds", [KINDS, LEFT_ALONE, (*LEFT_ALONE, "by tag"), ("fresh",)], ids=len)
@pytest.mark.parametrize("seed", range(3))
def test_what_becomes_of_each_does_not_hang_on_order_or_chunks(
    monkeypatch: pytest.MonkeyPatch, seed: int, kinds: Sequence[str], settings: dict[str, bool], chunk: int
) -> None:
    monkeypatch.setattr(verdicts, "CHUNK", chunk)

    async def main() -> None:
        place = Mixture(seed, kinds, **settings)
        await place.knows()
        expected = await place.expected()
        report = await place.rig.sweep()
        by_verdict = Counter(expected.values())
        counts = report.counts
        assert (counts.functions, counts.fresh, counts.waiting, counts.excluded, counts.due) == (
            60,
            *(by_verdict[one] for one in (Verdict.FRESH, Verdict.WAITING, Verdict.EXCLUDED, Verdict.QUEUE)),
        )
        assert place.rig.queued == sorted(str(arn) for arn, verdict in expected.items() if verdict is Verdict.QUEUE)
        for arn, verdict in expected.items():
            if verdict is Verdict.EXCLUDED:
                now = await place.rig.coverage(arn)
                assert (now.state, now.reason) == (
                    CoverageState.EXCLUDED,
                    "the name matches left-*" if arn.name.startswith("left-") else BY_TAG,
                )
        again = await place.rig.sweep()
        assert again.counts.due == 0
        assert again.counts.excluded == counts.excluded
        first_replaced = place.rig.calls.made["replace"]
        await place.rig.sweep()
        assert place.rig.calls.made["replace"] == first_replaced, "what is known is not written again"

    run(main())


def test_a_dry_run_writes_nothing_and_counts_the_same() -> None:
    async def main() -> None:
        place = Mixture(4, KINDS)
        await place.knows()
        planned = await place.rig.sweep(dry_run=True)
        assert place.rig.calls.made["replace"] == 0
        swept = await place.rig.sweep()
        assert replace(planned.counts, calls=0, queued={}) == replace(swept.counts, calls=0, queued={})
        assert place.rig.calls.made["replace"] > 0

    run(main())


async def large(rig: Rig, count: int) -> list[FunctionSnapshot]:
    there = rig.has(*map(named, range(count)))
    await rig.knows(*map(covered, there))
    return there


def test_of_a_large_place_only_what_carries_the_tag_is_looked_up_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "CHUNK", 200)

    async def main() -> None:
        rig = Rig()
        await large(rig, 500)
        rig.has(function("new"))
        tagged = [named(3), named(480)]
        rig.has(*tagged, tags=TAG)
        report = await rig.sweep()
        assert (report.counts.functions, report.counts.fresh, report.counts.excluded) == (501, 498, 2)
        assert await rig.states(tagged) == [CoverageState.EXCLUDED] * 2
        assert (await rig.coverage(tagged[0])).last_good is not None
        assert rig.queued == [str(function("new"))]
        assert rig.calls.made["standings"] == 6 + 1

    run(main())


def test_of_a_large_place_no_more_than_a_chunk_is_known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "CHUNK", 200)

    async def main() -> None:
        rig = Rig()
        await large(rig, 1000)
        alive: list[int] = []

        def count() -> None:
            alive.append(sum(type(one) is Standing for one in gc.get_objects()))

        rig.calls.before["standings"] = count
        report = await rig.sweep()
        assert report.counts.fresh == 1000
        assert len(alive) == 10
        assert max(alive) <= 2 * verdicts.CHUNK, "one at work, one about to be forgotten"

    run(main())


def test_the_second_look_is_the_one_that_counts() -> None:
    async def main() -> None:
        rig = Rig()
        there = await large(rig, 3)
        rig.has(function("new"))
        rig.has(named(0), tags=TAG)
        scanned = replace(covered(there[0]), at=START + timedelta(seconds=30))
        rig.calls.before["tagged"] = lambda: rig.knows(scanned)
        rig.estate.on_call = rig.calls.of_place
        await rig.sweep()
        now = await rig.coverage(named(0))
        assert (now.state, now.reason) == (CoverageState.EXCLUDED, BY_TAG)

    run(main())


def test_a_word_that_comes_after_the_second_look_stands() -> None:
    async def main() -> None:
        rig = Rig()
        there = await large(rig, 3)
        rig.has(function("new"))
        rig.has(named(0), tags=TAG)
        scanned = replace(covered(there[0]), at=START + timedelta(seconds=30))
        looks: list[int] = []

        async def after_look() -> None:
            looks.append(1)
            if len(looks) == 2:
                await rig.knows(scanned)

        rig.calls.after["standings"] = after_look
        report = await rig.sweep()
        assert len(looks) == 2
        assert (await rig.coverage(named(0))).state is CoverageState.COVERED
        assert report.counts.excluded == 1

    run(main())
