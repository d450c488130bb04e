"""What is DynamoDB's alone: real parallel writes, and answers that are lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hub.coverage import CoverageState
from hub.ledger import DynamoLedger
from hub.scans import Claimed, Effect, Held
from spoke.errors import LeaseLost
from tests.hub.dynamodb_answers import twice
from tests.ledger_rig import TABLE, DynamoRig
from tests.ledger_samples import (
    CHECKOUT,
    FAILURE,
    KEY,
    LEASE,
    MESSAGE,
    MINUTE,
    NOW,
    OTHER_MESSAGE,
    OVER,
    SUMMARY,
    coverage,
)

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


@pytest.mark.usefixtures("atomic")
class TestParallel:
    async def test_of_many_claims_at_once_exactly_one_gets_the_lease(self, rig: DynamoRig) -> None:
        for round_ in range(10):
            key = replace(KEY, fingerprint=f"{round_:064x}")
            claims = await asyncio.gather(
                *(rig.ledger.claim(key, message_id=f"message-{n}", now=NOW, duration=LEASE) for n in range(10))
            )
            (winner,) = [claim for claim in claims if isinstance(claim, Claimed)]
            losers = [claim for claim in claims if isinstance(claim, Held)]
            assert losers == [Held(winner.lease.message_id, NOW + OVER)] * 9

    async def test_of_many_snapshots_at_once_the_newest_stays(self, rig: DynamoRig) -> None:
        moments = [NOW + timedelta(seconds=(7 * n) % 20) for n in range(20)]
        await asyncio.gather(*(rig.ledger.record(coverage(as_of=moment)) for moment in moments))
        stored = await rig.ledger.coverage(CHECKOUT)
        assert stored is not None
        assert stored.as_of == max(moments)

    async def test_a_commit_and_the_claim_that_takes_over_cannot_both_win(self, rig: DynamoRig) -> None:
        for round_ in range(5):
            key = replace(KEY, fingerprint=f"{round_:064x}")
            first = await rig.ledger.claim(key, message_id=MESSAGE, now=NOW, duration=LEASE)
            assert isinstance(first, Claimed)
            committed, taken = await asyncio.gather(
                rig.ledger.commit(first.lease, SUMMARY, coverage(), owed=()),
                rig.ledger.claim(key, message_id=OTHER_MESSAGE, now=NOW + OVER, duration=LEASE),
                return_exceptions=True,
            )
            # Either the result was there first and is fresh, or the lease was taken and the result is refused.
            assert isinstance(taken, Claimed) is isinstance(committed, LeaseLost)


class TestLostAnswers:
    async def test_a_claim_that_botocore_repeats_after_a_lost_answer_succeeds(
        self, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "update_item", twice(client.update_item))
        claim = await DynamoLedger(client, TABLE).claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(claim, Claimed)
        assert claim.abandoned_by is None

    async def test_a_failure_that_botocore_notes_again_after_a_lost_answer_counts_once(
        self, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "update_item", twice(client.update_item))
        assert list(await DynamoLedger(client, TABLE).note_failure(MESSAGE, FAILURE)) == [FAILURE]

    async def test_an_announcement_that_botocore_repeats_after_a_lost_answer_is_still_ours(
        self, client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ledger = DynamoLedger(client, TABLE)
        with monkeypatch.context() as lost:
            lost.setattr(client, "update_item", twice(client.update_item))
            assert await ledger.announce("qualys-circuit", now=NOW, quiet=MINUTE)
            assert not await ledger.announce("qualys-circuit", now=NOW, quiet=MINUTE)
        assert not await ledger.announce("qualys-circuit", now=NOW + MINUTE, quiet=MINUTE)

    async def test_a_commit_whose_second_half_was_lost_is_completed_by_its_repetition(self, rig: DynamoRig) -> None:
        """The scan item was written alone, since the coverage spoke of a newer snapshot; the answer was lost."""
        claim = await rig.ledger.claim(KEY, message_id=MESSAGE, now=NOW, duration=LEASE)
        assert isinstance(claim, Claimed)
        await rig.ledger.record(coverage(CoverageState.SCANNING, as_of=NOW, at=NOW))
        assert await rig.ledger.commit(claim.lease, SUMMARY, coverage(), owed={Effect.TAG}) is False
        before = await rig.items()
        assert await rig.ledger.commit(claim.lease, SUMMARY, coverage(), owed={Effect.TAG}) is False
        assert await rig.items() == before
