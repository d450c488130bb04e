"""The stand-in as a child process, and what can be asked of it besides AWS's operations."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, Self

from bench.estate import Estate
from bench.organization import events
from bench.places import ROOT
from spoke.arn import FunctionArn

LOOK = 0.02
"""Seconds between two looks at what is awaited: dear enough for this process, nothing for the one that is measured."""

ITEMS_A_REQUEST = 500


class Cloud:
    """A context manager: the stand-in lives as long as it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.stand_in"], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        if self._process.stdout is None:
            raise AssertionError("it was given a pipe")
        self.port = int(self._process.stdout.readline())
        self._connection = HTTPConnection("127.0.0.1", self.port, timeout=60)

    @property
    def endpoint(self) -> str:
        """For `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()
        self._process.kill()
        self._process.communicate()

    def _ask(self, command: str, **arguments: object) -> Any:  # noqa: ANN401  # JSON: each command knows the shape of its answer
        self._connection.request("POST", f"/-/{command}", json.dumps(arguments))
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise AssertionError(f"the stand-in answers {answer.status} to {command}")
        return json.loads(body)

    def send(self, arns: Sequence[FunctionArn], *, queue: str = "changes") -> None:
        """Put an event for each function into the queue, all at the same moment."""
        bodies = events(iter(arns))
        self._ask("send", queue=queue, messages=[(arn.name, body) for arn, body in zip(arns, bodies, strict=True)])

    def store(self, items: Iterable[dict[str, Any]]) -> None:
        """Put items into the ledger's table."""
        known = list(items)
        for start in range(0, len(known), ITEMS_A_REQUEST):
            self._ask("store", items=known[start : start + ITEMS_A_REQUEST])

    def have(self, estate: Estate) -> None:
        """From now on the member accounts are these, and the ledger speaks of their functions alone."""
        self._ask("estate", **asdict(estate))

    def delay(self, seconds: float) -> None:
        """From now on every call takes so long, besides what it costs."""
        self._ask("delay", seconds=seconds)

    def reset(self) -> None:
        """Count calls and messages from zero."""
        self._ask("reset")

    def calls(self) -> dict[str, int]:
        """The calls by operation since the last reset.

        Raises:
            AssertionError: There was one that the stand-in could not answer.
        """
        calls: dict[str, int] = self._ask("calls")
        unanswered = [name for name in calls if name.startswith("unanswered")]
        if unanswered:
            raise AssertionError(f"the stand-in could not answer: {unanswered}")
        return calls

    def journal(self, queue: str = "changes") -> list[dict[str, Any]]:
        """What became of each message since the last reset: label, sent_at, deleted_at, receives."""
        journal: list[dict[str, Any]] = self._ask("journal", queue=queue)
        return journal

    def state(self) -> dict[str, int]:
        """`waiting` (somebody polls), `visible`, `held`, `deleted`, `parked`."""
        state: dict[str, int] = self._ask("state")
        return state

    def until_idle(self, deleted: int, *, seconds: float) -> None:
        """Wait until so many messages were deleted, nothing is left, and the worker waits for more.

        Raises:
            TimeoutError: It did not come to that.
        """
        end = time.monotonic() + seconds
        while True:
            state = self.state()
            if state["parked"]:
                raise AssertionError(f"{state['parked']} messages were parked")
            if state["waiting"] and not state["visible"] and not state["held"] and state["deleted"] >= deleted:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds:g} s the queues stand at {state}; {deleted} were to be deleted")
            time.sleep(LOOK)
