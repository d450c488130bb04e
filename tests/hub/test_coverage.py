import itertools
from datetime import datetime, timedelta

import pytest

from hub.coverage import RESULTS, SETTLED, UNDER_WAY, CoverageState
from hub.scans import CLOCK_SKEW
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


MILLISECOND = timedelta(milliseconds=1)
LATER_BY = [-timedelta(hours=1), -CLOCK_SKEW, -SECOND, timedelta(0), SECOND, CLOCK_SKEW, CLOCK_SKEW + MILLISECOND]


@pytest.mark.parametrize("later_by", LATER_BY)
@pytest.mark.parametrize("as_of", [None, NOW])
def test_what_is_settled_gives_way_to_a_try_only_if_that_is_later_for_certain(
    as_of: datetime | None, later_by: timedelta
) -> None:
    """In whichever order they are written the same one of the two stands."""
    for settled, under_way in itertools.product(SETTLED, UNDER_WAY):
        last_word = coverage(settled, as_of=NOW, at=NOW)
        tried = coverage(under_way, as_of=as_of, at=NOW + later_by)
        assert tried.replaces(last_word) is (later_by > CLOCK_SKEW)
        last_word, tried = coverage(settled, as_of=as_of, at=NOW), coverage(under_way, as_of=NOW, at=NOW + later_by)
        assert last_word.replaces(tried) is (later_by <= CLOCK_SKEW)


@pytest.mark.parametrize(("at", "replaces"), [(EARLIER, False), (NOW, True), (LATER, True)])
def test_between_two_last_words_and_between_two_tries_the_clocks_decide(at: datetime, replaces: bool) -> None:
    for states in (SETTLED, UNDER_WAY, {CoverageState.FAILED, CoverageState.STALE, CoverageState.NO_ACCESS}):
        for state, stored in itertools.product(states, states):
            assert coverage(state, as_of=NOW, at=at).replaces(coverage(stored, as_of=NOW, at=NOW)) is replaces


@pytest.mark.parametrize("state", list(SETTLED))
def test_no_last_word_on_an_older_snapshot_hides_that_a_newer_one_waits(state: CoverageState) -> None:
    waiting = coverage(CoverageState.PENDING, as_of=NOW, at=NOW)
    assert not coverage(state, as_of=EARLIER, at=LATER).replaces(waiting)
    assert waiting.replaces(coverage(state, as_of=EARLIER, at=LATER))
