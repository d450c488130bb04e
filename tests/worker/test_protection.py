import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from spoke.errors import Retry, ScanhubError, Unavailable
from tests import virtual_time
from worker.memory.protection import MemoryProtection
from worker.protection import LAST_TIME_OUT, LONGEST_PAUSE, PATIENCE, QUIET, SPAN, Guardian, Unprotected

THIRD = SPAN.total_seconds() / 3


def now() -> float:
    return asyncio.get_running_loop().time()


class Endpoint:
    """Notes when each call took effect, and answers as it is told."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.answer_lost = False
        self.delay = 0.0
        self.begun: list[tuple[float, str]] = []
        self.port = MemoryProtection(self._on_call)
        self.effects: list[tuple[float, str]] = []

    async def _on_call(self, operation: str, *, after: bool) -> None:
        if after:
            self.effects.append((now(), operation))
            if self.answer_lost:
                raise Unavailable("the answer was lost")
            return
        self.begun.append((now(), operation))
        await asyncio.sleep(self.delay)
        if self.fault is not None:
            raise self.fault

    @property
    def is_on(self) -> bool:
        return self.port.is_on


@asynccontextmanager
async def guarded(endpoint: Endpoint) -> AsyncIterator[Guardian]:
    guardian = Guardian(endpoint.port)
    running = asyncio.create_task(guardian.run())
    await asyncio.sleep(0)
    try:
        yield guardian
    finally:
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()


def run(story: Callable[[Endpoint, Guardian], Awaitable[None]]) -> Endpoint:
    endpoint = Endpoint()

    async def main() -> None:
        async with guarded(endpoint) as guardian:
            await story(endpoint, guardian)

    virtual_time.run(main())
    return endpoint


async def scan(guardian: Guardian, seconds: float) -> float:
    """Scan for so long; returns how long entering took."""
    asked = now()
    async with guardian.scanning():
        waited = now() - asked
        await asyncio.sleep(seconds)
    return waited


def test_a_worker_that_never_scans_asks_for_nothing() -> None:
    async def story(_endpoint: Endpoint, _guardian: Guardian) -> None:
        await asyncio.sleep(7200)

    assert run(story).begun == []


def test_protection_is_on_before_the_first_scan_begins_and_off_when_it_has_been_quiet() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        endpoint.delay = 0.4
        async with guardian.scanning():
            assert endpoint.is_on
            assert now() == pytest.approx(0.4)
            await asyncio.sleep(10)
        await asyncio.sleep(QUIET - 0.1)
        assert endpoint.is_on
        await asyncio.sleep(0.1 + 0.5)
        assert not endpoint.is_on

    endpoint = run(story)
    assert endpoint.port.calls == [SPAN, None]


def test_scans_in_quick_succession_do_not_make_protection_flap() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        for _ in range(20):
            assert await scan(guardian, 3) == 0
            await asyncio.sleep(QUIET - 1)
            assert endpoint.is_on

    assert run(story).port.calls == [SPAN, None]


def test_scans_side_by_side_share_one_protection_that_lasts_until_the_last_has_ended() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        long = asyncio.create_task(scan(guardian, 300))
        for _ in range(5):
            await scan(guardian, 5)
        await asyncio.sleep(QUIET * 2)
        assert endpoint.is_on
        await long

    assert run(story).port.calls == [SPAN, None]


def test_protection_is_renewed_every_third_of_its_span_while_a_scan_runs() -> None:
    async def story(_endpoint: Endpoint, guardian: Guardian) -> None:
        await scan(guardian, 3 * THIRD + 1)

    endpoint = run(story)
    assert [at for at, operation in endpoint.effects if operation == "protect"] == pytest.approx(
        [0, THIRD, 2 * THIRD, 3 * THIRD], abs=0.01
    )


def test_after_quiet_the_next_scan_is_protected_anew() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        await scan(guardian, 1)
        await asyncio.sleep(60)
        assert not endpoint.is_on
        async with guardian.scanning():
            assert endpoint.is_on

    assert run(story).port.calls == [SPAN, None, SPAN, None]


@pytest.mark.parametrize("fault", [Retry("refused: TASK_NOT_VALID"), Unavailable("no answer"), ValueError("a mistake")])
def test_an_endpoint_that_is_down_at_the_start_delays_no_scan_and_is_used_when_it_is_back(fault: Exception) -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        endpoint.fault = fault
        assert await scan(guardian, 1) == 0
        assert await scan(guardian, 1) == 0
        long = asyncio.create_task(scan(guardian, 600))
        await asyncio.sleep(290)
        endpoint.fault = None
        await asyncio.sleep(LONGEST_PAUSE)
        assert endpoint.is_on
        assert await long == 0

    with capture_logs() as logged:
        endpoint = run(story)
    # 5, 10, 20, 40 and then 60 seconds apart, not one for each scan.
    assert [at for at, _ in endpoint.begun][:7] == pytest.approx([0, 5, 15, 35, 75, 135, 195], abs=0.1)
    told = [(line["log_level"], line["event"]) for line in logged]
    assert told == [
        ("warning", "task protection cannot be set; scans go on without it"),
        ("info", "task protection can be set again"),
        ("info", "task protected while scans run"),
    ]
    assert str(fault) in logged[0]["reason"]


def test_each_outage_is_told_once_and_the_pauses_begin_short_again() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        async with guardian.scanning():
            for _ in range(2):
                endpoint.fault = Unavailable("no answer")
                await asyncio.sleep(THIRD + 100)
                endpoint.fault = None
                await asyncio.sleep(LONGEST_PAUSE)

    with capture_logs() as logged:
        endpoint = run(story)
    assert [line["event"].split(";")[0] for line in logged].count("task protection cannot be set") == 2
    tries = [at for at, _ in endpoint.begun]
    second = [at for at in tries if at > 2 * THIRD][:3]
    assert [second[1] - second[0], second[2] - second[1]] == pytest.approx([5, 10], abs=0.1)


def test_an_endpoint_that_hangs_delays_the_first_scan_by_a_second_and_the_others_not_at_all() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        endpoint.delay = 1e9
        assert await scan(guardian, 30) == pytest.approx(PATIENCE, abs=0.01)
        assert await scan(guardian, 30) == 0
        endpoint.delay = 0
        await scan(guardian, LONGEST_PAUSE)
        assert endpoint.is_on

    with capture_logs() as logged:
        run(story)
    assert logged[0]["reason"] == "no answer within 10 s"


def test_scans_that_begin_together_wait_for_the_one_call() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        endpoint.delay = 0.3
        waited = await asyncio.gather(*(scan(guardian, 5) for _ in range(8)))
        assert waited == pytest.approx([0.3] * 8)

    assert run(story).port.calls == [SPAN, None]


def test_a_scan_that_begins_while_protection_is_given_up_is_protected_before_it_begins() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        await scan(guardian, 1)
        endpoint.delay = 0.4
        await asyncio.sleep(QUIET + 0.2)
        async with guardian.scanning():
            assert endpoint.is_on

    assert run(story).port.calls == [SPAN, None, SPAN, None]


def test_what_may_be_on_although_the_answer_was_lost_is_given_up_too() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        endpoint.answer_lost = True
        await scan(guardian, 1)
        endpoint.answer_lost = False
        assert endpoint.is_on
        await asyncio.sleep(60)
        assert not endpoint.is_on

    run(story)


def test_a_release_whose_answer_was_lost_does_not_leave_the_next_scan_unprotected() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        await scan(guardian, 1)
        endpoint.answer_lost = True
        await asyncio.sleep(QUIET + 1)
        assert not endpoint.is_on
        endpoint.answer_lost = False
        async with guardian.scanning():
            await asyncio.sleep(30)
            assert endpoint.is_on

    run(story)


def test_what_was_refused_need_not_be_given_up() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        endpoint.fault = Retry("setting task protection: TASK_NOT_VALID")
        await scan(guardian, 1)
        await asyncio.sleep(7200)

    assert [operation for _, operation in run(story).begun] == ["protect"]


def test_a_release_that_fails_is_tried_again_until_the_protection_has_run_out_by_itself() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        await scan(guardian, 1)
        endpoint.fault = Unavailable("no answer")
        await asyncio.sleep(300)
        assert endpoint.is_on
        # A scan that comes meanwhile is not held up by it.
        assert await scan(guardian, 1) == 0
        await asyncio.sleep(7200)

    tries = [at for at, operation in run(story).begun if operation == "release"]
    assert len(tries) > 5
    assert SPAN.total_seconds() - 2 * LONGEST_PAUSE < tries[-1] < 300 + SPAN.total_seconds() + 30


def test_stopped_in_mid_scan_protection_is_off_at_the_end() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        scanning = asyncio.create_task(scan(guardian, 1000))
        await asyncio.sleep(5)
        assert endpoint.is_on
        scanning.cancel()
        await asyncio.wait({scanning})
        assert scanning.cancelled()

    endpoint = run(story)
    assert endpoint.port.calls == [SPAN, None]
    assert endpoint.effects[-1] == (5, "release")


def test_stopped_while_protection_is_asked_for_it_is_off_at_the_end() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        endpoint.delay = 2
        scanning = asyncio.create_task(scan(guardian, 1))
        await asyncio.sleep(0.5)
        scanning.cancel()
        await asyncio.wait({scanning})

    assert [operation for _, operation in run(story).begun] == ["protect", "release"]


def test_an_endpoint_that_hangs_at_the_end_holds_the_end_up_by_seconds_only() -> None:
    async def main() -> float:
        endpoint = Endpoint()
        async with guarded(endpoint) as guardian:
            await scan(guardian, 1)
            endpoint.delay = 1e9
            left = now()
        return now() - left

    assert virtual_time.run(main()) == pytest.approx(LAST_TIME_OUT, abs=0.01)


def test_a_scan_cancelled_while_it_waits_for_protection_never_begins_and_is_not_counted() -> None:
    async def story(endpoint: Endpoint, guardian: Guardian) -> None:
        endpoint.delay = 0.9
        scanning = asyncio.create_task(scan(guardian, 100))
        await asyncio.sleep(0.5)
        scanning.cancel("stop")
        with pytest.raises(asyncio.CancelledError, match="stop"):
            await scanning
        await asyncio.sleep(QUIET + 3)
        assert not endpoint.is_on

    assert run(story).port.calls == [SPAN, None]


def test_what_a_scan_raises_passes_through() -> None:
    async def story(_endpoint: Endpoint, guardian: Guardian) -> None:
        with pytest.raises(ScanhubError, match="crashed"):
            async with guardian.scanning():
                raise ScanhubError("crashed")
        with pytest.raises(TimeoutError, match="of the scan"):
            async with guardian.scanning():
                raise TimeoutError("of the scan")

    assert run(story).port.calls == [SPAN, None]


def test_without_anybody_to_ask_scans_do_not_wait() -> None:
    """Before the guardian's task has begun, and after it has ended."""

    async def main() -> None:
        endpoint = Endpoint()
        guardian = Guardian(endpoint.port)
        assert await scan(guardian, 1) == 0
        running = asyncio.create_task(guardian.run())
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.wait({running})
        assert await scan(guardian, 1) == 0
        assert endpoint.begun == []

    virtual_time.run(main())


def test_where_there_is_nobody_to_ask_scans_go_on_and_no_protection_is_told_of() -> None:
    async def main() -> None:
        nothing = Unprotected()
        await nothing.protect(SPAN)
        await nothing.release()
        guardian = Guardian(nothing)
        await asyncio.create_task(guardian.run())
        assert await scan(guardian, 100) == 0

    with capture_logs() as logged:
        virtual_time.run(main())
    assert logged == []
