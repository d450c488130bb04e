"""What becomes of all the functions of one place: looked up and decided some at a time, and of most little is kept.

Tags are asked for only where something turns out to be due, and by then most of the place is decided. Yet they hold for
all of it: what was left alone and carries the tag is looked up once more, which is seldom much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from hub.coverage import CoverageState
from hub.standing import Standing
from hub.sweep import wording
from hub.sweep.course import Course
from hub.sweep.decision import Decision, Listed, Verdict, decide
from hub.sweep.listing import Place
from hub.sweep.patience import AT_ONCE, in_tens, with_hub
from hub.sweep.silence import Question
from spoke.errors import Misconfigured, ScanhubError

log = structlog.get_logger()

CHUNK = 1000
"""Functions of a place of which all is known at once: ten calls' worth."""

EXCLUDED = Decision(Verdict.EXCLUDED)
"""Of what is written down: nobody asks for the reason any more."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One function.

    Attributes:
        listed: As it is.
        standing: What the ledger knew of it when it was looked up.
        decision: What becomes of it.
    """

    listed: Listed
    standing: Standing | None
    decision: Decision


async def settle(entries: Sequence[Listed], place: Place, course: Course) -> Sequence[Decided]:
    """Decide on every function of a place, count them, and write down who is left out.

    Returns:
        What is due, in the order of the list.

    Raises:
        Misconfigured: The ledger may not be used, or we have no credentials at all.
        Throttled, Unavailable: The ledger does not answer, in spite of patience.
    """
    verdicts = _Verdicts(entries, place, course)
    await verdicts.without_tags()
    if verdicts.are_tags_needed:
        names = await _names_tagged(place, course)
        if names is not None:
            await verdicts.with_tags(names)
    return verdicts.counted()


class _Verdicts:
    """On the functions of one place."""

    def __init__(self, entries: Sequence[Listed], place: Place, course: Course) -> None:
        self.are_tags_needed = bool(entries) and course.world.settings.sweep_all_tags
        self._entries = entries
        self._place = place
        self._course = course
        self._decisions: list[Decision] = []
        """For each entry; those that are alike are one object."""
        self._open: dict[int, Decided] = {}
        """By the entry's number: what somebody must act on, or what the tags may change for the better."""

    async def without_tags(self) -> None:
        """Everything, as far as it can be told without tags."""
        rules = self._course.rules
        for numbers in _chunks(range(len(self._entries))):
            left_out = []
            for number, one in zip(numbers, await self._decided(numbers, tagged=None), strict=True):
                is_by_tag = rules.is_by_tag(one.standing)
                self.are_tags_needed |= is_by_tag or one.decision.verdict is Verdict.QUEUE
                if one.decision.verdict is not Verdict.EXCLUDED:
                    self._decisions.append(one.decision)
                else:
                    self._decisions.append(EXCLUDED)
                    left_out.append(one)
                if one.decision.verdict is Verdict.QUEUE or (is_by_tag and _is_known(one)):
                    self._open[number] = one
            await self._exclude(left_out)

    async def with_tags(self, names: frozenset[str]) -> None:
        """Everything anew that the tags have a say in.

        Args:
            names: The functions that carry the excluding tag.
        """
        now = self._course.world.clock.now()
        for number, before in self._open.items():
            tagged = before.listed.function.name in names
            decision = decide(before.listed, before.standing, self._course.rules, tagged=tagged, now=now)
            self._decisions[number] = decision
            self._open[number] = replace(before, decision=decision)
        await self._exclude([one for one in self._open.values() if one.decision.verdict is Verdict.EXCLUDED])
        left_alone = [
            number
            for number, one in enumerate(self._entries)
            if one.function.name in names and self._decisions[number].verdict in {Verdict.FRESH, Verdict.WAITING}
        ]
        for numbers in _chunks(left_alone):
            await self._exclude(await self._decided(numbers, tagged=True))
            for number in numbers:
                self._decisions[number] = EXCLUDED

    def counted(self) -> Sequence[Decided]:
        """Count each in the account's tally. Returns what is due."""
        for decision in self._decisions:
            self._place.tally.decided(decision)
        return [one for one in self._open.values() if one.decision.verdict is Verdict.QUEUE]

    async def _decided(self, numbers: Sequence[int], *, tagged: bool | None) -> Sequence[Decided]:
        entries = [self._entries[number] for number in numbers]
        standings = await with_hub(partial(self._course.lookups.ask, [one.function for one in entries]))
        now = self._course.world.clock.now()
        found = []
        for one in entries:
            standing = standings.get(one.function)
            found.append(Decided(one, standing, decide(one, standing, self._course.rules, tagged=tagged, now=now)))
        return found

    async def _exclude(self, left_out: Sequence[Decided]) -> None:
        """Write down who is left out, where that is not known yet. What a worker has written meanwhile stands."""
        if self._course.plan is not None:
            return
        unknown = [one for one in left_out if not _is_known(one)]
        for start in range(0, len(unknown), AT_ONCE):
            now = self._course.world.clock.now()
            writes = [
                partial(
                    self._course.world.ledger.replace,
                    wording.excluded(one.listed, one.standing, one.decision.reason, now),
                    seen=one.standing,
                )
                for one in unknown[start : start + AT_ONCE]
            ]
            self._place.tally.calls += len(writes)
            await in_tens(writes)


def _chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]


def _is_known(one: Decided) -> bool:
    """Whether the ledger says already that it is excluded, and for this reason."""
    return (
        one.decision.verdict is Verdict.EXCLUDED
        and one.standing is not None
        and one.standing.state is CoverageState.EXCLUDED
        and one.standing.reason == one.decision.reason
    )


async def _names_tagged(place: Place, course: Course) -> frozenset[str] | None:
    """The names of the excluded; None where nobody can tell: then it is for the worker to see."""
    place.tally.calls += 1
    ask = partial(course.world.estate.excluded, place.account, place.region, course.world.settings.exclusion_tag)
    try:
        return await course.silence.answer(Question.TAGS, place.account, place.region, place.slot, ask)
    except Misconfigured:
        raise
    except ScanhubError as error:
        _log_untagged(place, error, course)
    await place.slot.regain()
    return None


def _log_untagged(place: Place, error: ScanhubError, course: Course) -> None:
    if place.account in course.untagged:
        return
    course.untagged.add(place.account)
    log.warning(
        "tags not listed",
        account=place.account,
        region=place.region,
        reason=error.text,
        consequence="functions that are excluded by their tag are queued, and left out by the worker",
    )
