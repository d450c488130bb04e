"""The endpoint is away for seconds. `test_stalled` shows it away for longer than a lease."""

import pytest

from tests.chaos.scene import Scene
from tests.chaos.waiting import until

# Real processes: each start takes seconds, beside other work on a small machine several times that.
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

LONG = 3600.0


def test_an_endpoint_that_refuses_and_resets_for_seconds_costs_no_scan(scene: Scene) -> None:
    scene.publish("checkout-api", "orders-api", "invoice-export")
    scene.announce("checkout-api", "orders-api")
    scene.scanner.takes("checkout-api", LONG)
    scene.scanner.takes("orders-api", LONG)
    proxy = scene.proxy()
    # One slot is free: the worker goes on asking for messages, and tells when it cannot.
    worker = scene.worker("first", place="a", endpoint=proxy.endpoint, max_concurrent_scans=3).ready()
    running = scene.scans_begun("checkout-api", "orders-api")

    proxy.refuse()
    until(lambda: worker.said("nothing received"), "nobody answers")
    before = proxy.resets
    proxy.reset()
    proxy.restore()
    proxy.reset()
    until(lambda: proxy.resets > before + 1, "what it opens is reset")
    proxy.restore()
    scene.announce("invoice-export")
    until(lambda: scene.covered("invoice-export"), "it receives again")
    for scan in running:
        scene.scanner.finish(scan)

    scene.emptied()
    assert worker.terminated() == 0
    assert not worker.said("message lost")
    assert [len(scene.scanner.of(name)) for name in ("checkout-api", "orders-api", "invoice-export")] == [1, 1, 1]
    scene.check()
