import pytest

from spoke import errors
from spoke.errors import ScanhubError, ScannerCrashed
from tests.worker.worlds import TestWorld, event, in_world, message, settings
from worker import tries
from worker.trip import Trip


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        (errors.Unreadable("x"), 1),
        (errors.ResultUnwritable("x"), 2),
        (errors.HostFault("x"), 3),
        (errors.Misconfigured("x"), 3),
        (errors.CodeChanged("x"), 3),
        (errors.ScannerCrashed("x"), 7),
        (errors.WorkerDied("x"), 7),
        (errors.NoAccess("x"), 7),
        (errors.SessionRefused("x"), 7),
        (errors.Unexpected("x"), 7),
        (errors.Throttled("x"), 28),
        (errors.Unavailable("x"), 28),
        (errors.UploadFailed("x"), 28),
        (errors.LeaseLost("x"), 28),
        (errors.NotReady("x"), 15),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ScanhubError) else str(value),
)
def test_each_kind_has_its_own_limit(error: ScanhubError, limit: int) -> None:
    assert tries.limit_of(error, settings(max_attempts=7)) == limit


@pytest.mark.parametrize("error", [errors.HostFault("x"), errors.Misconfigured("x")])
def test_a_worker_that_never_passed_a_scan_takes_a_fault_of_its_host_rather_for_its_own(error: ScanhubError) -> None:
    assert tries.limit_of(error, settings(), is_proven=False) == 12


def test_the_word_of_an_error_is_its_name() -> None:
    assert tries.word(errors.ScannerCrashed("x")) == "scanner_crashed"
    assert tries.word(errors.NoAccess("x")) == "no_access"


@in_world(max_attempts=2)
async def test_a_failure_noted_twice_in_one_delivery_counts_once(world: TestWorld) -> None:
    trip = Trip(message(event(), receive_count=3))
    error = ScannerCrashed("died\nwith a second line")
    assert [await tries.note(error, trip, world.world) for _ in range(3)] == [False] * 3
    assert [(one.attempt, one.reason, one.text) for one in trip.history] == [(3, "scanner_crashed", "died")]
    assert world.metrics.total("TriesFailed") == 1
    assert await tries.note(error, Trip(message(event(), receive_count=4)), world.world)
    assert world.metrics.total("TriesFailed") == 2


@in_world(max_attempts=1)
async def test_messages_do_not_pay_for_each_other(world: TestWorld) -> None:
    assert await tries.note(ScannerCrashed("died"), Trip(message(event(), number=1)), world.world)
    other = Trip(message(event(), number=2))
    assert await tries.note(errors.Throttled("slow down"), other, world.world) is False
    assert [one.reason for one in other.history] == ["throttled"]
