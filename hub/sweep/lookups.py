"""What the ledger knows of listed functions, asked for by many places at once in as few calls as possible."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from hub.standing import Standing
from spoke.arn import FunctionArn

KEYS_A_CALL = 100
"""BatchGetItem takes so many keys (API reference of DynamoDB)."""

LINGER = 0.05
"""Seconds that a call that is not full waits for the functions of other places: about as long as the call takes."""

Standings = Mapping[FunctionArn, Standing]


class Lookups:
    """Fills calls with the functions of all places that ask at the time.

    Args:
        call: Takes at most `KEYS_A_CALL` functions.

    Attributes:
        calls: Made so far.
    """

    def __init__(self, call: Callable[[Collection[FunctionArn]], Awaitable[Standings]]) -> None:
        self.calls = 0
        self._call = call
        self._open: _Call | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, functions: Sequence[FunctionArn]) -> Standings:
        """What is known of these functions; unknown ones are left out.

        Raises:
            Exception: What a call raised, for everybody who had functions in it.
        """
        mine: list[_Call] = []
        left = list(functions)
        while left:
            call = self._open or self._begin()
            room = KEYS_A_CALL - len(call.keys)
            call.keys += left[:room]
            del left[:room]
            mine.append(call)
            if len(call.keys) == KEYS_A_CALL:
                self._send(call)
        # Shielded: one place that is given up must not take the answer from the others.
        answers = await asyncio.gather(*(asyncio.shield(call.answer) for call in mine))
        wanted = set(functions)
        return {key: standing for answer in answers for key, standing in answer.items() if key in wanted}

    def _begin(self) -> "_Call":
        call = self._open = _Call(asyncio.get_running_loop().create_future())
        call.timer = asyncio.get_running_loop().call_later(LINGER, self._send, call)
        return call

    def _send(self, call: "_Call") -> None:
        if call.timer is not None:
            call.timer.cancel()
        if self._open is call:
            self._open = None
        task = asyncio.get_running_loop().create_task(self._answer(call))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _answer(self, call: "_Call") -> None:
        self.calls += 1
        try:
            answer = await self._call(call.keys)
        except asyncio.CancelledError:
            call.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it is handed to those who wait
            call.answer.set_exception(error)
            call.answer.exception()  # marks it as seen: those who asked may have given up
        else:
            call.answer.set_result(answer)


class _Call:
    def __init__(self, answer: asyncio.Future[Standings]) -> None:
        self.keys: list[FunctionArn] = []
        self.answer = answer
        self.timer: asyncio.TimerHandle | None = None
