"""Every state in every circumstance, by table; then what must hold whatever comes."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.coverage import RESULTS, CoverageState
from hub.standing import Standing
from hub.sweep.decision import FRESH, ON_THE_WAY, QUEUED, WAITING, Decision, Listed, Rules, Verdict, Why, decide
from hub.sweep.wording import queued
from spoke.arn import FunctionArn
from tests.worker.worlds import NEWER_CODE, settings, snapshot
from worker.memory.clock import START

NOW = START
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PROFILE = "0f3c5a9d2b71"
SNAPSHOT = snapshot(last_modified=NOW - 30 * DAY)
LISTED = Listed.of(SNAPSHOT)
CHANGED = Listed.of(replace(SNAPSHOT, code_sha256=NEWER_CODE, last_modified=NOW - HOUR))
RULES = Rules(settings=settings(), profile_id=PROFILE)
RETRY = timedelta(hours=20)

TRIED = (CoverageState.FAILED, CoverageState.NO_ACCESS, CoverageState.UNREADABLE)


def standing(state: CoverageState, **changes: Any) -> Standing:
    """A function that was looked at long ago, with a result that is fresh where the state speaks of one."""
    values: dict[str, Any] = {
        "at": NOW - 5 * DAY,
        "as_of": LISTED.as_of,
        "fingerprint": LISTED.fingerprint,
        "profile_id": PROFILE,
        "fresh_until": NOW + 25 * DAY,
    }
    return Standing(function=LISTED.function, state=state, **{**values, **changes})


def of(one: Listed, known: Standing | None, *, tagged: bool | None = False, rules: Rules = RULES) -> Decision:
    return decide(one, known, rules, tagged=tagged, now=NOW)


# `STALE` is known in two ways: queued, and outlived, which nobody has queued.
QUEUED_BEFORE = ON_THE_WAY - {CoverageState.STALE}

EXPECTED: dict[tuple[CoverageState, str], Decision] = {
    (CoverageState.STALE, "as it was long ago"): QUEUED[Why.STALE],
    (CoverageState.STALE, "written an hour ago"): QUEUED[Why.STALE],
    (CoverageState.STALE, "queued an hour ago"): WAITING,
    (CoverageState.STALE, "of other code"): QUEUED[Why.CHANGED],
    (CoverageState.STALE, "of another profile"): QUEUED[Why.PROFILE],
    (CoverageState.STALE, "too old"): QUEUED[Why.STALE],
    **{(state, "as it was long ago"): QUEUED[Why.LOST] for state in QUEUED_BEFORE},
    **{(state, "as it was long ago"): FRESH for state in RESULTS},
    **{(state, "as it was long ago"): QUEUED[Why.FAILED] for state in TRIED},
    (CoverageState.EXCLUDED, "as it was long ago"): QUEUED[Why.MISSING],
    (CoverageState.GONE, "as it was long ago"): QUEUED[Why.MISSING],
    **{(state, "written an hour ago"): WAITING for state in (*QUEUED_BEFORE, *TRIED)},
    **{(state, "written an hour ago"): FRESH for state in RESULTS},
    (CoverageState.EXCLUDED, "written an hour ago"): QUEUED[Why.MISSING],
    (CoverageState.GONE, "written an hour ago"): QUEUED[Why.MISSING],
    **{(state, "queued an hour ago"): WAITING for state in QUEUED_BEFORE},
    **{(state, "queued an hour ago"): FRESH for state in RESULTS},
    **{(state, "queued an hour ago"): QUEUED[Why.FAILED] for state in TRIED},
    (CoverageState.EXCLUDED, "queued an hour ago"): QUEUED[Why.MISSING],
    (CoverageState.GONE, "queued an hour ago"): QUEUED[Why.MISSING],
    **{(state, "of other code"): QUEUED[Why.LOST] for state in QUEUED_BEFORE},
    **{(state, "of other code"): QUEUED[Why.CHANGED] for state in (*RESULTS, *TRIED)},
    (CoverageState.EXCLUDED, "of other code"): QUEUED[Why.MISSING],
    (CoverageState.GONE, "of other code"): QUEUED[Why.MISSING],
    **{(state, "of another profile"): QUEUED[Why.LOST] for state in QUEUED_BEFORE},
    **{(state, "of another profile"): QUEUED[Why.PROFILE] for state in RESULTS},
    **{(state, "of another profile"): QUEUED[Why.FAILED] for state in TRIED},
    (CoverageState.EXCLUDED, "of another profile"): QUEUED[Why.MISSING],
    (CoverageState.GONE, "of another profile"): QUEUED[Why.MISSING],
    **{(state, "too old"): QUEUED[Why.LOST] for state in QUEUED_BEFORE},
    **{(state, "too old"): QUEUED[Why.STALE] for state in RESULTS},
    **{(state, "too old"): QUEUED[Why.FAILED] for state in TRIED},
    (CoverageState.EXCLUDED, "too old"): QUEUED[Why.MISSING],
    (CoverageState.GONE, "too old"): QUEUED[Why.MISSING],
}

CIRCUMSTANCES: dict[str, dict[str, Any]] = {
    "as it was long ago": {},
    "written an hour ago": {"at": NOW - HOUR},
    "queued an hour ago": {"queued_at": NOW - HOUR},
    "of other code": {"fingerprint": CHANGED.fingerprint},
    "of another profile": {"profile_id": "7d1e0c44ab90"},
    "too old": {"fresh_until": NOW},
}


@pytest.mark.parametrize(("state", "circumstance"), list(product(CoverageState, CIRCUMSTANCES)))
def test_every_state_in_every_circumstance(state: CoverageState, circumstance: str) -> None:
    assert of(LISTED, standing(state, **CIRCUMSTANCES[circumstance])) == EXPECTED[state, circumstance]


@pytest.mark.parametrize("state", CoverageState)
@pytest.mark.parametrize("circumstance", CIRCUMSTANCES)
@pytest.mark.parametrize("by", ["account", "name", "option", "tag"])
def test_what_is_excluded_is_never_queued(state: CoverageState, circumstance: str, by: str) -> None:
    rules, reason = {
        "account": (
            Rules(settings=settings(exclude_accounts=LISTED.function.account), profile_id=PROFILE),
            f"the account {LISTED.function.account} is excluded",
        ),
        "name": (
            Rules(settings=settings(exclude_functions="pay*"), profile_id=PROFILE),
            "the name matches pay*",
        ),
        "option": (Rules(settings=settings(), profile_id=PROFILE, exclude=("*ents",)), "the name matches *ents"),
        "tag": (RULES, "it is tagged QualysScanExclude"),
    }[by]
    known = standing(state, **CIRCUMSTANCES[circumstance])
    expected = Decision(Verdict.EXCLUDED, reason=reason)
    assert of(LISTED, known, rules=rules, tagged=by == "tag") == expected
    assert of(LISTED, None, rules=rules, tagged=by == "tag") == expected


def test_what_nobody_knows_is_missing() -> None:
    assert of(LISTED, None) == of(LISTED, None, tagged=None) == QUEUED[Why.MISSING]


class TestWaiting:
    @pytest.mark.parametrize("state", sorted(QUEUED_BEFORE))
    @pytest.mark.parametrize(
        ("at", "queued_at", "expected"),
        [
            (NOW - RETRY + timedelta(seconds=1), None, WAITING),
            (NOW - RETRY, None, QUEUED[Why.LOST]),
            (NOW - 3 * DAY, NOW - RETRY + timedelta(seconds=1), WAITING),
            (NOW - 3 * DAY, NOW - RETRY, QUEUED[Why.LOST]),
            # A worker has had the message in hand since, so it is not lost.
            (NOW - HOUR, NOW - 3 * DAY, WAITING),
        ],
    )
    def test_a_message_is_lost_when_nobody_has_spoken_of_it_for_long(
        self, state: CoverageState, at: datetime, queued_at: datetime | None, expected: Decision
    ) -> None:
        assert of(LISTED, standing(state, at=at, queued_at=queued_at)) == expected

    @pytest.mark.parametrize("state", [CoverageState.PENDING, CoverageState.STALE])
    def test_behind_a_backlog_what_was_queued_waits_until_its_message_is_about_to_be_forgotten(
        self, state: CoverageState
    ) -> None:
        rules = replace(RULES, is_backlog=True)
        long_ago = NOW - 20 * DAY
        for queued_at, behind_a_backlog in (
            (NOW - RETRY, WAITING),
            (NOW - 13 * DAY + timedelta(seconds=1), WAITING),
            (NOW - 13 * DAY, QUEUED[Why.LOST]),
        ):
            known = standing(state, at=long_ago, queued_at=queued_at)
            assert of(LISTED, known, rules=rules) == behind_a_backlog
            assert of(LISTED, known) == QUEUED[Why.LOST], "with an empty queue nothing is waited for"

    def test_what_no_sweep_has_queued_is_in_no_backlog(self) -> None:
        known = standing(CoverageState.PENDING, at=NOW - 20 * DAY)
        assert of(LISTED, known, rules=replace(RULES, is_backlog=True)) == QUEUED[Why.LOST]

    def test_a_backlog_says_nothing_of_what_a_worker_had_in_hand(self) -> None:
        rules = replace(RULES, is_backlog=True)
        begun = standing(CoverageState.SCANNING, at=NOW - RETRY, queued_at=NOW - 2 * DAY)
        assert of(LISTED, begun, rules=rules) == QUEUED[Why.LOST]

    def test_a_backlog_says_nothing_of_a_message_that_came_after_the_sweep(self) -> None:
        """The moment of a sweep stays noted with a function; a change, whose message is lost, comes days later."""
        rules = replace(RULES, is_backlog=True)
        changed = standing(CoverageState.PENDING, at=NOW - RETRY, queued_at=NOW - 5 * DAY)
        assert of(LISTED, changed, rules=rules) == QUEUED[Why.LOST]

    @pytest.mark.parametrize("state", sorted({*CoverageState} - {CoverageState.PENDING, CoverageState.STALE}))
    @pytest.mark.parametrize("circumstance", CIRCUMSTANCES)
    def test_a_backlog_changes_nothing_for_whoever_does_not_wait(self, state: CoverageState, circumstance: str) -> None:
        known = standing(state, **CIRCUMSTANCES[circumstance])
        assert of(LISTED, known, rules=replace(RULES, is_backlog=True)) == of(LISTED, known)

    def test_a_retry_time_beyond_that_is_kept(self) -> None:
        rules = Rules(settings=settings(sweep_retry_hours=14 * 24), profile_id=PROFILE, is_backlog=True)
        assert of(LISTED, standing(CoverageState.PENDING, queued_at=NOW - 13 * DAY), rules=rules) == WAITING

    def test_other_code_does_not_queue_again_what_waits(self) -> None:
        waiting = standing(CoverageState.PENDING, at=NOW - HOUR, fingerprint="0" * 64)
        assert of(CHANGED, waiting) == WAITING

    @pytest.mark.parametrize("state", TRIED)
    def test_a_failed_try_is_repeated_after_the_time_set(self, state: CoverageState) -> None:
        rules = Rules(settings=settings(sweep_retry_hours=2), profile_id=PROFILE)
        assert of(LISTED, standing(state, at=NOW - 2 * HOUR), rules=rules) == QUEUED[Why.FAILED]
        assert of(LISTED, standing(state, at=NOW - HOUR), rules=rules) == WAITING


class TestChanged:
    @pytest.mark.parametrize("state", sorted({*RESULTS, *TRIED}))
    def test_newer_code_is_queued_at_once(self, state: CoverageState) -> None:
        assert of(CHANGED, standing(state, at=NOW - HOUR)) == QUEUED[Why.CHANGED]

    @pytest.mark.parametrize("state", sorted(RESULTS))
    def test_a_list_that_lags_behind_the_result_says_nothing(self, state: CoverageState) -> None:
        assert of(CHANGED, standing(state, as_of=CHANGED.as_of + timedelta(milliseconds=1))) == FRESH

    @pytest.mark.parametrize("state", sorted(RESULTS))
    def test_a_list_without_a_hash_says_nothing_of_code(self, state: CoverageState) -> None:
        bare = Listed.of(replace(SNAPSHOT, code_sha256="", last_modified=NOW - HOUR))
        assert bare.fingerprint is None
        assert of(bare, standing(state)) == FRESH

    def test_a_refusal_that_saw_no_code_is_no_change(self) -> None:
        refused = standing(CoverageState.NO_ACCESS, as_of=None, fingerprint=None, at=NOW - HOUR)
        assert of(LISTED, refused) == WAITING

    def test_code_that_was_seen_without_its_moment_changes_too(self) -> None:
        assert of(CHANGED, standing(CoverageState.FAILED, as_of=None, at=NOW - HOUR)) == QUEUED[Why.CHANGED]

    def test_layers_are_code(self) -> None:
        layer = "arn:aws:lambda:eu-central-1:210000000001:layer:log4j-fix:4"
        assert of(Listed.of(replace(SNAPSHOT, layers=(layer,))), standing(CoverageState.COVERED)) == QUEUED[Why.CHANGED]


class TestResults:
    @pytest.mark.parametrize("state", sorted(RESULTS))
    def test_a_result_of_unknown_profile_is_renewed(self, state: CoverageState) -> None:
        assert of(LISTED, standing(state, profile_id=None)) == QUEUED[Why.PROFILE]

    @pytest.mark.parametrize("state", sorted(RESULTS))
    def test_a_result_of_unknown_age_is_renewed(self, state: CoverageState) -> None:
        assert of(LISTED, standing(state, fresh_until=None)) == QUEUED[Why.STALE]

    def test_a_changed_function_is_changed_whatever_its_profile(self) -> None:
        assert of(CHANGED, standing(CoverageState.COVERED, profile_id=None)) == QUEUED[Why.CHANGED]

    @pytest.mark.parametrize("why", Why)
    def test_only_what_has_a_result_of_its_code_is_renewed(self, why: Why) -> None:
        assert why.renews is (why.value in {"stale", "profile"})


class TestOutlived:
    """A result that did not count any more, of a function that could not be listed: now it can."""

    @pytest.mark.parametrize("queued_at", [None, NOW - 30 * DAY, NOW - HOUR - timedelta(milliseconds=1)])
    @pytest.mark.parametrize("is_backlog", [True, False])
    def test_nothing_is_waited_for_that_nobody_has_queued_since(
        self, queued_at: datetime | None, is_backlog: bool
    ) -> None:
        known = standing(CoverageState.STALE, at=NOW - HOUR, queued_at=queued_at, fresh_until=NOW)
        rules = replace(RULES, is_backlog=is_backlog)
        assert of(LISTED, known, rules=rules) == QUEUED[Why.STALE]
        assert of(CHANGED, known, rules=rules) == QUEUED[Why.CHANGED]

    def test_what_was_queued_waits_and_is_lost_as_before(self) -> None:
        note = queued(LISTED, standing(CoverageState.COVERED, fresh_until=NOW), Why.STALE, NOW)
        assert (note.state, note.queued_at) == (CoverageState.STALE, NOW)
        known = standing(note.state, at=note.at, queued_at=note.queued_at)
        later = partial(decide, LISTED, known, RULES, tagged=False)
        assert later(now=NOW + RETRY - timedelta(milliseconds=1)) == WAITING
        assert later(now=NOW + RETRY) == QUEUED[Why.LOST]

    def test_of_a_result_that_counts_again_a_worker_is_asked(self) -> None:
        assert of(LISTED, standing(CoverageState.STALE)) == QUEUED[Why.STALE]


class TestTagsThatNobodyMayAskFor:
    by_tag = standing(CoverageState.EXCLUDED, reason="it is tagged QualysScanExclude", at=NOW - HOUR)

    def test_who_was_excluded_by_tag_stays_so_until_a_worker_is_asked_again(self) -> None:
        assert of(LISTED, self.by_tag, tagged=None) == Decision(Verdict.EXCLUDED, reason=self.by_tag.reason)
        assert of(LISTED, replace(self.by_tag, at=NOW - RETRY), tagged=None) == QUEUED[Why.MISSING]

    def test_who_was_excluded_by_a_name_that_is_allowed_now_is_queued_at_once(self) -> None:
        by_name = replace(self.by_tag, reason="the name matches pay*")
        assert of(LISTED, by_name, tagged=None) == QUEUED[Why.MISSING]

    def test_who_has_lost_the_tag_is_queued_at_once(self) -> None:
        assert of(LISTED, self.by_tag, tagged=False) == QUEUED[Why.MISSING]


moments = st.datetimes(NOW.replace(tzinfo=None) - 90 * DAY, NOW.replace(tzinfo=None) + 90 * DAY).map(
    lambda moment: moment.replace(tzinfo=NOW.tzinfo)
)
fingerprints = st.sampled_from([LISTED.fingerprint, CHANGED.fingerprint, None])
standings = st.builds(
    Standing,
    function=st.just(LISTED.function),
    state=st.sampled_from(CoverageState),
    at=moments,
    reason=st.sampled_from(["", "it is tagged QualysScanExclude", "the name matches pay*"]),
    as_of=st.none() | moments,
    fingerprint=fingerprints,
    profile_id=st.sampled_from([PROFILE, "7d1e0c44ab90", None]),
    fresh_until=st.none() | moments,
    queued_at=st.none() | moments,
)
listeds = st.builds(
    Listed,
    function=st.sampled_from([LISTED.function, FunctionArn("aws", "eu-central-1", "210000000001", "payments", "3")]),
    as_of=moments,
    fingerprint=fingerprints,
    runtime=st.just("python3.13"),
)


@given(listeds, standings, st.sampled_from([True, False, None]))
def test_a_fresh_result_of_this_code_and_profile_is_never_queued(
    one: Listed, known: Standing, tagged: bool | None
) -> None:
    known = replace(
        known,
        state=CoverageState.COVERED,
        fingerprint=one.fingerprint,
        profile_id=PROFILE,
        fresh_until=NOW + timedelta(milliseconds=1),
    )
    assert of(one, known, tagged=tagged).verdict is not Verdict.QUEUE


@given(listeds, st.none() | standings)
def test_what_is_tagged_is_never_queued(one: Listed, known: Standing | None) -> None:
    assert of(one, known, tagged=True).verdict is Verdict.EXCLUDED


@given(listeds, st.none() | standings, st.sampled_from([False, None]))
def test_what_is_queued_waits_in_the_next_sweep(one: Listed, known: Standing | None, tagged: bool | None) -> None:
    first = of(one, known, tagged=tagged)
    if first.verdict is not Verdict.QUEUE:
        assert first.why is None
        return
    assert first.why is not None
    state = CoverageState.STALE if first.why.renews else CoverageState.PENDING
    noted = Standing(function=one.function, state=state, at=NOW, queued_at=NOW, as_of=one.as_of)
    assert decide(one, noted, RULES, tagged=tagged, now=NOW + RETRY - timedelta(seconds=1)) == WAITING


@given(listeds, standings, st.booleans())
def test_nothing_is_left_alone_for_ever(one: Listed, known: Standing, is_backlog: bool) -> None:
    """Whatever stands there: some time later it is fresh, excluded or queued."""
    later = decide(one, known, replace(RULES, is_backlog=is_backlog), tagged=None, now=NOW + 120 * DAY)
    assert later.verdict is Verdict.QUEUE
