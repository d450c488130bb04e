from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from hub.coverage import Coverage, CoverageState
from hub.coverage_report import CoverageReport, Share, known_accounts, report
from hub.coverage_selection import Selection, counted, selected, stated_reason
from hub.service_notes import ObjectiveDay
from hub.sightings import Sighting
from hub.standing import CoverageRow
from hub.sweeps import AccountClaimed, AccountOutcome, RegionOutcome, SweepScope
from spoke.arn import FunctionArn
from tests.ledger_samples import CHECKOUT, HOUR, NEW_CODE, NOW, REFUNDS, SUMMARY
from worker.memory.clock import ManualClock
from worker.memory.ledger import MemoryLedger
from worker.memory.register import MemoryRegister

QUIET = "410987654323"
DENIED = replace(CHECKOUT, account=QUIET, name="denied")


def covered(function: FunctionArn, **changes: object) -> Coverage:
    coverage = Coverage(
        function=function,
        state=CoverageState.COVERED,
        at=NOW,
        as_of=NOW - HOUR,
        fingerprint=NEW_CODE,
        last_good=SUMMARY,
        runtime="python3.12",
    )
    return replace(coverage, **changes)  # type: ignore[arg-type]  # the tests name its fields


@pytest.fixture
async def ledger() -> MemoryLedger:
    ledger = MemoryLedger()
    older = replace(SUMMARY, completed_at=NOW - 30 * HOUR)
    for coverage in (
        covered(CHECKOUT),
        covered(replace(CHECKOUT, name="orders"), last_good=older, state=CoverageState.PARTIAL, reason="no_packages"),
        covered(replace(CHECKOUT, name="legacy"), state=CoverageState.EXCLUDED, reason="the name matches leg*"),
        covered(REFUNDS, state=CoverageState.STALE, reason="the result is of another scan profile"),
        covered(DENIED, state=CoverageState.NO_ACCESS, reason="AccessDenied", as_of=None, last_good=None),
    ):
        assert await ledger.record(coverage)
    sighting = Sighting(account=CHECKOUT.account, region="eu-central-1", event_at=NOW, received_at=NOW)
    assert await ledger.sight(sighting)
    assert await ledger.sight(replace(sighting, region="us-east-1", event_at=NOW - HOUR))
    return ledger


@pytest.fixture
async def register() -> MemoryRegister:
    register = MemoryRegister(ManualClock(NOW))
    for account in (REFUNDS.account, QUIET):
        await register.know_account(account, now=NOW)
    await register.count_changes(ObjectiveDay(day=date(2026, 11, 21), target=900, changes=4, within=3))
    run = await register.begin_sweep(SweepScope(), now=NOW, adopt_within=24 * HOUR)
    claim = await register.claim_account(run, REFUNDS.account, now=NOW, duration=timedelta(minutes=5))
    assert isinstance(claim, AccountClaimed)
    regions = {"us-east-1": RegionOutcome(functions=1), "eu-west-1": RegionOutcome(problem="ThrottlingException")}
    await register.complete_account(claim, AccountOutcome(regions=regions), now=NOW + HOUR)
    return register


async def whole(ledger: MemoryLedger, register: MemoryRegister, accounts: Iterable[str] = ()) -> CoverageReport:
    return await report(ledger, register, ledger, accounts=tuple(accounts))


async def test_each_account_that_anybody_told_of_is_in_the_report(
    ledger: MemoryLedger, register: MemoryRegister
) -> None:
    told = await whole(ledger, register)
    assert [one.account for one in told.accounts] == [CHECKOUT.account, REFUNDS.account, QUIET]
    assert await known_accounts(register, ledger) == {CHECKOUT.account, REFUNDS.account, QUIET}
    assert told.counts.functions == 5


async def test_an_account_tells_when_it_was_last_heard_of_and_swept_and_what_failed(
    ledger: MemoryLedger, register: MemoryRegister
) -> None:
    heard, swept, quiet = (await whole(ledger, register)).accounts
    assert heard.last_event_at == NOW
    assert heard.oldest_result_at == NOW - 30 * HOUR
    assert (heard.swept_at, heard.problems) == (None, {})
    assert (swept.last_event_at, swept.swept_at) == (None, NOW + HOUR)
    assert swept.problems == {"eu-west-1": "ThrottlingException"}
    assert (quiet.last_event_at, quiet.swept_at, quiet.oldest_result_at) == (None, None, None)


async def test_the_share_leaves_out_what_needs_no_result(ledger: MemoryLedger, register: MemoryRegister) -> None:
    told = await whole(ledger, register)
    assert told.share == Share(covered=2, of=4)
    assert [one.share.value for one in told.accounts] == [1.0, 0.0, 0.0]
    assert Share.among({CoverageState.GONE: 3}).value is None


async def test_only_the_accounts_that_were_asked_for_are_counted(
    ledger: MemoryLedger, register: MemoryRegister
) -> None:
    told = await whole(ledger, register, [REFUNDS.account])
    assert [one.account for one in told.accounts] == [REFUNDS.account]
    assert told.counts.by_state == {CoverageState.STALE: 1}
    assert [day.share for day in told.objective] == [0.75]


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (Selection(), ["checkout-api", "legacy", "orders", "refunds_worker", "denied"]),
        (Selection(accounts=(CHECKOUT.account,)), ["checkout-api", "legacy", "orders"]),
        (Selection(regions=("us-east-1",)), ["refunds_worker"]),
        (Selection(states=(CoverageState.NO_ACCESS, CoverageState.STALE)), ["denied", "refunds_worker"]),
        (Selection(states=(CoverageState.STALE,), accounts=(CHECKOUT.account,)), []),
        (Selection(reason="NAME matches"), ["legacy"]),
        (Selection(reason="scanned 2026-11-21"), ["checkout-api"]),
        (Selection(states=(CoverageState.PARTIAL,), reason="no_packages"), ["orders"]),
    ],
)
async def test_a_selection_lists_what_it_names(
    ledger: MemoryLedger, register: MemoryRegister, selection: Selection, names: list[str]
) -> None:
    accounts = await known_accounts(register, ledger)
    assert [row.function.name async for row in selected(ledger, selection, accounts)] == names


async def test_a_selection_is_counted_by_whatever_is_asked_for(ledger: MemoryLedger, register: MemoryRegister) -> None:
    accounts = await known_accounts(register, ledger)
    rows = selected(ledger, Selection(regions=("eu-central-1",)), accounts)
    assert await counted(rows, lambda row: row.function.account) == {
        CHECKOUT.account: {CoverageState.COVERED: 1, CoverageState.EXCLUDED: 1, CoverageState.PARTIAL: 1},
        QUIET: {CoverageState.NO_ACCESS: 1},
    }


def test_a_covered_function_has_its_result_as_its_reason() -> None:
    row = CoverageRow(function=CHECKOUT, state=CoverageState.COVERED, at=NOW, result_at=NOW)
    assert stated_reason(row) == "scanned 2026-11-21 09:30 UTC"
    assert stated_reason(replace(row, reason="no_packages")) == "no_packages"
    assert not stated_reason(replace(row, result_at=None))
