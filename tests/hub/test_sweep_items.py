"""Every outcome and count comes back from its item as it was."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hub import sweep_items as items
from hub.ledger_wire import plain, wire_item
from hub.sweeps import (
    AccountClaimed,
    AccountOutcome,
    Named,
    RegionOutcome,
    ScopeNote,
    SweepCounts,
    SweepRun,
    SweepScope,
)
from tests.ledger_samples import MINUTE, NOW
from tests.register_rig import NARROW, PAYMENTS, WHOLE

NUMBERS = st.integers(0, 10**7)
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
COUNTS = st.builds(
    SweepCounts,
    **dict.fromkeys(
        ("accounts", "functions", "fresh", "waiting", "excluded", "gone", "outlived", "failed", "calls"), NUMBERS
    ),
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


NAMES = st.frozensets(TEXT, max_size=30).map(tuple)
SCOPES = st.builds(SweepScope, accounts=NAMES, ous=NAMES, regions=NAMES, exclude=NAMES)


@given(COUNTS, NUMBERS, st.none() | SCOPES.map(ScopeNote.of))
def test_a_run_comes_back(counts: SweepCounts, accounts: int, scope: ScopeNote | None) -> None:
    key, run = items.run_key(RUN.id), replace(RUN, scope=scope)
    noted = items.noted(run, counts, accounts=accounts, now=NOW + MINUTE)
    item = plain(wire_item(noted.applied_to({"pk": key.pk, "sk": key.sk})))
    assert items.run_from(item) == replace(run, counts=counts, accounts=accounts, at=NOW + MINUTE)


@given(SCOPES)
def test_a_scope_is_as_full_as_its_note(scope: SweepScope) -> None:
    assert ScopeNote.of(scope).is_full == scope.is_full
    assert scope.is_full == (scope == SweepScope())


def test_thousands_of_named_accounts_make_no_large_item() -> None:
    scope = SweepScope(accounts=tuple(f"{210_000_000_000 + number}" for number in range(5_000, 0, -1)))
    run = items.new_run(scope, NOW)
    assert run.scope is not None
    assert run.scope.accounts == Named(number=5_000, first=tuple(str(210_000_000_001 + one) for one in range(10)))
    assert len(repr(wire_item(items.begun(run).values))) < 1_000


def test_what_a_later_version_names_besides_is_no_fault() -> None:
    key = items.run_key(RUN.id)
    item = items.begun(RUN).applied_to({"pk": key.pk, "sk": key.sk}) | {"scope": {"tags": {"number": 1}}}
    assert items.run_from(item).scope == ScopeNote()


def test_a_run_that_an_older_release_noted_is_read() -> None:
    key = items.run_key(RUN.id)
    counts = SweepCounts(accounts=3, functions=10, fresh=9, excluded=1, calls=22)
    item = items.noted(RUN, counts, accounts=3, now=NOW).applied_to({"pk": key.pk, "sk": key.sk})
    del item["counts"]["outlived"]
    assert items.run_from(item).counts == counts


def test_the_whole_of_a_scope_has_its_exclusions_and_its_profile_and_no_more() -> None:
    assert NARROW.whole_id == WHOLE.id == WHOLE.whole_id
    narrow = SweepScope(regions=("eu-central-1",), ous=("ou-ab12-payments",), exclude=("legacy-*",), profile_id="1")
    assert narrow.whole_id == SweepScope(exclude=("legacy-*",), profile_id="1").id
    assert narrow.whole_id != narrow.id
