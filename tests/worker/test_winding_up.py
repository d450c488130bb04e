import asyncio
from collections.abc import Callable

import pytest

from tests.virtual_time import run
from tests.worker.worlds import event, message
from worker.trip import Ending, EndingKind, Stage, Trip
from worker.winding_up import LAST_CALLS, wind_up

DRAIN = 110.0


class Hand:
    """Tasks as a carrier has them in hand; notes when each was cancelled, and when it was over."""

    def __init__(self) -> None:
        self.running: dict[asyncio.Task[None], Trip] = {}
        self.cancelled_at: dict[str, list[float]] = {}
        self.over_at: dict[str, float] = {}
        self.hurried = asyncio.Event()

    def take(
        self, name: str, stage: Stage, *, takes: float, settles: float = 0.0, ending: Ending | None = None
    ) -> None:
        """One that runs so long by itself, and so long again once it was cancelled for the first time."""
        task = asyncio.create_task(self._carry(name, takes, settles))
        self.running[task] = Trip(message(event()), stage=stage, ending=ending)
        task.add_done_callback(self.running.__delitem__)

    async def _carry(self, name: str, takes: float, settles: float) -> None:
        now: Callable[[], float] = asyncio.get_running_loop().time
        for left in (takes, settles):
            try:
                await asyncio.sleep(left)
                break
            except asyncio.CancelledError:
                self.cancelled_at.setdefault(name, []).append(now())
        self.over_at[name] = now()

    async def wind_up(self) -> None:
        await wind_up(self.running, drain_timeout=DRAIN, hurried=self.hurried)
        assert not self.running


def test_nothing_in_hand_ends_at_once() -> None:
    async def main() -> None:
        await Hand().wind_up()
        assert asyncio.get_running_loop().time() == 0

    run(main())


def test_what_has_begun_may_finish_and_what_has_not_is_cancelled_at_once() -> None:
    async def main() -> None:
        hand = Hand()
        hand.take("scans", Stage.SCAN, takes=100)
        hand.take("waits", Stage.WAIT, takes=1000, settles=1)
        hand.take("just received", Stage.READ, takes=1000, settles=1)
        await hand.wind_up()
        assert hand.cancelled_at == {"waits": [0], "just received": [0]}
        assert hand.over_at == {"waits": 1, "just received": 1, "scans": 100}

    run(main())


def test_what_outlasts_the_drain_time_is_cancelled_then_and_settled() -> None:
    async def main() -> None:
        hand = Hand()
        hand.take("scans", Stage.SCAN, takes=5000, settles=9)
        await hand.wind_up()
        assert hand.cancelled_at == {"scans": [DRAIN]}
        assert hand.over_at == {"scans": DRAIN + 9}

    run(main())


def test_a_hurry_ends_the_wait_for_scans() -> None:
    async def main() -> None:
        hand = Hand()
        hand.take("scans", Stage.SCAN, takes=5000, settles=9)
        asyncio.get_running_loop().call_later(30, hand.hurried.set)
        await hand.wind_up()
        assert hand.over_at == {"scans": 39}

    run(main())


@pytest.mark.parametrize("stage", [Stage.CLAIM, Stage.SCAN])
def test_what_has_ended_is_let_be_while_it_is_settled(stage: Stage) -> None:
    async def main() -> None:
        hand = Hand()
        hand.hurried.set()
        hand.take("settles", stage, takes=LAST_CALLS - 1, ending=Ending(kind=EndingKind.PARKED))
        await hand.wind_up()
        assert hand.cancelled_at == {}
        assert hand.over_at == {"settles": LAST_CALLS - 1}

    run(main())


def test_a_last_call_that_hangs_is_broken_off() -> None:
    async def main() -> None:
        hand = Hand()
        hand.take("settles", Stage.SCAN, takes=5000, ending=Ending(kind=EndingKind.PARKED))
        await hand.wind_up()
        assert hand.cancelled_at == {"settles": [DRAIN + LAST_CALLS]}

    run(main())
