"""An event loop of virtual time whose work belongs to hosts, which can be frozen and cut off in mid-step.

`tests.virtual_time` makes time jump. Here, besides, every callback knows the host (one worker's machine) on whose
behalf it runs, so that SIGSTOP and SIGKILL can be played as they are: not one line of the worker's code runs on, no
`finally` either. There are no sockets behind it, which also makes it several times as fast.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from enum import Enum, auto
from typing import Any, TypeVar

Result = TypeVar("Result")

MOST_TURNS = 200_000
"""Callbacks at one moment of virtual time; more means that something turns in circles."""


TICK = 1e-9
"""Seconds that go by between two timers at the least."""


class HostState(Enum):
    """What a machine does."""

    RUNNING = auto()
    FROZEN = auto()
    DEAD = auto()


class Host:
    """One machine, on which one process runs.

    Attributes:
        name: For the trace.
        state: See `HostState`.
        held: What would have run while it was not running.
        tasks: Every task that it made: a dead host's must not be collected, which would run their `finally` blocks.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = HostState.RUNNING
        self.held: list[Handle] = []
        self.tasks: list[asyncio.Task[Any]] = []
        context = copy_context()
        context.run(HOST.set, self)
        self.context = context

    @property
    def is_dead(self) -> bool:
        return self.state is HostState.DEAD


HOST: ContextVar[Host | None] = ContextVar("HOST", default=None)
"""The host on whose behalf the code runs; None for the world itself."""


class Handle:
    """A callback that waits for its turn."""

    __slots__ = ("args", "callback", "context", "host", "time")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context, host: Host | None, time: float
    ) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args = args
        self.context = context
        self.host = host
        self.time = time

    def cancel(self) -> None:
        self.callback, self.args = None, ()

    def cancelled(self) -> bool:
        return self.callback is None

    def when(self) -> float:
        return self.time


class Livelock(AssertionError):
    """Time does not go on, though there is always something to do; or nothing is left to do, ever."""


class SimulationLoop(asyncio.AbstractEventLoop):
    """Starts at zero.

    Attributes:
        turns: Callbacks run so far.
        strays: Errors that nobody took: the asyncio exception handler's calls.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._ready: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._number = 0
        self._after: tuple[int, Callable[[], None]] | None = None
        self.turns = 0
        self.strays: list[str] = []

    def time(self) -> float:
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(  # type: ignore[override]  # asyncio asks of a handle only what this one has
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        context = context if context is not None else copy_context()
        handle = Handle(callback, args, context, context.get(HOST), self._now)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]  # as above
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        context = context if context is not None else copy_context()
        handle = Handle(callback, args, context, context.get(HOST), when)
        self._number += 1
        heapq.heappush(self._timers, (when, self._number, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # the base class has its own idea of keywords in each version
        self, coro: Coroutine[Any, Any, Result], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Result]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        host = context.get(HOST) if context is not None else HOST.get()
        if host is not None:
            host.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.strays.append(f"{context.get('message')}: {context.get('exception')!r}")

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    async def shutdown_asyncgens(self) -> None:
        """There is nothing to shut down."""

    def freeze(self, host: Host) -> None:
        """SIGSTOP: nothing of it runs until `thaw`; its timers that fall due meanwhile fire then."""
        if host.state is HostState.RUNNING:
            host.state = HostState.FROZEN

    def thaw(self, host: Host) -> None:
        """SIGCONT."""
        if host.state is HostState.FROZEN:
            host.state = HostState.RUNNING
            held, host.held = host.held, []
            self._ready.extend(held)

    def kill(self, host: Host) -> None:
        """SIGKILL: nothing of it ever runs again."""
        host.state = HostState.DEAD

    def after_turns(self, turns: int, act: Callable[[], None]) -> None:
        """Act after so many callbacks from now, whatever they belong to."""
        self._after = (self.turns + turns, act)

    def run(self, main: Coroutine[Any, Any, Result]) -> Result:
        """Run until `main` has ended.

        Raises:
            Livelock: It never will.
            BaseException: What `main` raises.
        """
        asyncio._set_running_loop(self)
        try:
            task = self.create_task(main)
            self._turn_until(task.done)
            return task.result()
        finally:
            asyncio._set_running_loop(None)

    def dismantle(self, hosts: list[Host]) -> None:
        """Let everything that is left end by cancellation, so that nothing is collected in the middle of its work."""
        asyncio._set_running_loop(self)
        try:
            for host in hosts:
                host.state = HostState.RUNNING
                self._ready.extend(host.held)
                host.held = []
            for _ in range(20):
                left = [task for host in hosts for task in host.tasks if not task.done()]
                if not left:
                    break
                for task in left:
                    task.cancel()
                # What waits after its cancellation, waits for a while of virtual time.
                self._turn_until(lambda: False, until=self._now + 10)
            for host in hosts:
                for task in host.tasks:
                    if task.done() and not task.cancelled():
                        task.exception()
                    else:
                        task._log_destroy_pending = False  # type: ignore[attr-defined]  # the run is over
                host.tasks = []
        finally:
            asyncio._set_running_loop(None)
            self._ready.clear()
            self._timers.clear()

    def _turn_until(self, done: Callable[[], bool], until: float = float("inf")) -> None:
        while True:
            self._run_ready()
            if done() or not self._move_on(until):
                return

    def _run_ready(self) -> None:
        """Everything that can be done at this moment."""
        ready, turns_at_start = self._ready, self.turns
        while ready:
            handle = ready.popleft()
            callback, host = handle.callback, handle.host
            if callback is None:
                continue
            if host is not None and host.state is not HostState.RUNNING:
                host.held.append(handle)
                continue
            self.turns += 1
            try:
                handle.context.run(callback, *handle.args)
            except Exception as error:  # noqa: BLE001  # asyncio's own loops go on too
                self.strays.append(f"a callback raised {error!r}")
            if self._after is not None and self.turns >= self._after[0]:
                act, self._after = self._after[1], None
                act()
            if self.turns - turns_at_start > MOST_TURNS:
                raise Livelock(f"{MOST_TURNS} callbacks at second {self._now:.3f} of virtual time")

    def _move_on(self, until: float) -> bool:
        """To the next timer; False if that is later than `until`."""
        timers = self._timers
        while timers and timers[0][2].callback is None:
            heapq.heappop(timers)
        if not timers and until == float("inf"):
            raise Livelock("every task waits and no timer is set")
        if not timers or timers[0][0] > until:
            return False
        # A real clock moves while code runs; under one that stood still a limiter could wait for ever for a rounding
        # error.
        self._now = max(timers[0][0], self._now + TICK)
        while timers and timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(timers)[2])
        return True
