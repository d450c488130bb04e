import pytest

from infra.capacity.model import run
from infra.capacity.record import Record
from infra.capacity.scaling import Figures, Scaling
from infra.capacity.workload import Setup
from tests.infra.capacity.scenarios import scenario


def minutes(scaling: Scaling, count: int, start: int = 0, **figures: float) -> list[int]:
    """The wanted tasks, minute by minute, of so many minutes that are alike."""
    values = {"waiting": 0.0, "changes": 0.0, "oldest": 0.0, "running": 1.0, **figures}
    return [scaling.minute((start + number) * 60.0, Figures(**values)) for number in range(count)]


def test_three_minutes_above_the_target_bring_tasks_in_proportion() -> None:
    scaling = Scaling(Setup(max_tasks=50))
    assert minutes(scaling, 4, waiting=200) == [1, 1, 10, 10]


def test_what_was_added_is_waited_for() -> None:
    """Four minutes of cooldown, while the new ones start and CloudWatch learns of them."""
    scaling = Scaling(Setup(max_tasks=1000))
    assert minutes(scaling, 8, waiting=60) == [1, 1, 3, 3, 3, 3, 9, 9]
    hasty = Scaling(Setup(max_tasks=1000, out_cooldown=120))
    assert minutes(hasty, 6, waiting=60) == [1, 1, 3, 3, 9, 9]


@pytest.mark.parametrize("image_mb", [400, 1_000])
def test_a_burst_is_answered_once_also_where_a_task_starts_slowly(image_mb: float) -> None:
    """333 changes are 17 times the target; with a shorter wait the same backlog is answered again and again."""
    burst = tuple(number / 100 for number in range(333))

    def record(**changes: int) -> Record:
        setup = Setup(max_tasks=100, worker_image_mb=image_mb, **changes)
        return run(scenario(setup, arrivals=burst, seconds=3 * 3600.0), seed=1)

    once, hasty = record(), record(out_cooldown=120)
    assert once.peak_tasks <= 17
    assert hasty.peak_tasks > 60
    assert once.task_seconds < hasty.task_seconds / 2
    assert once.latencies.within(900) > 0.99


def test_never_more_than_the_most_nor_fewer_than_the_least() -> None:
    scaling = Scaling(Setup(min_tasks=2, max_tasks=7))
    assert minutes(scaling, 3, waiting=10_000)[-1] == 7
    assert minutes(scaling, 120, start=3, running=7)[-1] == 2


def test_tasks_go_after_a_quarter_of_an_hour_by_halves() -> None:
    scaling = Scaling(Setup(max_tasks=100))
    scaling.wanted = 16
    assert minutes(scaling, 31, running=16) == [16] * 14 + [8] * 5 + [4] * 5 + [2] * 5 + [1] * 2


def test_a_backlog_near_the_target_keeps_them() -> None:
    scaling = Scaling(Setup(max_tasks=100))
    scaling.wanted = 4
    assert minutes(scaling, 60, waiting=76, running=4) == [4] * 60


def test_an_old_change_adds_one_and_a_very_old_one_two() -> None:
    one, two = Scaling(Setup()), Scaling(Setup())
    assert minutes(one, 9, waiting=5, changes=5, oldest=700) == [1, 1, 2, 2, 2, 2, 2, 3, 3]
    assert minutes(two, 4, waiting=5, changes=5, oldest=1300) == [1, 1, 3, 3]


def test_an_old_change_in_somebodys_hand_adds_none() -> None:
    assert minutes(Scaling(Setup()), 10, changes=0, oldest=5000) == [1] * 10


def test_one_message_calls_the_first_task() -> None:
    scaling = Scaling(Setup(min_tasks=0))
    assert minutes(scaling, 3, waiting=1, changes=1, running=0) == [0, 0, 1]


def test_the_last_task_goes_when_none_is_to_stay() -> None:
    scaling = Scaling(Setup(min_tasks=0))
    scaling.wanted = 1
    assert minutes(scaling, 15)[-1] == 0
