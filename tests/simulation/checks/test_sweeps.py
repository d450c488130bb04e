"""Sweeps that say what is not so, that queue what needs nothing, and after which something is not known."""

from dataclasses import replace
from typing import Any

import pytest

from hub.coverage import Coverage, CoverageState
from hub.standing import Standing
from hub.sweep.report import AccountResult, SweepReport
from hub.sweep_items import new_run
from hub.sweeps import SweepCounts, SweepScope
from tests.simulation.court import ARN, CONTENT, OTHER, SCAN_SK, Court
from tests.simulation.truth import EXCLUDED_TAG, PROFILE, START, Function, Version, moment

DAY = 86_400.0


def at(second: float) -> int:
    return int((START.timestamp() + second) * 1000)


def state(court: Court, name: str, **more: Any) -> None:
    court.write("state", {"state": name, "at": at(court.now[0]), "asOf": at(-300), **more})


def covered(court: Court, content: str = CONTENT, **more: Any) -> None:
    fresh = {"fingerprint": content, "freshUntil": at(30 * DAY), "profileId": PROFILE.id}
    court.write(SCAN_SK, {"summary": court.summary()})
    state(court, "COVERED", **{**fresh, **more})


def queues(court: Court, *, since: float) -> None:
    function = court.scene.organization.functions[ARN]
    court.send(f"m{court.now[0]:.0f}", kind="request", queue="sweep", about=court.now[0])
    court.oracle.swept("s1", function, "m1", since=since)


def claim(court: Court, owner: str, *, until: float) -> None:
    court.write(ARN.account, {"claimOwner": owner, "claimExpiresAt": at(until)}, pk="accounts")


def deleted(court: Court, second: float) -> None:
    court.scene.organization.functions[ARN].history.append(Version(second, None, moment(second)))


def test_a_claim_that_is_taken_over_before_its_end(court: Court) -> None:
    claim(court, "owner-1", until=300)
    court.passes(299)
    claim(court, "owner-2", until=600)
    assert court.verdict.startswith("invariant 12: owner-2 takes the claim owner-1 on 210000000001")


def test_a_claim_that_has_ended_or_was_given_up_may_be_taken(court: Court) -> None:
    claim(court, "owner-1", until=300)
    court.passes(250)
    claim(court, "owner-1", until=550)
    court.passes(310)
    claim(court, "owner-2", until=900)
    swept(court)
    claim(court, "owner-3", until=1000)
    assert court.verdict == ""


def test_a_function_that_is_said_to_be_gone_and_was_there_all_the_time(court: Court) -> None:
    court.passes(100)
    state(court, "GONE", reason="a sweep did not find it", asOf=at(90))
    assert "is gone, and it was there all the time" in court.verdict


def test_a_function_that_was_not_there_when_it_was_listed_is_gone(court: Court) -> None:
    deleted(court, 50)
    court.passes(100)
    state(court, "GONE", reason="a sweep did not find it", asOf=at(90))
    assert court.verdict == ""


def test_a_function_that_is_said_to_be_queued_and_was_not_sent(court: Court) -> None:
    state(court, "PENDING", queuedAt=at(0))
    assert court.verdict.startswith("invariant 12")
    assert "is said to be queued at 0.000, and was not sent" in court.verdict


def test_one_that_was_sent_before_it_is_said_to_be_queued(court: Court) -> None:
    queues(court, since=0)
    court.passes(2)
    state(court, "PENDING", queuedAt=at(2))
    assert court.verdict == ""


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_state_that_the_sweep_has_not_seen_is_not_written_over(court: Court, is_seen: bool) -> None:
    state(court, "FAILED")
    standing = Standing(function=ARN, state=CoverageState.FAILED, at=moment(0))
    court.passes(5000)
    if not is_seen:
        state(court, "SCANNING")
    queues(court, since=4990)
    court.passes(2)
    note = Coverage(function=ARN, state=CoverageState.PENDING, at=moment(5002), queued_at=moment(5002))
    court.oracle.sweeps.replaces(note, standing)
    state(court, "PENDING", queuedAt=at(5002))
    assert ("which it has not seen" in court.verdict) == (not is_seen)


def test_a_fresh_result_is_not_queued(court: Court) -> None:
    covered(court)
    court.passes(60)
    queues(court, since=50)
    assert court.verdict.endswith("whose result is fresh")


@pytest.mark.parametrize(
    "more", [{"fingerprint": OTHER}, {"profileId": "000000000000"}, {"freshUntil": 0}, {"profileId": None}]
)
def test_what_is_stale_changed_or_of_another_profile_is_queued(court: Court, more: dict[str, Any]) -> None:
    covered(court, **more)
    court.passes(60)
    queues(court, since=50)
    assert court.verdict == ""


def test_what_was_covered_after_the_sweep_began_may_be_queued(court: Court) -> None:
    court.passes(60)
    covered(court)
    queues(court, since=50)
    assert court.verdict == ""


def test_what_waits_is_not_queued_again_before_its_time(court: Court) -> None:
    queues(court, since=0)
    state(court, "PENDING", queuedAt=at(0))
    court.passes(3500)
    queues(court, since=3490)
    assert "which waits since 0.000" in court.verdict


def test_what_was_lost_is_queued_again(court: Court) -> None:
    queues(court, since=0)
    state(court, "PENDING", queuedAt=at(0))
    court.passes(3700)
    queues(court, since=3690)
    assert court.verdict == ""


def test_what_has_just_failed_is_left_alone_for_a_while(court: Court) -> None:
    state(court, "FAILED", fingerprint=CONTENT)
    court.passes(3700)
    queues(court, since=3690)
    assert court.verdict == ""
    state(court, "FAILED", fingerprint=CONTENT)
    court.passes(60)
    queues(court, since=3750)
    assert court.verdict.endswith("which has just failed")


def test_unless_its_code_was_changed(court: Court) -> None:
    state(court, "FAILED", fingerprint=OTHER)
    court.passes(60)
    queues(court, since=50)
    assert court.verdict == ""


def test_what_is_in_an_excluded_account_is_never_queued(court: Court) -> None:
    court.scene.plan = replace(court.scene.plan, excluded_account=ARN.account)
    court.oracle.swept("s1", court.scene.organization.functions[ARN], "m1", since=0)
    assert court.verdict.endswith("which is excluded by its name or account")


def test_what_is_excluded_by_its_name_is_never_queued(court: Court) -> None:
    scratch = replace(ARN, name="scratch-1")
    function = court.scene.organization.functions[scratch] = Function(scratch)
    court.oracle.swept("s1", function, "m1", since=0)
    assert court.verdict.endswith("which is excluded by its name or account")


def finish(court: Court) -> str:
    court.oracle.sweeps.finished(since=court.now[0])
    return court.verdict


def test_a_function_of_which_nothing_is_known_in_the_end(court: Court) -> None:
    assert finish(court).endswith("nothing is known of it")


@pytest.mark.parametrize("name", ["PENDING", "SCANNING", "NO_ACCESS", "FAILED", "UNREADABLE", "EXCLUDED", "GONE"])
def test_a_sound_function_without_a_result_in_the_end(court: Court, name: str) -> None:
    state(court, name, reason="why")
    assert finish(court).endswith(f"its state is {name}: why")


def test_a_result_of_other_code_in_the_end(court: Court) -> None:
    covered(court, OTHER)
    assert "its state is COVERED of" in finish(court)


def test_a_result_that_is_not_durable_in_the_end(court: Court) -> None:
    covered(court)
    court.objects.clear()
    assert finish(court).endswith("no result of it is durable")


def test_a_function_that_is_covered_in_the_end(court: Court) -> None:
    covered(court)
    assert finish(court) == ""


def test_a_deleted_function_must_be_gone_in_the_end(court: Court) -> None:
    covered(court)
    deleted(court, 0)
    assert finish(court).endswith("it does not exist, and its state is COVERED")


def test_an_excluded_function_must_be_known_as_such(court: Court) -> None:
    court.scene.organization.functions[ARN].tags[EXCLUDED_TAG] = "true"
    assert finish(court).endswith("it is excluded, and its state is unknown")


@pytest.mark.parametrize(
    ("change", "name"),
    [({"unreadable": True}, "UNREADABLE"), ({"never_ready": True}, "FAILED"), ({"scan": "crash"}, "FAILED")],
)
def test_what_cannot_be_scanned_must_say_so(court: Court, change: dict[str, Any], name: str) -> None:
    functions = court.scene.organization.functions
    functions[ARN] = replace(functions[ARN], **change)
    state(court, name)
    assert finish(court) == ""
    court.passes(60)
    state(court, "PENDING", reason="why")
    assert finish(court).endswith("its state is PENDING: why")


def ends(court: Court, *, problem: str = "", stopped: str = "", since: float) -> None:
    """The last sweep, in which nothing may go wrong any more."""
    scope = SweepScope(profile_id=PROFILE.id)
    report = SweepReport(
        run=new_run(scope, moment(100)),
        scope=scope,
        counts=SweepCounts(),
        accounts=(AccountResult(account=ARN.account, problem=problem),),
        listed_accounts=1,
        started_at=moment(100),
        finished_at=moment(since + 1),
        duration=1.0,
        stopped=stopped,
    )
    court.oracle.sweeps.last_ended("s4", report, since)


def test_a_last_sweep_that_finds_an_account_shut(court: Court) -> None:
    court.write(ARN.account, {"sweptAt": at(5001)}, pk="accounts")
    ends(court, problem="AccessDenied", since=5000)
    assert court.verdict.startswith("invariant 12: s4, the last sweep, is done in part: Problem(account='210000000001'")


def test_a_last_sweep_that_has_left_an_account_alone(court: Court) -> None:
    ends(court, problem="no answer for 5 minutes", since=5000)
    assert court.verdict.startswith("invariant 12: s4, the last sweep, is done in part")


def test_a_last_sweep_that_ends_an_interrupted_one_tells_what_that_had_met(court: Court) -> None:
    court.write(ARN.account, {"sweptAt": at(800)}, pk="accounts")
    ends(court, problem="AccessDenied", since=5000)
    assert court.verdict == ""


def test_a_last_sweep_that_is_stopped(court: Court) -> None:
    ends(court, stopped="the service is paused", since=5000)
    assert court.verdict == "invariant 12: s4, the last sweep, is stopped: the service is paused"


def outlived(court: Court, **more: Any) -> None:
    """A sweep says that the result does not count, and has not queued the function."""
    state(court, "STALE", reason="its result is too old, and its region eu-central-1 is not swept", **more)


def old(court: Court) -> None:
    covered(court, freshUntil=at(court.now[0] - 100))


def swept(court: Court, *, problem: str = "", region_problem: str = "") -> None:
    """The account was gone over, by whoever had claimed it."""
    regions = {ARN.region: {"functions": 1, "problem": region_problem}} if not problem else {}
    outcome = {"problem": problem, "regions": regions}
    court.write(ARN.account, {"sweptAt": at(court.now[0]), "outcome": outcome}, pk="accounts")


def test_a_good_result_is_not_called_outlived(court: Court) -> None:
    covered(court)
    court.passes(60)
    outlived(court)
    assert court.verdict.endswith("is said to be outlived, and its result is good")


@pytest.mark.parametrize("name", ["PENDING", "SCANNING", "NO_ACCESS", "FAILED", "EXCLUDED", "GONE"])
def test_what_is_no_result_is_not_called_outlived(court: Court, name: str) -> None:
    state(court, name)
    court.passes(60)
    outlived(court)
    assert "which is no result" in court.verdict


@pytest.mark.parametrize("more", [{"freshUntil": at(0)}, {"profileId": "000000000000"}, {"freshUntil": 0}])
def test_what_does_not_count_is_called_so_also_for_another_reason(court: Court, more: dict[str, Any]) -> None:
    covered(court, **more)
    for _ in range(2):
        court.passes(60)
        outlived(court)
    assert court.verdict == ""


@pytest.mark.parametrize("problem", ["", "AccessDenied"])
def test_no_result_counts_that_was_too_old_when_its_account_was_swept(court: Court, problem: str) -> None:
    old(court)
    court.passes(60)
    claim(court, "owner-1", until=400)
    court.passes(2)
    swept(court, problem=problem)
    assert court.verdict.endswith("was swept, and is COVERED by a result that is not good")


def test_a_result_that_was_good_when_its_account_was_claimed_counts(court: Court) -> None:
    covered(court, freshUntil=at(61))
    court.passes(60)
    claim(court, "owner-1", until=400)
    court.passes(30)
    swept(court)
    assert court.verdict == ""


def test_what_was_written_while_its_account_was_swept_is_for_the_next_sweep(court: Court) -> None:
    court.passes(60)
    claim(court, "owner-1", until=400)
    court.passes(1)
    old(court)
    swept(court)
    assert court.verdict == ""


def test_what_came_and_went_is_for_the_next_sweep(court: Court) -> None:
    old(court)
    court.passes(60)
    claim(court, "owner-1", until=400)
    deleted(court, 61)
    court.passes(2)
    swept(court)
    assert court.verdict == ""


def test_what_the_queue_did_not_take_is_for_the_next_sweep(court: Court) -> None:
    old(court)
    court.passes(60)
    claim(court, "owner-1", until=400)
    swept(court, region_problem="the queue did not take 1 of 1 requests")
    assert court.verdict == ""


@pytest.mark.parametrize("region_problem", ["", "AccessDenied"])
def test_what_is_outlived_is_queued_by_the_sweep_that_lists_it(court: Court, region_problem: str) -> None:
    old(court)
    court.passes(60)
    outlived(court)
    court.passes(60)
    claim(court, "owner-1", until=400)
    court.passes(1)
    swept(court, region_problem=region_problem)
    assert ("was listed, and is outlived since 60.000" in court.verdict) == (region_problem == "")


def test_what_is_outlived_in_the_end(court: Court) -> None:
    old(court)
    court.passes(60)
    outlived(court)
    assert "its state is STALE: its result is too old" in finish(court)


def test_what_is_outlived_waits_for_no_message(court: Court) -> None:
    old(court)
    court.passes(60)
    outlived(court)
    court.passes(60)
    queues(court, since=110)
    assert court.verdict == ""
    state(court, "STALE", queuedAt=at(120))
    court.passes(60)
    queues(court, since=170)
    assert "which waits since 120.000" in court.verdict
