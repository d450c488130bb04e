"""kill -9: a host that is lost, a container out of memory, at whatever moment."""

import random
from dataclasses import dataclass

import pytest

from tests.chaos.proxy import Fuse, Proxy
from tests.chaos.scene import Scene
from tests.chaos.waiting import until
from tests.chaos.workers import Worker

# Real processes: each start takes seconds, and what a dead worker held comes again only after forty.
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

KILLS = 5
NAMES = tuple(f"{team}-{part}" for team in ("checkout", "orders", "invoice", "stock") for part in ("api", "export"))
NOT_JSON = "this body is not JSON {"


@dataclass(slots=True)
class Place:
    """Where one worker after the other lives: a work directory and a way to the endpoint."""

    name: str
    proxy: Proxy
    worker: Worker


def test_workers_killed_at_random_moments_lose_nothing_and_double_nothing(scene: Scene) -> None:
    # pytest-randomly sets the state of `random` before each test: `--randomly-seed` repeats the moments.
    seed = random.getrandbits(32)
    print(f"the moments come from the seed {seed}")  # noqa: T201  # pytest shows it with a failure only
    moments = random.Random(seed)  # noqa: S311  # moments, not secrets
    scene.publish(*NAMES)
    for name in NAMES:
        scene.scanner.takes(name, moments.uniform(0.3, 1.5))
    scene.announce(*NAMES)
    scene.send_raw(NOT_JSON)
    scene.announce(*NAMES[::2])
    lives = (f"life-{number}" for number in range(KILLS + 2))

    def begin(place: str, proxy: Proxy) -> Worker:
        return scene.worker(next(lives), place=place, endpoint=proxy.endpoint)

    places = [Place(name, proxy, begin(name, proxy)) for name, proxy in (("a", scene.proxy()), ("b", scene.proxy()))]
    for place in places:
        place.worker.ready()
        _doom(place, moments)
    for kill in range(KILLS):
        dead = until(lambda: [place for place in places if not place.worker.alive], "a fuse burns", within=90)[0]
        assert dead.worker.ended(0) == -9
        dead.worker = begin(dead.name, dead.proxy).ready()
        # The last two lives are whole ones.
        if kill < KILLS - 2:
            _doom(dead, moments)

    scene.emptied()
    assert [place.worker.terminated() for place in places] == [0, 0]
    parked = scene.parked()
    # Killed between the copy in the dead-letter queue and the deletion here, a worker leaves it to the next.
    assert set(parked) == {"not_json"}
    scene.check(parked=parked)


def _doom(place: Place, moments: random.Random) -> None:
    """Kill its worker at one of its next requests: before the request is sent, or after it took effect."""
    request, answered = moments.randint(1, 25), moments.random() < 0.5
    print(f"{place.worker.name} dies at its request {request}, answered: {answered}")  # noqa: T201  # as above
    place.proxy.lay(Fuse(request, answered, place.worker.kill))
