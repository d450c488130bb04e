"""A worker's word on how it is, written from its event loop: a loop that is stuck writes nothing."""

import asyncio
import errno
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import structlog

from worker.vitals import INTERVAL, HealthState, boot_id

log = structlog.get_logger()

SCHEMA_VERSION = 1


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Condition(Protocol):
    """Where a worker says how it is."""

    def say(self, state: HealthState, reason: str = "") -> None:
        """From now on it is so."""
        ...


class Unwatched:
    """Where nobody asks how the worker is."""

    def say(self, state: HealthState, reason: str = "") -> None:
        """Nothing."""


class Health:
    """Writes a worker's state to a file every few seconds, for `scanhub worker --check`.

    The file is replaced as a whole, with mode 0600. If it cannot be written the worker goes on, and the file grows
    old; one that says less than the truth is taken away.

    Args:
        path: Usually `worker.vitals.FILE` in the work directory, which must exist.
        monotonic: The clock that the reader compares with its own.
        now: The wall clock, for people.
    """

    def __init__(
        self,
        path: Path,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._path = path
        # Of its own for each process: two workers may share the directory.
        self._draft = path.with_name(f".{path.name}.{os.getpid()}")
        self._monotonic = monotonic
        self._now = now
        self._boot = boot_id()
        self._state, self._reason = HealthState.WORKING, ""
        self._changed = asyncio.Event()
        self._is_written = True

    def say(self, state: HealthState, reason: str = "") -> None:
        """How the worker is from now on; told to the reader at the loop's next turn.

        There is no way back: one that stops works no more, and one that is unhealthy stays so.

        Args:
            state: How it is.
            reason: What is wrong, in one line without secrets.
        """
        order = list(HealthState)
        if order.index(state) > order.index(self._state):
            self._state, self._reason = state, reason
            self._changed.set()

    async def run(self) -> None:
        """Write now, every few seconds and at each change, until cancelled; then take the file away.

        So a worker that ended in good order leaves nothing that a later check could take for a sign of life.
        """
        try:
            while True:
                self._changed.clear()
                self._write()
                with suppress(TimeoutError):
                    async with asyncio.timeout(INTERVAL):
                        await self._changed.wait()
        finally:
            # Another worker's word in the same directory stays; so does what nobody wrote.
            with suppress(OSError, ValueError, TypeError, KeyError):
                if json.loads(self._path.read_bytes())["pid"] == os.getpid():
                    self._path.unlink()

    def _write(self) -> None:
        document = {
            "schemaVersion": SCHEMA_VERSION,
            "pid": os.getpid(),
            "boot": self._boot,
            "monotonic": self._monotonic(),
            "at": self._now().isoformat(timespec="milliseconds"),
            "state": self._state.value,
            "reason": self._reason,
        }
        try:
            try:
                self._replace(json.dumps(document).encode())
            except OSError:
                self._draft.unlink(missing_ok=True)
                if self._state is HealthState.UNHEALTHY:
                    # What stands there says that all is well.
                    self._path.unlink(missing_ok=True)
                raise
        except OSError as error:
            if self._is_written:
                log.warning("health not written", path=str(self._path), reason=error.strerror)
            self._is_written = False
        else:
            if not self._is_written:
                log.info("health written again", path=str(self._path))
            self._is_written = True

    def _replace(self, content: bytes) -> None:
        # No fsync: what matters is read from the page cache, and a slow disk must not hold up the loop.
        draft = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            written = os.write(draft, content)
        finally:
            os.close(draft)
        if written < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._draft.replace(self._path)
