"""What is DynamoDB's alone: answers that are lost, refusals that explain nothing, real parallel writes."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from hub.ledger_schema import Key
from hub.ledger_wire import wire_item
from hub.register import DynamoRegister
from hub.service_notes import ObjectiveDay, Pause
from hub.sweeps import AccountClaimed, AccountDone, AccountHeld, ScopeNote
from spoke.errors import Throttled, Unavailable
from tests import virtual_time
from tests.hub.dynamodb_answers import Answers, cancelled, refusal, twice
from tests.ledger_rig import TABLE
from tests.ledger_samples import HOUR, MINUTE, NOW
from tests.register_rig import CLAIM, DAY, NARROW, OUTCOME, PAYMENTS, WHOLE, DynamoRegisterRig, begun, claimed

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

TODAY = ObjectiveDay(day=date(2026, 11, 21), target=600, changes=12, within=10, failed=1, slowest=731.5)


@pytest.fixture
def rig(client: "DynamoDBClient") -> DynamoRegisterRig:
    return DynamoRegisterRig(client)


def lose_answers(client: "DynamoDBClient", patch: pytest.MonkeyPatch) -> None:
    """botocore sends everything twice from now on: the first answer never comes."""
    patch.setattr(client, "update_item", twice(client.update_item))
    patch.setattr(client, "transact_write_items", twice(client.transact_write_items))


class TestLostAnswers:
    async def test_a_claim_is_still_ours(
        self, rig: DynamoRegisterRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = await begun(rig)
        lose_answers(client, monkeypatch)
        claim = await claimed(rig, run)
        held = await rig.other.claim_account(run, PAYMENTS, now=NOW, duration=CLAIM)
        assert isinstance(held, AccountHeld)
        await rig.register.renew_account(claim, now=NOW, duration=CLAIM)

    async def test_a_run_is_begun_once_and_finished(
        self, rig: DynamoRegisterRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lose_answers(client, monkeypatch)
        run = await begun(rig)
        assert [one.id async for one in rig.register.sweeps()] == [run.id]
        await rig.register.finish_sweep(run, OUTCOME.counts, accounts=12, now=NOW + HOUR)
        assert [one.finished_at async for one in rig.register.sweeps()] == [NOW + HOUR]
        assert (await begun(rig)).id != run.id

    async def test_an_account_is_completed_once(
        self, rig: DynamoRegisterRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = await begun(rig)
        claim = await claimed(rig, run)
        lose_answers(client, monkeypatch)
        await rig.register.complete_account(claim, OUTCOME, now=NOW)
        assert await rig.other.claim_account(run, PAYMENTS, now=NOW, duration=CLAIM) == AccountDone(
            account=PAYMENTS, outcome=OUTCOME
        )

    async def test_who_resumed_is_told_that_it_was_paused(
        self, rig: DynamoRegisterRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await rig.register.pause(Pause(by="anna", reason="", at=NOW))
        with monkeypatch.context() as lost:
            lose_answers(client, lost)
            assert await rig.register.resume() is True
        assert await rig.register.resume() is False

    async def test_changes_count_once(
        self, rig: DynamoRegisterRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as lost:
            lose_answers(client, lost)
            await rig.register.count_changes(TODAY)
        assert [day async for day in rig.register.objective()] == [TODAY]

    async def test_changes_that_could_not_be_counted_count_once_with_the_next(
        self, rig: DynamoRegisterRig, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They were written, and the connection broke before the answer; the caller counts them again."""
        await rig.register.count_changes(TODAY)
        write = client.update_item

        async def written_and_lost(**request: Any) -> None:
            await write(**request)
            raise refusal("InternalServerError")

        with monkeypatch.context() as lost:
            lost.setattr(client, "update_item", written_and_lost)
            with pytest.raises(Unavailable):
                await rig.register.count_changes(TODAY)
        more = replace(TODAY, changes=15, within=11, failed=3)
        await rig.register.count_changes(more)
        (day,) = [one async for one in rig.register.objective()]
        assert (day.changes, day.within, day.failed) == (27, 21, 4)


@pytest.mark.usefixtures("atomic")
class TestParallel:
    async def test_of_many_claims_at_once_exactly_one_wins(self, rig: DynamoRegisterRig) -> None:
        run, narrow = await begun(rig), await begun(rig, NARROW)
        for number in range(5):
            claims = await asyncio.gather(
                *(
                    register.claim_account(of, f"{number:012}", now=NOW, duration=CLAIM)
                    for register in (rig.register, rig.other)
                    for of in (run, narrow)
                    for _ in range(3)
                )
            )
            assert len([one for one in claims if isinstance(one, AccountClaimed)]) == 1

    async def test_a_completion_and_the_claim_that_takes_over_cannot_both_win(self, rig: DynamoRegisterRig) -> None:
        run = await begun(rig)
        late = NOW + CLAIM + MINUTE
        for number in range(5):
            account = f"{number:012}"
            stalled = await claimed(rig, run, account)
            _, taken = await asyncio.gather(
                rig.register.complete_account(stalled, OUTCOME, now=late),
                rig.other.claim_account(run, account, now=late, duration=CLAIM),
            )
            notes = {one.account: one async for one in rig.register.accounts()}
            assert isinstance(taken, AccountClaimed) is (notes[account].swept_at is None)


def answered(*answers: Any) -> tuple[DynamoRegister, Answers]:
    client: Any = Answers(*answers)
    return DynamoRegister(client, TABLE), client


class TestRefusals:
    def test_a_claim_refused_by_an_item_that_explains_nothing_is_tried_again_later(self) -> None:
        register, _ = answered({}, refusal("ConditionalCheckFailedException"))

        async def claim() -> None:
            run = await register.begin_sweep(WHOLE, now=NOW, adopt_within=DAY)
            await register.claim_account(run, PAYMENTS, now=NOW, duration=CLAIM)

        with pytest.raises(Throttled, match="without a reason"):
            virtual_time.run(claim())

    def test_a_beginning_refused_by_an_item_that_explains_nothing_is_tried_again_later(self) -> None:
        register, _ = answered(cancelled("ConditionalCheckFailed", "None"))
        with pytest.raises(Throttled, match="without a reason"):
            virtual_time.run(register.begin_sweep(WHOLE, now=NOW, adopt_within=DAY))

    def test_an_open_run_whose_item_is_missing_is_adopted_all_the_same(self) -> None:
        left = wire_item(
            {"pk": "open-sweeps", "sk": WHOLE.id, "schema": 1, "runId": "a-run", "startedAt": 1795253415250}
        )
        register, client = answered(cancelled("ConditionalCheckFailed", "None", items={0: left}))

        async def nothing(**_: object) -> Any:  # noqa: ANN401  # as the client's own method
            return {}

        client.get_item = nothing  # type: ignore[attr-defined]  # the double has it only here
        run = virtual_time.run(register.begin_sweep(WHOLE, now=NOW, adopt_within=DAY))
        assert (run.id, run.started_at, run.whole_scope_id) == ("a-run", NOW, WHOLE.id)
        assert run.scope == ScopeNote.of(WHOLE)


async def test_without_a_clock_of_its_own_it_goes_by_the_machines(client: "DynamoDBClient") -> None:
    register = DynamoRegister(client, TABLE)
    now = datetime.now(UTC)
    for back in (0, 89, 91):
        run = await register.begin_sweep(WHOLE, now=now - timedelta(days=back), adopt_within=DAY)
        with suppress(ClientError):
            await register.finish_sweep(run, OUTCOME.counts, accounts=1, now=now)
    assert len([one async for one in register.sweeps()]) == 2


async def test_the_items_lie_beside_the_functions_and_in_no_index(
    rig: DynamoRegisterRig, client: "DynamoDBClient"
) -> None:
    await claimed(rig, await begun(rig))
    await rig.register.pause(Pause(by="anna", reason="", at=NOW))
    await rig.register.count_changes(TODAY)
    assert {key.pk for key in await rig.items()} == {"accounts", "sweeps", "open-sweeps", "service", "objective"}
    assert Key("service", "pause") in await rig.items()
    for index in ("by-state", "by-account"):
        assert (await client.scan(TableName=TABLE, IndexName=index))["Items"] == []
