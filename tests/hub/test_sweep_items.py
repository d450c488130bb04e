"""Every outcome and count comes back from its item as it was."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hub import sweep_items as items
from hub.ledger_wire import plain, wire_item
from hub.sweeps import AccountClaimed, AccountOutcome, RegionOutcome, SweepCounts, SweepRun, SweepScope
from tests.ledger_samples import MINUTE, NOW
from tests.register_rig import NARROW, PAYMENTS, WHOLE

NUMBERS = st.integers(0, 10**7)
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
COUNTS = st.builds(
    SweepCounts,
    **dict.fromkeys(("accounts", "functions", "fresh", "waiting", "excluded", "gone", "failed", "calls"), NUMBERS),
    queued=st.dictionaries(st.sampled_from(["missing", "changed", "stale", "profile", "failed", "lost"]), NUMBERS),
)
OUTCOMES = st.builds(
    AccountOutcome,
    regions=st.dictionaries(
        st.sampled_from(["eu-central-1", "us-east-1", "us-gov-west-1"]),
        st.builds(RegionOutcome, functions=NUMBERS, problem=TEXT),
    ),
    problem=TEXT,
    counts=COUNTS,
)
RUN = SweepRun(id="20261121T093015250Z-1a2b3c4d", scope_id=WHOLE.id, whole_scope_id=WHOLE.id, started_at=NOW)


@given(OUTCOMES)
def test_an_outcome_comes_back(outcome: AccountOutcome) -> None:
    claim = AccountClaimed(account=PAYMENTS, run=RUN, owner="5f2a1c", expires_at=NOW)
    key = items.account_key(PAYMENTS)
    known = items.known(NOW).applied_to({"pk": key.pk, "sk": key.sk})
    item = plain(wire_item(items.completed(claim, outcome, NOW + MINUTE).applied_to(known)))
    assert items.account_from(item).outcome == outcome


@given(COUNTS, NUMBERS)
def test_a_run_comes_back(counts: SweepCounts, accounts: int) -> None:
    key = items.run_key(RUN.id)
    noted = items.noted(RUN, counts, accounts=accounts, now=NOW + MINUTE)
    item = plain(wire_item(noted.applied_to({"pk": key.pk, "sk": key.sk})))
    assert items.run_from(item) == replace(RUN, counts=counts, accounts=accounts, at=NOW + MINUTE)


def test_the_whole_of_a_scope_has_its_exclusions_and_its_profile_and_no_more() -> None:
    assert NARROW.whole_id == WHOLE.id == WHOLE.whole_id
    narrow = SweepScope(regions=("eu-central-1",), ous=("ou-ab12-payments",), exclude=("legacy-*",), profile_id="1")
    assert narrow.whole_id == SweepScope(exclude=("legacy-*",), profile_id="1").id
    assert narrow.whole_id != narrow.id
