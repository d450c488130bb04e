"""What pages add up to, whatever their order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.coverage import CoverageState
from hub.coverage_count import MOST_REASONS, OTHER_REASONS, CoverageCounts, CoverageTally
from hub.ledger_schema import milliseconds
from spoke.errors import Misconfigured

NOW = datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC)
ACCOUNTS = ["210987654321", "310987654322"]
FUNCTIONS = st.tuples(
    st.sampled_from(ACCOUNTS),
    st.sampled_from([state.value for state in CoverageState]),
    st.sampled_from(["eu-central-1", "us-east-1"]),
    st.sampled_from([None, "image", "python3.12"]),
    st.sampled_from(["", "excluded by name", "the role cannot be assumed"]),
    st.none() | st.integers(0, 1000),
)
Function = tuple[str, str, str, str | None, str, int | None]


def counted(pages: list[tuple[str, list[Function]]]) -> CoverageCounts:
    tally = CoverageTally(ACCOUNTS)
    for account, functions in pages:
        tally.add(
            account,
            [(state, region, runtime, reason) for _, state, region, runtime, reason, _ in functions],
            [
                (state, milliseconds(NOW - timedelta(hours=age)))
                for _, state, _, _, _, age in functions
                if age is not None
            ],
        )
    return tally.counts()


@given(st.lists(FUNCTIONS), st.integers(1, 7))
def test_the_sums_do_not_depend_on_the_pages(functions: list[Function], size: int) -> None:
    of_account = {account: [one for one in functions if one[0] == account] for account in ACCOUNTS}
    whole = counted(list(of_account.items()))
    in_pages = [
        (account, known[start : start + size])
        for account, known in of_account.items()
        for start in range(0, len(known), size)
    ]
    assert counted(in_pages[::-1]) == whole
    assert whole.functions == len(functions)
    for mapping in (whole.by_account, whole.by_region, whole.by_runtime):
        assert sum(number for states in mapping.values() for number in states.values()) == len(functions)
    assert sum(whole.by_reason.values()) == len(functions)
    for account, known in of_account.items():
        ages = [age for _, state, _, _, _, age in known if age is not None and state not in {"GONE", "EXCLUDED"}]
        assert whole.oldest.get(account) == (NOW - timedelta(hours=max(ages)) if ages else None)


def test_a_reason_that_is_known_goes_on_being_counted_when_there_are_too_many() -> None:
    tally = CoverageTally(ACCOUNTS)
    many = [("SCANNING", "eu-central-1", None, f"scan {number}") for number in range(MOST_REASONS)]
    tally.add(ACCOUNTS[0], many, [])
    tally.add(ACCOUNTS[0], [*many[:2], ("FAILED", "eu-central-1", None, "scanner_crashed")], [])
    reasons = tally.counts().by_reason
    assert reasons[CoverageState.SCANNING, "scan 1"] == 2
    assert reasons[CoverageState.FAILED, OTHER_REASONS] == 1
    assert len(reasons) == MOST_REASONS + 1


def test_a_state_that_is_not_known_here_is_named() -> None:
    tally = CoverageTally(ACCOUNTS)
    tally.add(ACCOUNTS[0], [("ASLEEP", "eu-central-1", None, "")], [])
    with pytest.raises(Misconfigured, match="ASLEEP"):
        tally.counts()
