"""SIGTERM while scans run: ECS stops a task for a deployment, to scale in, or because a Spot host goes."""

import signal

import pytest

from tests.chaos.scene import Scene
from tests.chaos.waiting import until

# Real processes: each start takes seconds, and a lease or a visibility timeout that runs out takes thirty.
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

LONG = 3600.0


def test_sigterm_lets_running_scans_finish_and_takes_nothing_new(scene: Scene) -> None:
    scene.publish("checkout-api", "orders-api", "invoice-export", "nightly-cleanup")
    scene.announce("checkout-api", "orders-api")
    scene.scanner.takes("checkout-api", LONG)
    scene.scanner.takes("orders-api", LONG)
    # One slot is free: at the signal a poll is in flight, which would take what comes.
    first = scene.worker("first", place="a", max_concurrent_scans=3).ready()
    running = scene.scans_begun("checkout-api", "orders-api")

    first.signal(signal.SIGTERM)
    until(lambda: first.said("draining"), "it drains")
    scene.announce("invoice-export", "nightly-cleanup")
    assert first.alive
    for scan in running:
        scene.scanner.finish(scan)

    assert first.ended() == 0
    assert all(scene.covered(name) for name in ("checkout-api", "orders-api")), "the drain was long enough"
    assert scene.depth() == (2, 0, 0), "what came after the signal is nobody's"
    second = scene.worker("second", place="b").ready()
    scene.emptied()
    assert second.terminated() == 0
    assert len(scene.scanner.scans()) == 4, "nothing was scanned twice"
    scene.check()


def test_sigterm_ends_what_outlasts_the_drain_time_and_gives_it_back_at_once(scene: Scene) -> None:
    scene.publish("checkout-api", "orders-api")
    scene.announce("checkout-api", "orders-api")
    scene.scanner.takes("checkout-api", LONG)
    scene.scanner.takes("orders-api", LONG)
    scene.scanner.bares_its_child()
    first = scene.worker("first", place="a", drain_timeout=1).ready()
    scene.scans_begun("checkout-api", "orders-api")

    assert first.terminated() == 0
    assert scene.scanner.processes() == []
    assert scene.depth() == (2, 0, 0), "the messages wait for nobody"
    assert [lease.given_up is not None for lease in scene.leases()] == [True, True], "nor for a lease to run out"
    scene.scanner.takes("checkout-api", 0.5)
    scene.scanner.takes("orders-api", 0.5)
    second = scene.worker("second", place="b").ready()
    scene.emptied()
    assert second.terminated() == 0
    assert len(scene.scanner.scans()) == 4
    scene.check()


def test_a_second_sigterm_does_not_wait_for_the_drain_time(scene: Scene) -> None:
    scene.publish("checkout-api")
    scene.announce("checkout-api")
    scene.scanner.takes("checkout-api", LONG)
    first = scene.worker("first", place="a", drain_timeout=3600).ready()
    scene.scans_begun("checkout-api")

    first.signal(signal.SIGTERM)
    until(lambda: first.said("draining"), "it drains")
    assert scene.scanner.processes() != []
    first.signal(signal.SIGTERM)

    assert first.ended() == 0
    assert scene.scanner.processes() == []
    assert scene.depth() == (1, 0, 0)
    assert [lease.given_up is not None for lease in scene.leases()] == [True]
    scene.scanner.takes("checkout-api", 0.5)
    second = scene.worker("second", place="b").ready()
    scene.emptied()
    assert second.terminated() == 0
    assert len(scene.scanner.scans()) == 2
    scene.check()
