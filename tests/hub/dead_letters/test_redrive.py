"""What is sent back, in which order, how fast, and what becomes of it when something fails."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import pytest
from aiobotocore.session import AioSession

from hub.dead_letters.holding import hold
from hub.dead_letters.message import ParkedMessage
from hub.dead_letters.redrive import Fate, Outcome, Plan, Step, plan, redrive
from hub.message import Source
from spoke.changes import Change, ChangeKind
from spoke.errors import ScanhubError, Throttled, Unavailable
from spoke.events import read
from tests import virtual_time
from tests.dead_letters_rig import ACCOUNT, FUNCTION, DlqRig, change, dlq_rig, parked, parking
from worker.memory.clock import START

CRASHED = parked(1)
BROKEN = parked(2, "not_json", body="{", function="")
OWED = parked(3, "effects_owed")
ALL = [OWED, BROKEN, CRASHED]


def steps(plans: Sequence[Plan]) -> list[tuple[ParkedMessage, Step]]:
    return [(one.parked, one.step) for one in plans]


class TestPlan:
    def test_what_would_be_parked_again_or_costs_a_scan_is_skipped_with_the_reason(self) -> None:
        plans = plan(ALL)
        assert steps(plans) == [(CRASHED, Step.SEND), (BROKEN, Step.SKIP), (OWED, Step.SKIP)]
        assert [one.why for one in plans] == [
            "",
            "it would be parked again; its id or --all-the-same sends it",
            "its result is stored; it would cost a scan: --reason effects_owed or its id asks",
        ]

    @pytest.mark.parametrize(
        "insisting", [{"all_the_same": True}, {"named_ids": {BROKEN.id, OWED.id}}], ids=["all the same", "by id"]
    )
    def test_who_insists_gets_it(self, insisting: dict[str, Any]) -> None:
        assert steps(plan(ALL, **insisting)) == [(CRASHED, Step.SEND), (BROKEN, Step.SEND), (OWED, Step.FORCE)]

    def test_a_reason_that_is_named_asks_for_the_forced_scan_but_not_for_what_is_of_no_use(self) -> None:
        named: Collection[str] = {"effects_owed", "not_json"}
        assert steps(plan(ALL, named_reasons=named))[1:] == [(BROKEN, Step.SKIP), (OWED, Step.FORCE)]

    def test_owed_effects_of_nobody_knows_whom_cannot_be_made_up_for(self) -> None:
        nobodys = parked(1, "effects_owed", body="{", function="")
        (only,) = plan([nobodys], all_the_same=True)
        assert (only.step, only.why) == (Step.SKIP, "it names no function that could be scanned")


class Held:
    def __init__(self, *, undeletable: Collection[str] = (), lost: Collection[str] = ()) -> None:
        self.undeletable = undeletable
        self.lost = lost
        self.deleted: list[str] = []
        self.error: ScanhubError | None = None

    def has(self, one: ParkedMessage) -> bool:
        return one.id not in self.lost

    async def delete(self, messages: Sequence[ParkedMessage]) -> list[ParkedMessage]:
        if self.error is not None:
            raise self.error
        self.deleted += [one.id for one in messages if one.id not in self.undeletable]
        return [one for one in messages if one.id in self.undeletable]


class Queue:
    def __init__(self, *errors: ScanhubError | None) -> None:
        self.errors = list(errors)
        self.sent: list[tuple[str, str, float]] = []

    async def send(self, body: str, *, group: str) -> None:
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        self.sent.append((body, group, asyncio.get_running_loop().time()))


def run(plans: Sequence[Plan], held: Held, queue: Queue, *, rate: float = 10) -> list[Outcome]:
    outcomes: list[Outcome] = []
    holding: Any = held
    virtual_time.run(redrive(plans, holding, {Source.CHANGES: queue}, rate=rate, told=outcomes.append))
    return outcomes


class TestRedrive:
    def test_each_goes_back_in_order_in_the_group_of_its_account(self) -> None:
        messages = [parked(number, body=change(f"function-{number}")) for number in (3, 1, 2)]
        held, queue = Held(), Queue()
        outcomes = run(plan(messages), held, queue)
        assert [one.fate for one in outcomes] == [Fate.REDRIVEN] * 3
        assert [(body, group) for body, group, _ in queue.sent] == [
            (change(f"function-{number}"), ACCOUNT) for number in (1, 2, 3)
        ]
        assert held.deleted == [one.id for one in sorted(messages, key=lambda one: one.order)]

    @pytest.mark.parametrize(("rate", "pause"), [(10, 0.1), (0.5, 2.0)])
    def test_the_rate_is_even_and_begins_without_a_burst(self, rate: float, pause: float) -> None:
        queue = Queue()
        run(plan([parked(number) for number in range(1, 6)]), Held(), queue, rate=rate)
        times = [at for _, _, at in queue.sent]
        assert [later - earlier for earlier, later in itertools.pairwise(times)] == pytest.approx([pause] * 4)

    def test_owed_effects_become_a_request_for_a_forced_scan(self) -> None:
        queue = Queue()
        run(plan([OWED], all_the_same=True), Held(), queue)
        ((body, group, _),) = queue.sent
        request = read(body)
        assert isinstance(request, Change)
        assert (request.kind, str(request.function), request.force, request.reason) == (
            ChangeKind.REQUESTED,
            FUNCTION,
            True,
            "manual",
        )
        assert group == ACCOUNT

    def test_what_names_no_account_has_a_group_all_the_same(self) -> None:
        queue = Queue()
        run(plan([BROKEN], all_the_same=True), Held(), queue)
        assert [(body, group) for body, group, _ in queue.sent] == [("{", "unknown")]

    def test_what_could_not_be_sent_stays_parked(self) -> None:
        held, queue = Held(), Queue(Throttled("sending: RequestThrottled"))
        outcomes = run(plan([parked(1), parked(2)]), held, queue)
        assert [(one.fate, one.why) for one in outcomes] == [
            (Fate.FAILED, "sending: RequestThrottled"),
            (Fate.REDRIVEN, ""),
        ]
        assert held.deleted == [parked(2).id]

    def test_what_was_sent_and_not_deleted_is_told_to_be_there_twice(self) -> None:
        held = Held(undeletable={parked(1).id})
        assert [one.fate for one in run(plan([parked(1)]), held, Queue())] == [Fate.TWICE]
        held.error = Unavailable("deleting: no connection")
        (only,) = run(plan([parked(1)]), held, Queue())
        assert (only.fate, only.why) == (Fate.TWICE, "deleting: no connection")

    def test_what_somebody_else_may_have_by_now_is_not_sent(self) -> None:
        queue = Queue()
        (only,) = run(plan([parked(1)]), Held(lost={parked(1).id}), queue)
        assert only.fate is Fate.FAILED
        assert queue.sent == []

    def test_a_queue_that_is_not_there_fails_its_messages(self) -> None:
        (only,) = run(plan([parked(1, source=Source.SWEEP)]), Held(), Queue())
        assert (only.fate, only.why) == (Fate.FAILED, "there is no queue sweep to send it to")

    def test_an_interrupt_between_sending_and_deleting_waits_for_the_deletion(self) -> None:
        class Slow(Held):
            async def delete(self, messages: Sequence[ParkedMessage]) -> list[ParkedMessage]:
                await asyncio.sleep(3)
                return await super().delete(messages)

        held, queue = Slow(), Queue()
        holding: Any = held
        outcomes: list[Outcome] = []

        async def interrupted() -> None:
            plans = plan([parked(1), parked(2)])
            async with asyncio.timeout(1):
                await redrive(plans, holding, {Source.CHANGES: queue}, rate=10, told=outcomes.append)

        with pytest.raises(TimeoutError):
            virtual_time.run(interrupted())
        assert [one.fate for one in outcomes] == [Fate.REDRIVEN]
        assert (len(queue.sent), held.deleted) == (1, [parked(1).id])

    def test_five_failures_in_a_row_end_it_and_the_rest_is_not_tried(self) -> None:
        refused = Unavailable("sending: no connection")
        queue = Queue(refused, refused, None, *[refused] * 5)
        outcomes = run(plan([parked(number) for number in range(1, 12)]), Held(), queue)
        assert len(queue.sent) == 1
        assert [one.fate for one in outcomes].count(Fate.REDRIVEN) == 1
        assert [one.why for one in outcomes[3:8]] == [refused.text] * 5
        assert [one.why for one in outcomes[8:]] == ["not tried: 5 before it failed"] * 3


@pytest.fixture
async def rig(aws: AioSession, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DlqRig]:
    # moto's short poll sees everything.
    monkeypatch.setattr("hub.dead_letters.holding.WAIT_SECONDS", 0)
    async with dlq_rig(aws) as rig:
        yield rig


async def test_on_sqs_the_body_goes_back_as_it_was_and_leaves_the_dead_letter_queue(rig: DlqRig) -> None:
    await rig.park(change("late"), parking(at=START.replace(hour=9)))
    await rig.park(change("early"), parking(at=START.replace(hour=8)))
    await rig.park("{", parking("not_json", function=""))
    async with hold([rig.dead_letters]) as holding:
        plans = plan(holding.messages)
        outcomes: list[Outcome] = []
        await redrive(plans, holding, {Source.CHANGES: rig.queue}, rate=100, told=outcomes.append)
    assert [one.fate for one in outcomes] == [Fate.REDRIVEN] * 2
    assert await rig.sent() == [(change("early"), ACCOUNT), (change("late"), ACCOUNT)]
    assert await rig.visible() == 1
    assert json.loads(outcomes[0].parked.message.body)["account"] == ACCOUNT
