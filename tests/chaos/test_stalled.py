"""Workers that stand still, or are cut off, beyond their leases, while another takes over their functions.

SIGSTOP is a host that is frozen and goes on later (a live migration, a machine out of memory); a network that swallows
every packet is the other way to lose a lease. Both take as long as a lease does, so both are shown in one run: one
worker is cut off and one stopped, a third takes over from both, and then they come back.
"""

import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.chaos.scans import Scan
from tests.chaos.scene import Scene, opened
from tests.chaos.waiting import until
from tests.chaos.workers import Worker
from tests.conftest import forget_aws

# Real processes: the third worker waits until visibility, lease and the margin for clocks are over: forty seconds.
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

LONG = 3600.0
CUT_OFF = ("checkout-api", "orders-api")
STOPPED = ("invoice-export", "stock-export")
LATER = "nightly-cleanup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What one run left.

    Attributes:
        scene: At its end; every worker has ended.
        cut_off: The worker behind the cut.
        stopped: The worker that was stopped.
        third: The worker that took over.
        codes: The exit codes of these three, each after SIGTERM.
        untouched: The scans whose processes were alive when the stopped worker went on.
        taken_over: The keys of the manifests, by function, when the third worker was done.
        results: The same at the end.
    """

    scene: Scene
    cut_off: Worker
    stopped: Worker
    third: Worker
    codes: tuple[int, int, int]
    untouched: list[Scan]
    taken_over: Mapping[str, frozenset[str]]
    results: Mapping[str, frozenset[str]]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """One run for all tests of this module."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        forget_aws(monkeypatch)
        with opened(tmp_path_factory.mktemp("stalled")) as scene:
            yield _run(scene)


def _run(scene: Scene) -> Aftermath:
    scene.publish(*CUT_OFF, *STOPPED, LATER)
    for name in (*CUT_OFF, STOPPED[0]):
        scene.scanner.takes(name, LONG)
    # This one comes to its end while its worker stands still, and then looks like a result.
    scene.scanner.takes(STOPPED[1], 6)
    scene.announce(*CUT_OFF)
    proxy = scene.proxy()
    cut_off = scene.worker("cut-off", place="a", endpoint=proxy.endpoint).ready()
    scene.scans_begun(*CUT_OFF)
    stopped = scene.worker("stopped", place="b").ready()
    scene.announce(*STOPPED)
    scene.scans_begun(*STOPPED)

    stopped.signal(signal.SIGSTOP)
    proxy.swallow()
    for name in (*CUT_OFF, *STOPPED):
        scene.scanner.takes(name, 0.5)
    third = scene.worker("third", place="c", max_concurrent_scans=4).ready()
    scene.emptied()
    taken_over = _manifests(scene)
    untouched = [scan for scan in scene.scanner.scans() if scene.scanner.is_alive(scan)]
    third_code = third.terminated()

    stopped.signal(signal.SIGCONT)
    until(lambda: not scene.scanner.processes(stopped.place), "the stopped worker ends its scans")
    until(lambda: len(stopped.said("journey ended")) == 2, "it lets its messages go")
    stopped_code = stopped.terminated()
    proxy.restore()
    scene.announce(LATER)
    until(lambda: scene.covered(LATER), "the worker that was cut off works again", within=120)
    scene.emptied()
    return Aftermath(
        scene=scene,
        cut_off=cut_off,
        stopped=stopped,
        third=third,
        codes=(cut_off.terminated(), stopped_code, third_code),
        untouched=untouched,
        taken_over=taken_over,
        results=_manifests(scene),
    )


def _manifests(scene: Scene) -> Mapping[str, frozenset[str]]:
    return {name: frozenset(scene.manifests(name)) for name in (*CUT_OFF, *STOPPED)}


def test_a_worker_that_stood_still_beyond_its_lease_stores_nothing_and_ends_its_scans(aftermath: Aftermath) -> None:
    running, ended = (aftermath.scene.scanner.of(name)[0] for name in STOPPED)
    assert {running.place, ended.place} == {aftermath.stopped.place}
    assert [scan.pid for scan in aftermath.untouched] == [running.pid], "nobody else could end it"
    assert (running.ended, ended.ended) == (False, True)
    assert all(len(aftermath.taken_over[name]) == 1 for name in STOPPED)
    assert all(aftermath.results[name] == aftermath.taken_over[name] for name in STOPPED)


def test_a_worker_cut_off_beyond_its_lease_ends_its_scans_before_another_begins_them(aftermath: Aftermath) -> None:
    for name in CUT_OFF:
        first, second = aftermath.scene.scanner.of(name)
        assert (first.place, second.place) == (aftermath.cut_off.place, aftermath.third.place)
        assert not first.ended
        assert first.last_alive < second.started, "nothing tells two workers apart but time"
        assert len(aftermath.taken_over[name]) == 1
        assert aftermath.results[name] == aftermath.taken_over[name]


def test_a_worker_that_was_cut_off_works_again_and_ends_in_good_order(aftermath: Aftermath) -> None:
    [scan] = aftermath.scene.scanner.of(LATER)
    assert scan.place == aftermath.cut_off.place
    assert aftermath.codes == (0, 0, 0)


def test_after_a_takeover_each_event_has_its_result_and_nothing_is_left(aftermath: Aftermath) -> None:
    assert len(aftermath.scene.scanner.scans()) == 9
    aftermath.scene.check()
