"""What the sweep may take, by what is in hand and by what the changes queue gave when it was last asked."""

import pytest

from hub.message import Message, Source
from tests.virtual_time import run
from tests.worker.worlds import TestWorld
from worker.memory.clock import START
from worker.room import LONG_POLL, SHARED_POLL, SHORT_POLL, SWEEP_PATIENCE, Room
from worker.trip import Trip

BOTH = (Source.CHANGES, Source.SWEEP)


def trips(*, changes: int = 0, swept: int = 0) -> list[Trip]:
    sources = [Source.CHANGES] * changes + [Source.SWEEP] * swept
    return [
        Trip(Message(f"message-{number}", "{}", f"handle-{number}", 1, START, START, source))
        for number, source in enumerate(sources)
    ]


def room_of_the_sweep(slots: int, *, asked: int | None, changes: int = 0, swept: int = 0) -> int:
    """How many messages of the sweep may be received; `asked`: what the changes queue gave when it was last asked."""

    async def main() -> int:
        room = Room(trips(changes=changes, swept=swept), TestWorld(max_concurrent_scans=slots).world, sources=BOTH)
        if asked is not None:
            room.took(Source.CHANGES, asked)
        return await room.wait(Source.SWEEP)

    return run(main())


@pytest.mark.parametrize(
    ("slots", "quiet", "busy"), [(1, 1, 1), (2, 1, 1), (3, 2, 2), (4, 3, 2), (5, 4, 3), (8, 6, 4), (64, 48, 32)]
)
def test_a_quarter_is_out_of_the_sweeps_reach_while_changes_are_quiet_else_half(
    slots: int, quiet: int, busy: int
) -> None:
    assert room_of_the_sweep(slots, asked=0) == quiet
    assert room_of_the_sweep(slots, asked=1) == busy
    assert room_of_the_sweep(slots, asked=None) == busy, "nobody has asked yet"


@pytest.mark.parametrize(
    ("changes", "swept", "expected"), [(0, 2, 4), (0, 6, 0), (1, 0, 4), (1, 3, 1), (1, 4, 0), (1, 6, 0), (6, 0, 2)]
)
def test_a_change_in_hand_is_one_in_sight_and_what_runs_of_the_sweep_counts(
    changes: int, swept: int, expected: int
) -> None:
    assert room_of_the_sweep(8, asked=0, changes=changes, swept=swept) == expected


def test_after_turns_without_any_the_next_free_slot_is_the_sweeps() -> None:
    async def main() -> None:
        running = trips(changes=4)
        room = Room(running, TestWorld(max_concurrent_scans=4).world, sources=BOTH)
        assert [await room.wait(Source.SWEEP) for _ in range(SWEEP_PATIENCE - 1)] == [0] * (SWEEP_PATIENCE - 1)
        running.pop()
        assert await room.wait(Source.SWEEP) == 1

    run(main())


def test_each_queue_is_waited_for_as_long_as_the_other_gives_nothing() -> None:
    async def main() -> None:
        room = Room([], TestWorld().world, sources=BOTH)
        assert (room.poll(Source.CHANGES), room.poll(Source.SWEEP)) == (SHARED_POLL, SHORT_POLL)
        room.took(Source.CHANGES, 0)
        room.took(Source.SWEEP, 0)
        assert (room.poll(Source.CHANGES), room.poll(Source.SWEEP)) == (LONG_POLL, SHARED_POLL)

    run(main())


def test_changes_alone_always_have_the_long_poll() -> None:
    async def main() -> None:
        room = Room([], TestWorld().world, sources=(Source.CHANGES,))
        room.took(Source.CHANGES, 3)
        assert room.poll(Source.CHANGES) == LONG_POLL

    run(main())
