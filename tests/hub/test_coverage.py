import itertools
from datetime import datetime, timedelta

import pytest

from hub.coverage import RESULTS, CoverageState
from tests.ledger_samples import NOW, coverage

SECOND = timedelta(seconds=1)
EARLIER, LATER = NOW - SECOND, NOW + SECOND
EVERY_STATE = list(CoverageState)


@pytest.mark.parametrize("state", EVERY_STATE)
def test_anything_replaces_nothing(state: CoverageState) -> None:
    assert coverage(state).replaces(None)
    assert coverage(state, as_of=None).replaces(None)


@pytest.mark.parametrize("at", [EARLIER, NOW, LATER])
def test_a_newer_snapshot_replaces_an_older_and_never_the_other_way_round(at: datetime) -> None:
    for state, stored in itertools.product(EVERY_STATE, EVERY_STATE):
        assert coverage(state, as_of=LATER, at=at).replaces(coverage(stored, as_of=NOW, at=NOW))
        assert not coverage(state, as_of=EARLIER, at=at).replaces(coverage(stored, as_of=NOW, at=NOW))
        assert coverage(state, as_of=EARLIER, at=at).replaces(coverage(stored, as_of=None, at=NOW))


@pytest.mark.parametrize(("at", "replaces"), [(EARLIER, False), (NOW, True), (LATER, True)])
def test_of_one_snapshot_the_later_written_stays(at: datetime, replaces: bool) -> None:
    failed = coverage(CoverageState.FAILED, as_of=NOW, at=at)
    assert failed.replaces(coverage(CoverageState.COVERED, as_of=NOW, at=NOW)) is replaces


@pytest.mark.parametrize("at", [EARLIER, NOW, LATER])
@pytest.mark.parametrize("state", [CoverageState.PENDING, CoverageState.SCANNING, CoverageState.NO_ACCESS])
def test_what_waits_never_hides_a_result_of_the_same_snapshot(state: CoverageState, at: datetime) -> None:
    for result in RESULTS:
        assert not coverage(state, as_of=NOW, at=at).replaces(coverage(result, as_of=NOW, at=NOW))


@pytest.mark.parametrize("at", [EARLIER, NOW, LATER])
@pytest.mark.parametrize("result", [CoverageState.COVERED, CoverageState.PARTIAL])
def test_a_result_replaces_what_passes_whatever_the_clocks_of_two_workers_say(
    result: CoverageState, at: datetime
) -> None:
    for state in EVERY_STATE:
        if state is not CoverageState.GONE:
            passes = state not in {*RESULTS, CoverageState.EXCLUDED}
            stored = coverage(state, as_of=NOW, at=NOW)
            assert coverage(result, as_of=NOW, at=at).replaces(stored) is (passes or at >= NOW)


@pytest.mark.parametrize("at", [EARLIER, NOW, LATER])
@pytest.mark.parametrize("state", EVERY_STATE)
def test_of_one_snapshot_gone_is_the_last_word(state: CoverageState, at: datetime) -> None:
    gone, other = coverage(CoverageState.GONE, as_of=NOW, at=at, code=None), coverage(state, as_of=NOW, at=NOW)
    assert gone.replaces(other)
    if state is not CoverageState.GONE:
        assert not other.replaces(gone)


@pytest.mark.parametrize(("at", "replaces"), [(EARLIER, False), (NOW, True), (LATER, True)])
@pytest.mark.parametrize("as_of", [None, EARLIER, LATER])
def test_what_was_seen_without_a_snapshot_replaces_what_was_seen_before(
    as_of: datetime | None, at: datetime, replaces: bool
) -> None:
    refused = coverage(CoverageState.NO_ACCESS, as_of=None, at=at)
    assert refused.replaces(coverage(CoverageState.COVERED, as_of=as_of, at=NOW)) is replaces


@pytest.mark.parametrize("state", EVERY_STATE)
def test_only_a_snapshot_brings_back_what_is_gone(state: CoverageState) -> None:
    gone = coverage(CoverageState.GONE, as_of=NOW, at=NOW, code=None)
    assert not coverage(state, as_of=None, at=LATER).replaces(gone)
    assert coverage(state, as_of=LATER, at=LATER).replaces(gone)
