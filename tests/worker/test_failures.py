import asyncio
from datetime import timedelta

import pytest

from hub.coverage import CoverageState
from hub.notification import NotificationKind
from hub.scans import CLOCK_SKEW, Claimed, ScanStatus
from spoke.arn import FunctionArn
from spoke.errors import (
    Gone,
    HostFault,
    LeaseLost,
    Misconfigured,
    QualysFault,
    ResultUnwritable,
    Retry,
    ScanhubError,
    ScannerCrashed,
    Throttled,
    Unavailable,
    Unreadable,
    UploadFailed,
)
from spoke.snapshot import FunctionSnapshot
from tests.worker.hooks import failing
from tests.worker.worlds import (
    ACCOUNT,
    LONG,
    NEWER_CODE,
    TestWorld,
    event,
    function,
    in_world,
    key_of,
    message,
    snapshot,
    travel,
    travel_again,
)
from worker.memory.clock import START
from worker.memory.scanner import Script
from worker.trip import Ending, EndingKind, Trip


@in_world()
async def test_a_function_that_is_gone_is_written_down_and_the_message_ends(world: TestWorld) -> None:
    world.spoke.remove(function())
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.GONE
    assert (await world.coverage()).state is CoverageState.GONE


@in_world()
async def test_a_function_created_anew_before_the_answer_is_there_is_not_gone(world: TestWorld) -> None:
    describe = world.spoke.describe
    world.spoke.remove(function())

    async def late(function: FunctionArn) -> FunctionSnapshot:
        try:
            return await describe(function)
        finally:
            await asyncio.sleep(3)

    world.spoke.describe = late  # type: ignore[method-assign]  # the answer takes its time
    asked = asyncio.ensure_future(travel(world, event()))
    await asyncio.sleep(1)
    world.spoke.describe = describe  # type: ignore[method-assign]  # and this one does not
    world.spoke.put(snapshot(last_modified=START + timedelta(seconds=1)))
    ending, _ = await travel(world, event(), number=2)
    late_ending, _ = await asked
    assert (late_ending.kind, late_ending.reason) == (EndingKind.GIVEN_BACK, "gone"), "it is looked at once more"
    assert ending.kind is EndingKind.STORED
    assert (await world.coverage()).state is CoverageState.COVERED


@pytest.mark.parametrize("ahead", [timedelta(seconds=-9), timedelta(0), timedelta(seconds=9)], ids=str)
def test_a_function_deleted_and_created_anew_ends_covered_whatever_the_clocks_say(ahead: timedelta) -> None:
    @in_world()
    async def body(world: TestWorld) -> None:
        world.clock._start += ahead
        world.spoke.put(snapshot(last_modified=START - timedelta(seconds=1)))
        await travel(world, event())
        world.spoke.remove(function())
        ending, _ = await travel(world, event(name="DeleteFunction20150331", code=None), number=2)
        assert ending.kind is EndingKind.GONE
        assert (await world.coverage()).state is CoverageState.GONE
        # At once, by Lambda's own clock.
        anew = START + timedelta(seconds=asyncio.get_running_loop().time(), milliseconds=1)
        world.spoke.put(snapshot(code_sha256=NEWER_CODE, last_modified=anew))
        ending, _ = await travel(world, event(code=NEWER_CODE), number=3)
        assert ending.kind is EndingKind.STORED
        assert (await world.coverage()).state is CoverageState.COVERED

    body()


@in_world()
async def test_code_that_is_not_ready_comes_back_within_a_minute_and_is_no_failure(world: TestWorld) -> None:
    world.spoke.put(snapshot(state="Pending"))
    ending, _ = await travel(world, event(), receive_count=9)
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "not_ready")
    assert timedelta(seconds=15) <= ending.delay <= timedelta(seconds=60)
    assert (await world.coverage()).state is CoverageState.PENDING
    assert world.notifier.told == []


@in_world()
async def test_code_that_never_gets_ready_is_parked_in_the_end(world: TestWorld) -> None:
    world.spoke.put(snapshot(state="Pending"))
    ending, _ = await travel_again(world, event(), 15)
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "not_ready")
    assert (await world.coverage()).state is CoverageState.FAILED


@in_world()
async def test_an_image_that_lambda_may_not_read_is_parked_as_unreadable(world: TestWorld) -> None:
    world.spoke.put(snapshot(state="Inactive", state_reason_code="ImageAccessDenied", package_type="Image"))
    ending, _ = await travel(world, event())
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "unreadable")
    assert (await world.coverage()).state is CoverageState.UNREADABLE
    assert [told.kind for told in world.notifier.told] == [NotificationKind.FAILED]


@in_world()
async def test_a_role_that_cannot_be_assumed_is_no_access_and_parked_after_the_last_try(world: TestWorld) -> None:
    world.spoke.deny(ACCOUNT)
    ending, _ = await travel(world, event())
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "no_access")
    assert (await world.coverage()).state is CoverageState.NO_ACCESS
    await asyncio.sleep(1000)
    ending, trip = await travel_again(world, event(), 5)
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "no_access")
    assert [failure.attempt for failure in trip.history] == [1, 2, 3, 4, 5]


@in_world()
async def test_an_earlier_delivery_of_this_message_makes_it_wait_until_the_lease_ends(world: TestWorld) -> None:
    await world.ledger.claim(
        key_of(world), message_id="message-1", now=world.clock.now(), duration=timedelta(seconds=180)
    )
    ending, _ = await travel(world, event(), receive_count=2)
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "lease_held")
    assert CLOCK_SKEW + timedelta(seconds=180) <= ending.delay <= CLOCK_SKEW + timedelta(seconds=185)


@in_world()
async def test_a_lease_lost_during_the_scan_ends_it_and_stores_nothing(world: TestWorld) -> None:
    world.scanner.script(function(), Script(duration=timedelta(hours=1)))

    world.ledger.on_call = failing("renew", LeaseLost("taken over"))
    ending, _ = await travel(world, event())
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "lease_lost")
    assert world.objects.writes == []
    assert [one.end for one in world.scanner.runs if one.end is not None] == ["cancelled"]


@pytest.mark.parametrize(
    "error",
    [Throttled("slow down"), Unavailable("no answer"), ScannerCrashed("died", detail="segfault"), UploadFailed("x")],
)
def test_a_scan_that_may_work_next_time_is_given_back_and_its_lease_with_it(error: Retry) -> None:
    @in_world()
    async def body(world: TestWorld) -> None:
        world.scanner.script(function(), Script(error=error))
        ending, _ = await travel(world, event())
        assert ending.kind is EndingKind.GIVEN_BACK
        assert timedelta(seconds=1) <= ending.delay <= timedelta(seconds=10)
        coverage = await world.coverage()
        assert (coverage.state, coverage.reason) == (CoverageState.PENDING, error.text)
        await asyncio.sleep(10)  # an account that throttles is paused
        again, _ = await travel(world, event(), receive_count=2)
        assert again.kind is EndingKind.STORED, "the lease was given up: the next try need not wait for its end"

    body()


@in_world()
async def test_the_last_failing_try_is_stored_told_and_parked_with_its_stderr(world: TestWorld) -> None:
    world.scanner.script(function(), *[Script(error=ScannerCrashed("the scanner died", detail="SIGSEGV at 0x0"))] * 5)
    ending, trip = await travel_again(world, event(), 5)
    assert [(one.attempt, one.reason) for one in trip.history] == [(n, "scanner_crashed") for n in range(1, 6)]
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "scanner_crashed")
    assert "SIGSEGV at 0x0" in ending.detail
    assert (await world.coverage()).state is CoverageState.FAILED
    [told] = world.notifier.told
    assert (told.kind, told.reason) == (NotificationKind.FAILED, "the scanner died")
    assert told.summary is not None
    assert told.summary.status is ScanStatus.FAILED
    assert world.objects.writes[-1] == told.summary.manifest_key
    log = world.objects.stored[told.summary.manifest_key.replace("manifest.json", "stderr.log")]
    assert b"SIGSEGV at 0x0" in log.data
    assert world.metrics.total("ScansFailed") == 1


@pytest.mark.parametrize("error", [HostFault("disk full"), Misconfigured("bad option")])
def test_a_fault_of_the_worker_is_told_to_it_and_the_message_comes_again(error: ScanhubError) -> None:
    @in_world()
    async def body(world: TestWorld) -> None:
        world.scanner.script(function(), Script(error=error))
        ending, _ = await travel(world, event(), receive_count=99)
        assert ending.kind is EndingKind.GIVEN_BACK
        assert ending.fault is error
        assert (await world.coverage()).state is CoverageState.PENDING

    body()


@in_world()
async def test_a_message_pays_nothing_for_a_refused_token_however_often(world: TestWorld) -> None:
    world.scanner.script(function(), *[Script(error=QualysFault("token refused"))] * 50)
    for receive_count in range(1, 51):
        ending, trip = await travel(world, event(), receive_count=receive_count)
        assert (ending.kind, ending.reason, trip.history) == (EndingKind.GIVEN_BACK, "qualys", ())
        world.world.circuit.probe()
    assert (await world.coverage()).state is CoverageState.PENDING


@in_world()
async def test_receives_that_were_no_failures_do_not_count(world: TestWorld) -> None:
    world.scanner.script(function(), Script(error=ScannerCrashed("the scanner died")))
    ending, trip = await travel(world, event(), receive_count=200)
    assert ending.kind is EndingKind.GIVEN_BACK
    assert len(trip.history) == 1


@in_world()
async def test_each_kind_of_failure_has_a_count_of_its_own(world: TestWorld) -> None:
    crashed, throttled = Script(error=ScannerCrashed("the scanner died")), Script(error=Throttled("slow down"))
    world.scanner.script(function(), *[crashed] * 4, *[throttled] * 10, crashed)
    ending, trip = await travel_again(world, event(), 15)
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "scanner_crashed")
    assert len(trip.history) == 15


@in_world()
async def test_a_result_that_cannot_be_written_is_tried_once_elsewhere(world: TestWorld) -> None:
    world.scanner.script(function(), *[Script(error=ResultUnwritable("exit 35"))] * 2)
    ending, _ = await travel_again(world, event(), 2)
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "result_unwritable")


@in_world()
async def test_a_failure_that_the_ledger_does_not_take_is_not_counted(world: TestWorld) -> None:
    world.scanner.script(function(), *[Script(error=ScannerCrashed("the scanner died"))] * 9)
    world.ledger.on_call = failing("note_failure", Unavailable("no answer"))
    for receive_count in range(1, 9):
        ending, _ = await travel(world, event(), receive_count=receive_count)
        assert ending.kind is EndingKind.GIVEN_BACK
    world.ledger.on_call = None
    _, trip = await travel(world, event(), receive_count=9)
    assert [failure.attempt for failure in trip.history] == [9]


@in_world()
async def test_two_messages_of_a_function_that_kills_workers_do_not_take_turns_for_ever(world: TestWorld) -> None:
    await world.ledger.claim(
        key_of(world), message_id="message-2", now=world.clock.now(), duration=timedelta(seconds=180)
    )
    await asyncio.sleep(200)  # nobody renews it: the worker of the other message is dead
    world.scanner.script(function(), Script(error=ScannerCrashed("the scanner died")))
    _, trip = await travel(world, event())
    assert [failure.reason for failure in trip.history] == ["worker_died", "scanner_crashed"]


@in_world()
async def test_a_function_that_takes_its_workers_down_is_parked_in_the_end(world: TestWorld) -> None:
    """A worker that dies in mid-scan leaves its lease; SQS only counts receives, of which many are no failures."""
    asked = asyncio.ensure_future(asyncio.sleep(0, (Ending(kind=EndingKind.LOST), Trip(message(event())))))
    for receive_count in range(2, 7):
        claim = await world.ledger.claim(
            key_of(world), message_id="message-1", now=world.clock.now(), duration=timedelta(seconds=180)
        )
        assert isinstance(claim, Claimed)
        await asyncio.sleep(200)  # nobody renews it: the worker is dead
        world.scanner.script(function(), LONG)
        asked = asyncio.ensure_future(travel(world, event(), receive_count=receive_count, now=world.clock.now()))
        done, _ = await asyncio.wait({asked}, timeout=100)
        if not done:
            # This one dies too: its lease stays.
            world.ledger.on_call = failing("release", Unavailable("dead men make no calls"))
            asked.cancel()
            await asyncio.wait({asked})
            world.ledger.on_call = None
            await asyncio.sleep(200)
    ending, trip = asked.result()
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "worker_died")
    assert [failure.reason for failure in trip.history] == ["worker_died"] * 5
    assert (await world.coverage()).state is CoverageState.FAILED


@in_world()
async def test_a_bucket_that_may_not_be_written_is_a_fault_beyond_this_message(world: TestWorld) -> None:
    world.objects.on_call = failing("put", Misconfigured("storing s3://scanhub-results/...: AccessDenied"))
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.GIVEN_BACK
    assert isinstance(ending.fault, Misconfigured)


@in_world()
async def test_an_unreadable_package_is_parked_at_the_first_try(world: TestWorld) -> None:
    world.scanner.script(function(), Script(error=Unreadable("a broken zip")))
    ending, _ = await travel(world, event())
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "unreadable")


@in_world()
async def test_a_bug_of_ours_is_a_failed_try_and_no_crash(world: TestWorld) -> None:
    world.spoke.fail("describe", ZeroDivisionError("division by zero"))
    ending, _ = await travel(world, event())
    assert (ending.kind, ending.reason, ending.detail) == (
        EndingKind.GIVEN_BACK,
        "unexpected",
        "unexpected ZeroDivisionError",
    )


@in_world()
async def test_effects_owed_at_the_last_try_park_the_message_but_not_the_result(world: TestWorld) -> None:
    for _ in range(20):
        world.spoke.fail("tag", Throttled("slow down"))
    ending, _ = await travel_again(world, event(), 20)
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "effects_owed")
    assert (await world.coverage()).state is CoverageState.COVERED
    assert all(told.kind is not NotificationKind.FAILED for told in world.notifier.told)


@in_world()
async def test_a_ledger_that_fails_while_a_failure_is_written_down_leaves_the_message(world: TestWorld) -> None:
    world.spoke.remove(function())

    world.ledger.on_call = failing("record", Unavailable("no answer"))
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.GIVEN_BACK


@in_world()
async def test_a_ledger_that_may_not_be_written_stops_the_worker_and_keeps_the_message(world: TestWorld) -> None:
    async def on_call(operation: str, *, after: bool) -> None:
        if operation in {"claim", "record"} and not after:
            raise Misconfigured("claiming a scan: AccessDeniedException")

    world.ledger.on_call = on_call
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.GIVEN_BACK
    assert isinstance(ending.fault, Misconfigured)


@in_world()
async def test_a_fault_of_the_host_is_heeded_although_it_cannot_be_written_down(world: TestWorld) -> None:
    world.scanner.script(function(), Script(error=HostFault("no space left")))

    async def on_call(operation: str, *, after: bool) -> None:
        if operation == "record" and not after and world.scanner.runs:
            raise Unavailable("no answer")

    world.ledger.on_call = on_call
    ending, _ = await travel(world, event())
    assert isinstance(ending.fault, HostFault)


@in_world()
async def test_a_function_that_fills_every_disk_is_parked_and_still_stops_the_worker(world: TestWorld) -> None:
    world.world.circuit.has_passed = True
    world.scanner.script(function(), *[Script(error=HostFault("the disk is full"))] * 3)
    ending, _ = await travel_again(world, event(), 3)
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "host_fault")
    assert isinstance(ending.fault, HostFault)
    assert (await world.coverage()).state is CoverageState.FAILED


@pytest.mark.parametrize("error", [Unavailable("no answer"), Misconfigured("the topic is not there")])
def test_a_topic_that_fails_does_not_keep_a_failed_message_alive(error: ScanhubError) -> None:
    @in_world()
    async def body(world: TestWorld) -> None:
        world.scanner.script(function(), Script(error=Unreadable("a broken zip")))
        world.notifier.on_call = failing("notify", error)
        ending, _ = await travel(world, event())
        assert (ending.kind, ending.reason, ending.fault) == (EndingKind.PARKED, "unreadable", None)

    body()


@in_world()
async def test_an_account_that_denies_access_for_good_denies_it_to_each_of_its_messages(world: TestWorld) -> None:
    world.spoke.deny(ACCOUNT)
    for number in range(12):
        await travel(world, event(), number=number)
        await asyncio.sleep(901)
    await travel(world, event(), number=99)
    ending, trip = await travel(world, event(), number=100)
    assert (ending.kind, ending.reason) == (EndingKind.GIVEN_BACK, "no_access")
    assert [failure.reason for failure in trip.history] == ["no_access"], "counted, though nobody asked"
    for receive_count in range(2, 6):
        ending, _ = await travel(world, event(), number=100, receive_count=receive_count)
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "no_access")


@in_world()
async def test_a_tag_that_cannot_be_written_silences_no_finding(world: TestWorld) -> None:
    for _ in range(30):
        world.spoke.fail("tag", Throttled("slow down"))
    ending, _ = await travel_again(world, event(), 20)
    assert (ending.kind, ending.reason) == (EndingKind.PARKED, "effects_owed")
    assert [told.kind for told in world.notifier.told] == [NotificationKind.FINDINGS]


@in_world()
async def test_a_tag_that_lambda_refuses_for_good_is_no_failure(world: TestWorld) -> None:
    world.spoke.fail("tag", Retry("tagging: InvalidParameterValueException: more than 50 tags"))
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.STORED


@in_world()
async def test_one_broken_ledger_item_does_not_fail_what_was_looked_up_with_it(world: TestWorld) -> None:
    other = function("neighbour")
    world.spoke.put(snapshot(other))
    await world.ledger.claim(key_of(world), message_id="x", now=START, duration=timedelta(seconds=1))
    [(key, item)] = world.ledger.items.items()
    world.ledger.items[key] = item | {"schema": 2}
    broken, fine = await asyncio.gather(travel(world, event()), travel(world, event(other), number=2))
    assert isinstance(broken[0].fault, Misconfigured)
    assert fine[0].kind is EndingKind.STORED


@in_world()
async def test_the_scanners_word_alone_makes_no_function_gone(world: TestWorld) -> None:
    """A deleted layer version reads the same, while the function runs on."""
    missing = Gone("operation error Lambda: GetLayerVersionByArn, StatusCode: 404, ResourceNotFoundException")
    world.scanner.script(function(), Script(error=missing))
    ending, _ = await travel(world, event())
    assert ending.kind is EndingKind.GIVEN_BACK
    assert (await world.coverage()).state is CoverageState.PENDING
    ending, _ = await travel(world, event(), receive_count=2)
    assert ending.kind is EndingKind.STORED
