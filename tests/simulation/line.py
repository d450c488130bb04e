"""The wire between one worker and the rest of the world, and everything that may happen on it."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from spoke.errors import Throttled, Unavailable
from tests.simulation.loop import Host
from tests.simulation.plan import Rates
from tests.simulation.trace import Trace

Answer = TypeVar("Answer")


class Killed(BaseException):
    """The world is over: what is left of a worker ends."""


class Weather:
    """What is wrong with the hub's own services, for everybody.

    Attributes:
        calm: Whether faults have ceased for good.
        away: Services that do not answer now: "ledger", "objects", "notifier", "queue".
    """

    def __init__(self) -> None:
        self.calm = False
        self.away: set[str] = set()


class Line:
    """One worker's wire. Each call goes through `request`, takes effect, and comes back through `answer`.

    Args:
        host: Whose.
        name: For the trace.
        rng: Decides what goes wrong.
        rates: How often.
        weather: Of the hub.
        trace: Of the run.
        kill: Ends this worker at once.

    Attributes:
        is_cut: Nothing gets through either way.
        troubled_until: When anything that went wrong on it was over.
    """

    def __init__(
        self,
        host: Host,
        name: str,
        rng: Random,
        rates: Rates,
        weather: Weather,
        trace: Trace,
        kill: Callable[[str], None],
    ) -> None:
        self.host = host
        self.name = name
        self.is_cut = False
        self.is_over = False
        self.troubled_until = float("-inf")
        self._rng = rng
        self._rates = rates
        self._weather = weather
        self._trace = trace
        self._kill = kill

    async def request(self, service: str, operation: str) -> None:
        """On the way there.

        Raises:
            Throttled, Unavailable: It did not arrive.
        """
        if self.is_over:
            raise Killed
        rng, rates = self._rng, self._rates
        if self._weather.calm:
            await asyncio.sleep(rng.random() * 0.02)
            return
        await asyncio.sleep(self._latency())
        if self.is_cut or service in self._weather.away:
            self.fault(operation, "cut" if self.is_cut else f"{service} away")
            await asyncio.sleep(rng.choice((0.01, 1.0, 8.0)))
            raise Unavailable(f"{operation}: no connection to the endpoint")
        chance = rng.random()
        if chance < rates.killed:
            await self._die(operation, "before")
        elif chance < rates.killed + rates.throttled:
            self.fault(operation, "throttled")
            raise Throttled(f"{operation}: ThrottlingException: Rate exceeded")
        elif chance < rates.killed + rates.throttled + rates.request_lost:
            self.fault(operation, "request lost")
            await asyncio.sleep(rng.choice((0.1, 5.0)))
            raise Unavailable(f"{operation}: ConnectionClosedError")

    async def answer(self, service: str, operation: str) -> None:
        """On the way back: the effect has taken place.

        Raises:
            Unavailable: The answer was lost.
        """
        if self.is_over:
            raise Killed
        if self._weather.calm:
            return
        rng, rates = self._rng, self._rates
        chance = rng.random()
        if chance < rates.killed:
            await self._die(operation, "after")
        elif self.is_cut or service in self._weather.away or chance < rates.killed + rates.answer_lost:
            self.fault(operation, "answer lost")
            await asyncio.sleep(rng.choice((0.1, 5.0, 20.0)))
            raise Unavailable(f"{operation}: ReadTimeoutError")
        if rates.slow:
            await asyncio.sleep(self._latency())

    async def call(self, service: str, operation: str, effect: Callable[[], Awaitable[Answer]]) -> Answer:
        """There and back."""
        await self.request(service, operation)
        result = await effect()
        await self.answer(service, operation)
        return result

    def happens(self, share: float) -> bool:
        """Whether what happens to this share of things, and only in bad times, happens now."""
        return bool(share) and not self._weather.calm and self._rng.random() < share

    def uniform(self, least: float, most: float) -> float:
        """Some length between these."""
        return self._rng.uniform(least, most)

    def trouble(self, seconds: float = 0.0) -> None:
        """Something is wrong on it for so long."""
        self.troubled_until = max(self.troubled_until, asyncio.get_running_loop().time() + seconds)

    def fault(self, operation: str, what: str) -> None:
        """Something went wrong on it."""
        self.trouble()
        self._trace.note(self.name, what, operation)
        self._trace.count(f"fault: {what}")

    def _latency(self) -> float:
        if self._rates.slow and self._rng.random() < self._rates.slow:
            self._trace.count("fault: slow call")
            delay = self._rng.choice((0.5, 3.0, 15.0, 40.0))
            self.trouble(delay)
            return delay
        return self._rng.random() * 0.05

    async def _die(self, operation: str, when: str) -> None:
        self._kill(f"{when} {operation}")
        # The host is dead: this never comes back.
        await asyncio.sleep(0)
        raise Killed
