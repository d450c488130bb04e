from dataclasses import replace

import pytest

from hub.coverage import Coverage, CoverageState
from hub.scan_outcome import Outcome
from hub.scans import PolicyVerdict, ScanSummary
from scanhub.exit_codes import after_scans
from spoke.arn import FunctionArn
from tests.ledger_samples import CHECKOUT, NOW, REFUNDS, SUMMARY

ORDERS = replace(CHECKOUT, name="orders")


def ended(
    function: FunctionArn, state: CoverageState = CoverageState.COVERED, policy: PolicyVerdict | None = None
) -> Coverage:
    good: ScanSummary = replace(SUMMARY, policy=policy)
    return Coverage(function=function, state=state, at=NOW, last_good=good)


def test_nobody_waited_so_nothing_is_unsettled() -> None:
    outcome = Outcome(asked=(CHECKOUT, REFUNDS))
    assert (outcome.unsettled, outcome.failed, after_scans(outcome)) == ((), 0, 0)


def test_what_has_not_ended_was_waited_for_in_vain() -> None:
    outcome = Outcome(asked=(CHECKOUT, REFUNDS), settled=(ended(CHECKOUT),), has_waited=True)
    assert (outcome.unsettled, outcome.failed) == ((REFUNDS,), 1)
    assert after_scans(outcome) == 3


@pytest.mark.parametrize(
    ("state", "failed"),
    [
        (CoverageState.COVERED, 0),
        (CoverageState.PARTIAL, 0),
        (CoverageState.EXCLUDED, 0),
        (CoverageState.GONE, 0),
        (CoverageState.FAILED, 1),
        (CoverageState.NO_ACCESS, 1),
        (CoverageState.UNREADABLE, 1),
    ],
)
def test_what_counts_as_failed(state: CoverageState, failed: int) -> None:
    outcome = Outcome(asked=(CHECKOUT,), settled=(ended(CHECKOUT, state),), has_waited=True)
    assert outcome.failed == failed
    assert after_scans(outcome) == failed


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([PolicyVerdict.ALLOW, None], 0),
        ([PolicyVerdict.ALLOW, PolicyVerdict.DENY], 42),
        ([PolicyVerdict.AUDIT, PolicyVerdict.DENY], 42),
        ([PolicyVerdict.AUDIT, PolicyVerdict.ALLOW], 43),
    ],
)
def test_the_worst_verdict_tells(verdicts: list[PolicyVerdict | None], code: int) -> None:
    both = (ended(CHECKOUT, policy=verdicts[0]), ended(REFUNDS, policy=verdicts[1]))
    assert after_scans(Outcome(asked=(CHECKOUT, REFUNDS), settled=both, has_waited=True)) == code


def test_a_verdict_on_what_is_gone_by_now_is_of_an_earlier_day() -> None:
    gone = ended(CHECKOUT, CoverageState.GONE, PolicyVerdict.DENY)
    assert after_scans(Outcome(asked=(CHECKOUT,), settled=(gone,), has_waited=True)) == 0


def test_a_function_that_was_named_and_is_not_there_is_a_mistake() -> None:
    gone = ended(CHECKOUT, CoverageState.GONE)
    alone = Outcome(asked=(CHECKOUT,), settled=(gone,), has_waited=True, named=(CHECKOUT,))
    assert (alone.missing, alone.failed, after_scans(alone)) == ((CHECKOUT,), 1, 1)
    beside = Outcome(asked=(CHECKOUT, REFUNDS), settled=(gone, ended(REFUNDS)), has_waited=True, named=(CHECKOUT,))
    assert (beside.missing, beside.failed, after_scans(beside)) == ((CHECKOUT,), 1, 3)
    of_account = Outcome(asked=(CHECKOUT, REFUNDS), settled=(gone,), has_waited=True, named=(REFUNDS,))
    assert (of_account.missing, of_account.unsettled) == ((), (REFUNDS,))


def test_a_failure_says_more_than_a_verdict() -> None:
    both = (ended(CHECKOUT, policy=PolicyVerdict.DENY), ended(REFUNDS, CoverageState.FAILED))
    assert after_scans(Outcome(asked=(CHECKOUT, REFUNDS), settled=both, has_waited=True)) == 3


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome(asked=(CHECKOUT,), left=(REFUNDS,)), 3),
        (Outcome(asked=(CHECKOUT,), problems=("210000000009: no role",)), 3),
        (Outcome(asked=(), left=(REFUNDS,)), 1),
        (Outcome(asked=(), problems=("210000000009: no role",)), 1),
        (Outcome(asked=()), 0),
    ],
)
def test_what_was_not_asked_for_counts_too(outcome: Outcome, code: int) -> None:
    assert after_scans(outcome) == code
