"""Lists and counts from the indexes: by account and place, and by state."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.coverage import Coverage, CoverageState
from hub.coverage_count import MOST_REASONS, OTHER_REASONS
from hub.ledger_counts import QUERIED_ACCOUNTS
from hub.ledger_items import state_item_key
from hub.scans import Claimed, ScanKey
from hub.standing import CoverageRow
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured
from tests.ledger_rig import LedgerRig
from tests.ledger_samples import CHECKOUT, HOUR, LEASE, MESSAGE, MINUTE, NEW_CODE, NOW, PROFILE, REFUNDS, SUMMARY

PAYMENTS, LOGISTICS = CHECKOUT.account, REFUNDS.account
NO_ROLE = "the role scanhub-spoke cannot be assumed"


def in_payments(name: str, region: str = "eu-central-1", version: str | None = None) -> FunctionArn:
    return replace(CHECKOUT, name=name, region=region, qualifier=version)


async def write(
    rig: LedgerRig,
    function: FunctionArn,
    state: CoverageState,
    *,
    reason: str = "",
    runtime: str | None = "python3.12",
    result: timedelta | None = None,
    at: timedelta = timedelta(0),
) -> CoverageRow:
    """A function in the ledger, with a last good result that is so old, if any."""
    good = replace(SUMMARY, completed_at=NOW - result) if result is not None else None
    one = Coverage(
        function=function, state=state, at=NOW + at, reason=reason, as_of=NOW - HOUR, runtime=runtime, last_good=good
    )
    assert await rig.ledger.record(one)
    return CoverageRow(
        function=function,
        state=state,
        at=NOW + at,
        reason=reason,
        runtime=runtime,
        result_at=good.completed_at if good is not None else None,
    )


async def rows(rig: LedgerRig, account: str = PAYMENTS, region: str | None = None) -> list[CoverageRow]:
    pages = [page async for page in rig.ledger.rows(account, region=region)]
    assert all(pages), "no page is empty"
    return [row for page in pages for row in page]


async def in_state(rig: LedgerRig, state: CoverageState, reason: str = "") -> list[CoverageRow]:
    pages = [page async for page in rig.ledger.in_state(state, reason=reason)]
    assert all(pages), "no page is empty"
    return [row for page in pages for row in page]


class TestRows:
    async def test_an_account_that_nobody_knows_has_none(self, rig: LedgerRig) -> None:
        await write(rig, REFUNDS, CoverageState.COVERED)
        assert await rows(rig) == []

    async def test_they_come_by_region_and_name_with_all_that_is_known(self, rig: LedgerRig) -> None:
        written = [
            await write(rig, in_payments("refunds", "us-east-1"), CoverageState.EXCLUDED, reason="excluded by name"),
            await write(rig, in_payments("Ledger"), CoverageState.COVERED, result=3 * HOUR),
            await write(rig, in_payments("checkout", version="12"), CoverageState.PENDING, runtime="image"),
            await write(rig, in_payments("checkout"), CoverageState.NO_ACCESS, reason=NO_ROLE, runtime=None),
        ]
        await write(rig, REFUNDS, CoverageState.COVERED)
        ledger, checkout, version, refunds = written[1], written[3], written[2], written[0]
        assert await rows(rig) == [ledger, checkout, version, refunds]

    async def test_a_region_is_itself_and_not_what_begins_like_it(self, rig: LedgerRig) -> None:
        here = await write(rig, in_payments("us-east-1"), CoverageState.COVERED)
        there = await write(rig, in_payments("checkout", "us-east-1"), CoverageState.COVERED)
        assert await rows(rig, region="eu-central-1") == [here]
        assert await rows(rig, region="us-east-1") == [there]
        assert await rows(rig, region="us-east") == []

    async def test_those_that_somebody_has_seen_are_left_out(self, rig: LedgerRig) -> None:
        checkout = await write(rig, in_payments("checkout"), CoverageState.COVERED)
        version = await write(rig, in_payments("checkout", version="12"), CoverageState.COVERED)
        there = await write(rig, in_payments("checkout", "us-east-1"), CoverageState.COVERED)
        pages = rig.ledger.rows(PAYMENTS, without=[checkout.function, REFUNDS])
        assert [row for page in [page async for page in pages] for row in page] == [version, there]
        seen = [checkout.function, version.function, there.function]
        assert [page async for page in rig.ledger.rows(PAYMENTS, without=seen)] == [], "no page is empty"

    async def test_leases_and_notes_are_not_among_them(self, rig: LedgerRig) -> None:
        key = ScanKey(CHECKOUT, NEW_CODE, PROFILE.id)
        assert isinstance(await rig.ledger.claim(key, message_id=MESSAGE, now=NOW, duration=LEASE), Claimed)
        await rig.ledger.announce(PAYMENTS, now=NOW, quiet=HOUR)
        assert await rows(rig) == []

    async def test_the_newest_state_is_the_one_told_of(self, rig: LedgerRig) -> None:
        await write(rig, CHECKOUT, CoverageState.NO_ACCESS, reason=NO_ROLE, result=HOUR)
        row = await write(rig, CHECKOUT, CoverageState.COVERED, at=MINUTE, result=timedelta(0))
        assert await rows(rig) == [row]

    async def test_a_broken_entry_is_named(self, rig: LedgerRig) -> None:
        await write(rig, CHECKOUT, CoverageState.COVERED)
        (item,) = (await rig.items()).values()
        await rig.put(item | {"state": "ASLEEP"})
        with pytest.raises(Misconfigured, match="cannot be read"):
            await rows(rig)


class TestInState:
    async def test_only_those_of_the_state_the_last_written_last(self, rig: LedgerRig) -> None:
        late = await write(rig, CHECKOUT, CoverageState.NO_ACCESS, reason=NO_ROLE, runtime=None, at=HOUR)
        early = await write(rig, REFUNDS, CoverageState.NO_ACCESS, reason="may not read the code", result=HOUR)
        await write(rig, in_payments("ledger"), CoverageState.COVERED)
        assert await in_state(rig, CoverageState.NO_ACCESS) == [early, late]
        assert await in_state(rig, CoverageState.FAILED) == []

    async def test_only_those_whose_reason_has_the_text(self, rig: LedgerRig) -> None:
        row = await write(rig, CHECKOUT, CoverageState.NO_ACCESS, reason=NO_ROLE)
        await write(rig, REFUNDS, CoverageState.NO_ACCESS, reason="may not read the code")
        await write(rig, in_payments("ledger"), CoverageState.NO_ACCESS)
        assert await in_state(rig, CoverageState.NO_ACCESS, "cannot be assumed") == [row]
        assert await in_state(rig, CoverageState.NO_ACCESS, "CANNOT") == []

    async def test_what_an_older_version_wrote_is_there_too(self, rig: LedgerRig) -> None:
        """It has no account and place yet, so the index by account does not have it until its next write."""
        item = {"pk": state_item_key(CHECKOUT).pk, "sk": "state", "schema": 1, "state": "COVERED", "at": 1795253415250}
        await rig.put(item)
        row = CoverageRow(function=CHECKOUT, state=CoverageState.COVERED, at=NOW)
        assert await in_state(rig, CoverageState.COVERED) == [row]
        assert await rows(rig) == []
        later = await write(rig, CHECKOUT, CoverageState.STALE, at=MINUTE)
        assert await rows(rig) == [later]


class TestCounts:
    async def test_every_mapping_adds_up(self, rig: LedgerRig) -> None:
        for number in range(3):
            function = in_payments(f"orders-{number}")
            await write(rig, function, CoverageState.COVERED, result=(number + 1) * HOUR)
        await write(rig, in_payments("ledger", "us-east-1"), CoverageState.COVERED, runtime="image", result=9 * HOUR)
        await write(rig, in_payments("refunds"), CoverageState.NO_ACCESS, reason=NO_ROLE, runtime=None)
        await write(rig, REFUNDS, CoverageState.GONE, reason="deleted", runtime="nodejs22.x", result=900 * HOUR)
        counts = await rig.ledger.counts([LOGISTICS, PAYMENTS, "444455556666"])
        assert counts.by_account == {
            PAYMENTS: {CoverageState.COVERED: 4, CoverageState.NO_ACCESS: 1},
            LOGISTICS: {CoverageState.GONE: 1},
            "444455556666": {},
        }
        assert counts.by_region == {
            "eu-central-1": {CoverageState.COVERED: 3, CoverageState.NO_ACCESS: 1},
            "us-east-1": {CoverageState.COVERED: 1, CoverageState.GONE: 1},
        }
        assert counts.by_runtime == {
            "python3.12": {CoverageState.COVERED: 3},
            "image": {CoverageState.COVERED: 1},
            "nodejs22.x": {CoverageState.GONE: 1},
            "unknown": {CoverageState.NO_ACCESS: 1},
        }
        assert counts.by_reason == {
            (CoverageState.COVERED, ""): 4,
            (CoverageState.NO_ACCESS, NO_ROLE): 1,
            (CoverageState.GONE, "deleted"): 1,
        }
        assert counts.by_state == {CoverageState.COVERED: 4, CoverageState.NO_ACCESS: 1, CoverageState.GONE: 1}
        assert counts.functions == 6
        assert counts.oldest == {PAYMENTS: NOW - 9 * HOUR}

    async def test_the_result_of_what_is_gone_or_excluded_does_not_age(self, rig: LedgerRig) -> None:
        await write(rig, in_payments("old"), CoverageState.GONE, result=900 * HOUR)
        await write(rig, in_payments("left-out"), CoverageState.EXCLUDED, result=800 * HOUR)
        assert (await rig.ledger.counts([PAYMENTS])).oldest == {}
        await write(rig, in_payments("stale"), CoverageState.STALE, result=700 * HOUR)
        assert (await rig.ledger.counts([PAYMENTS])).oldest == {PAYMENTS: NOW - 700 * HOUR}

    async def test_accounts_that_nobody_asks_for_are_not_counted(self, rig: LedgerRig) -> None:
        await write(rig, REFUNDS, CoverageState.COVERED)
        counts = await rig.ledger.counts([PAYMENTS])
        assert (counts.by_account, counts.functions, counts.by_region) == ({PAYMENTS: {}}, 0, {})
        assert (await rig.ledger.counts([])).functions == 0

    async def test_an_account_that_is_asked_for_twice_counts_once(self, rig: LedgerRig) -> None:
        await write(rig, REFUNDS, CoverageState.COVERED)
        assert (await rig.ledger.counts([LOGISTICS, LOGISTICS])).functions == 1

    async def test_more_accounts_than_are_read_at_once(self, rig: LedgerRig) -> None:
        accounts = [f"{number:012}" for number in range(70)]
        for account in accounts:
            await write(rig, replace(CHECKOUT, account=account), CoverageState.COVERED)
        counts = await rig.ledger.counts(accounts)
        assert counts.by_account == {account: {CoverageState.COVERED: 1} for account in accounts}

    async def test_many_accounts_count_like_few(self, rig: LedgerRig) -> None:
        """So many that the index is scanned: what is there of other accounts is left out."""
        for number in range(3):
            await write(rig, in_payments(f"orders-{number}"), CoverageState.COVERED, result=(number + 1) * HOUR)
        await write(rig, in_payments("refunds", "us-east-1"), CoverageState.NO_ACCESS, reason=NO_ROLE, runtime=None)
        await write(rig, REFUNDS, CoverageState.GONE, reason="deleted", runtime="nodejs22.x", result=900 * HOUR)
        unasked = replace(CHECKOUT, account="444455556666", region="ap-south-1")
        await write(rig, unasked, CoverageState.FAILED, reason="a reason of its own", runtime="java21", result=HOUR)
        few = await rig.ledger.counts([PAYMENTS, LOGISTICS])
        others = [f"{number:012}" for number in range(QUERIED_ACCOUNTS)]
        many = await rig.ledger.counts([*others, LOGISTICS, PAYMENTS, *others[:9]])
        assert few.functions == 5
        assert many == replace(few, by_account={account: {} for account in others} | dict(few.by_account))

    async def test_a_state_of_a_newer_version_is_named_among_many_accounts(self, rig: LedgerRig) -> None:
        await write(rig, CHECKOUT, CoverageState.COVERED)
        (item,) = (await rig.items()).values()
        await rig.put(item | {"state": "ASLEEP"})
        with pytest.raises(Misconfigured, match="ASLEEP"):
            await rig.ledger.counts([PAYMENTS, *(f"{number:012}" for number in range(QUERIED_ACCOUNTS))])

    async def test_reasons_beyond_a_thousand_are_counted_together(self, rig: LedgerRig) -> None:
        await rig.put_all(
            [
                {
                    "pk": state_item_key(in_payments(f"orders-{number}")).pk,
                    "sk": "state",
                    "schema": 1,
                    "state": "SCANNING",
                    "at": 1795253415250,
                    "account": PAYMENTS,
                    "place": f"eu-central-1#orders-{number:05}",
                    "reason": f"scan {number:05}",
                }
                for number in range(MOST_REASONS + 5)
            ]
        )
        reasons = (await rig.ledger.counts([PAYMENTS])).by_reason
        assert len(reasons) == MOST_REASONS + 1
        assert reasons[CoverageState.SCANNING, OTHER_REASONS] == 5
        assert reasons[CoverageState.SCANNING, "scan 00007"] == 1

    async def test_a_state_of_a_newer_version_is_named(self, rig: LedgerRig) -> None:
        await write(rig, CHECKOUT, CoverageState.COVERED)
        (item,) = (await rig.items()).values()
        await rig.put(item | {"state": "ASLEEP"})
        with pytest.raises(Misconfigured, match="ASLEEP"):
            await rig.ledger.counts([PAYMENTS])


@pytest.mark.parametrize(
    ("function", "place"),
    [(CHECKOUT, "eu-central-1#checkout-api"), (replace(CHECKOUT, qualifier="12"), "eu-central-1#checkout-api:12")],
)
async def test_the_item_is_that_of_the_reference(rig: LedgerRig, function: FunctionArn, place: str) -> None:
    good = replace(SUMMARY, profile_id=PROFILE.id)
    one = Coverage(
        function=function,
        state=CoverageState.COVERED,
        at=NOW,
        as_of=NOW - HOUR,
        fingerprint=NEW_CODE,
        runtime="python3.12",
        last_good=good,
        queued_at=NOW - MINUTE,
    )
    assert await rig.ledger.record(one)
    item = (await rig.items())[state_item_key(function)]
    assert item.pop("lastGood")["profileId"] == PROFILE.id
    assert item == {
        "pk": f"function#{function}",
        "sk": "state",
        "schema": 1,
        "state": "COVERED",
        "at": 1795253415250,
        "asOf": 1795249815250,
        "fingerprint": NEW_CODE,
        "account": PAYMENTS,
        "place": place,
        "runtime": "python3.12",
        "queuedAt": 1795253355250,
        "resultAt": 1795253475250,
        "freshUntil": 1797845475250,
        "profileId": PROFILE.id,
    }
