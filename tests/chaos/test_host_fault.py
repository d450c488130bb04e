"""A machine that cannot scan: its worker gives back what it holds and ends with 1, another does the work."""

import pytest

from tests.chaos.scene import Scene
from tests.chaos.small_disk import NoMount, SmallDisk
from worker.scanner import disk

# Real processes: each start takes seconds, beside other work on a small machine several times that.
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

TINY_MIB = 8
"""Less than a scan is admitted to."""
ENOUGH_TO_BEGIN_MIB = disk.FLOOR // disk.MIBIBYTE + 32
NAMES = ("checkout-api", "orders-api")


@pytest.mark.parametrize(
    ("size", "scratch"),
    [
        pytest.param(TINY_MIB, 1, id="short from the start"),
        pytest.param(ENOUGH_TO_BEGIN_MIB, 1024, id="filled by a scan"),
    ],
)
def test_a_full_work_directory_ends_the_worker_and_another_with_room_finishes(
    size: int, scratch: int, scene: Scene
) -> None:
    scene.publish(*NAMES)
    scene.announce(*NAMES)
    for name in NAMES:
        scene.scanner.needs(name, scratch)
    place = scene.directory / "work-a"
    place.mkdir(mode=0o700)
    try:
        small = scene.enter(SmallDisk(place, size))
    except NoMount as why:
        pytest.skip(f"no tmpfs can be mounted here: {why}; the fault of the logger is shown all the same")
    first = scene.worker("first", place="a", prefix=small.prefix)

    assert first.ended() == 1
    assert first.said("this worker stops")
    assert scene.scanner.processes() == []
    assert scene.depth() == (2, 0, 0), "what it held is given back"
    for name in NAMES:
        scene.scanner.needs(name, 1)
    second = scene.worker("second", place="b").ready()
    scene.emptied()
    assert second.terminated() == 0
    scene.check(places={place: small.seen_from_outside})


def test_a_scanner_whose_logger_cannot_start_ends_the_worker_and_another_finishes(scene: Scene) -> None:
    scene.publish(*NAMES)
    scene.announce(*NAMES)
    for name in NAMES:
        scene.scanner.fails(name, 3)
    first = scene.worker("first", place="a")

    assert first.ended() == 1
    assert scene.scanner.processes() == []
    assert scene.depth() == (2, 0, 0), "what it held is given back"
    for name in NAMES:
        scene.scanner.fails(name, 0)
    second = scene.worker("second", place="b").ready()
    scene.emptied()
    assert second.terminated() == 0
    scene.check()
