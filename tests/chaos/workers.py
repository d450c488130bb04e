"""`scanhub worker` as a process of its own, with its log."""

import json
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.chaos.waiting import PATIENCE, until
from tests.scanhub.processes import SCANHUB, environment

ROOT = Path(__file__).parents[2]


class Worker:
    """One process.

    Args:
        name: For the names of its files.
        directory: Where its log and its metrics go.
        variables: Its environment, beside this process's own.
        prefix: What the command line begins with.
    """

    def __init__(
        self, name: str, directory: Path, variables: Mapping[str, str | None], *, prefix: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.place = Path(variables["SCANHUB_WORK_DIR"] or "")
        self.log = directory / f"{name}.log"
        with self.log.open("wb") as log, (directory / f"{name}.metrics").open("wb") as metrics:
            self._process = subprocess.Popen(
                [*prefix, *SCANHUB, "worker"], stdout=metrics, stderr=log, env=environment(variables), cwd=ROOT
            )

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def ready(self) -> "Worker":
        """Once it takes work."""
        until(lambda: self.said("worker ready") or not self.alive, f"{self.name} is ready")
        assert self.alive, f"{self.name} ended with {self._process.returncode}:\n{self.tail()}"
        return self

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        lines = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:  # the one line for people at its end, or one that is being written
                continue
        return lines

    def said(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """The log's lines of this event with these fields."""
        return [
            line
            for line in self.lines()
            if line.get("event") == event and all(line.get(name) == value for name, value in fields.items())
        ]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a lost machine does: at once, and nothing is put in order."""
        self._process.kill()

    def ended(self, within: float = PATIENCE) -> int:
        """Its exit code; below zero, the signal that it died by."""
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} has not ended within {within:g} s:\n{self.tail()}") from None

    def terminated(self) -> int:
        """Its exit code after SIGTERM."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
