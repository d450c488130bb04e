"""The two halves of `scanhub doctor`: what an engineer sees from outside, and what the worker sees."""

import asyncio
import os
import sys
import time
from collections.abc import Callable

from hub.diagnosis import Check
from hub.settings import PREFIX
from infra.clients import Clients
from infra.doctor import deployed, lines, outside, report, spokes, task
from infra.doctor.deployed import DeployedHub
from infra.doctor.task import INSIDE, Waiting
from scanhub import doctor_inside, privacy
from scanhub.doctor_inside import Wanted
from spoke.errors import Misconfigured, ScanhubError

KINDS = (*outside.KINDS, INSIDE, *(kind for kind in doctor_inside.KINDS if kind not in outside.KINDS))
"""Every kind of check, in the order of `docs/doctor.md`."""

PATIENCE_OF_QUESTIONS = 7200.0
"""Seconds at least for a task that asks the scanner's open questions: about a dozen scans."""


def from_inside(wanted: Wanted, progress: Callable[[str], None], *, live: bool) -> tuple[Check, ...]:
    """What the worker sees, asked in this process.

    Args:
        wanted: What is asked.
        progress: Is told each step.
        live: Whether each answer is written to stdout as a line (see `infra.doctor.lines`) as soon as it is there.
    """
    privacy.hide()
    pace = Pace()
    checks: list[Check] = []

    def tell(check: Check) -> None:
        if live:
            say(lines.line(check, len(checks)), pace)
        checks.append(check)

    asyncio.run(doctor_inside.look(wanted, tell, progress))
    return tuple(checks)


def both(
    clients: Clients, wanted: Wanted, progress: Callable[[str], None], *, minutes: int | None
) -> tuple[Check, ...]:
    """Both, put together.

    Args:
        clients: Of the engineer.
        wanted: What is asked.
        progress: Is told each step.
        minutes: That a task may take; None: what only the worker can see is left out.
    """
    try:
        hub = deployed.find(clients)
    except ScanhubError as error:
        return (outside.HUB.unknown(deployed.HUB_STACK, error.text),)
    from_outside = outside.look(hub, clients=clients, progress=progress)
    if hub is None or minutes is None:
        return from_outside
    waiting = Waiting(patience=max(minutes * 60.0, PATIENCE_OF_QUESTIONS if wanted.function else 0.0))
    return report.merged(from_outside, _of_worker(hub, wanted, progress, waiting))


def _of_worker(
    hub: DeployedHub, wanted: Wanted, progress: Callable[[str], None], waiting: Waiting
) -> tuple[Check, ...]:
    """Here, where the worker's settings are; else in a task of its own."""
    if any(name.startswith(PREFIX) for name in os.environ):
        return from_inside(wanted, progress, live=False)
    if wanted.rules is not None:
        raise Misconfigured("--secret-rules needs --inside: the task has no such file")
    if reason := task.why_not(hub):
        return (INSIDE.unknown("task", reason),)
    accounts, regions = _targets(hub, wanted)
    common = ["--quiet-days", str(wanted.quiet.days)]
    first = ["--qscanner", str(wanted.function)] if wanted.function is not None else []
    commands = task.commands(accounts, regions, common=common, first=first)
    return task.run(hub, commands, progress=progress, waiting=waiting)


def _targets(hub: DeployedHub, wanted: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if wanted.accounts and wanted.regions:
        return wanted.accounts, wanted.regions
    try:
        accounts, regions = spokes.targets(hub)
    except ScanhubError:
        # Told by `spoke-stacks` already; the worker knows the accounts that it has heard of.
        accounts, regions = (), ()
    return wanted.accounts or accounts, wanted.regions or regions


class Pace:
    """How fast lines are written, so that the log driver keeps up.

    The task's log is non-blocking: what does not fit into its buffer of 4 MiB is dropped (hub.yaml). A thousand
    accounts in seventeen regions are told in more than that, and at once.

    Args:
        most: Bytes a second.
        sleep: How to pause.
    """

    def __init__(self, most: int = 256 * 1024, sleep: Callable[[float], None] = time.sleep) -> None:
        self._most = most
        self._sleep = sleep
        self._written = 0

    def wrote(self, size: int) -> None:
        """Pauses for a second where enough was written."""
        self._written += size
        if self._written >= self._most:
            self._written = 0
            self._sleep(1.0)


def say(line: str, pace: Pace | None = None) -> None:
    """A line on stdout, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    if pace is not None:
        pace.wrote(len(line))
