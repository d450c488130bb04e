from datetime import timedelta

import pytest

from hub.profile_in_force import profile_in_force
from hub.scans import ScanProfile
from hub.service_notes import WorkerNote
from spoke.errors import Misconfigured
from tests.ledger_samples import HOUR, MINUTE, NOW

OLD, NEW, INSTALLED = (ScanProfile("qscanner", version, "get-report", ("pkg",)) for version in ("4.7", "4.8", "4.9"))


def worker(profile: ScanProfile, *, started: timedelta, seen: timedelta) -> WorkerNote:
    """A worker that began and was heard so long ago."""
    return WorkerNote(
        id=profile.version,
        version="0.1.0",
        profile=profile,
        slots=4,
        running=0,
        started_at=NOW - started,
        seen_at=NOW - seen,
    )


async def installed() -> ScanProfile:
    return INSTALLED


async def missing() -> ScanProfile:
    raise Misconfigured("/opt/qscanner is missing")


async def test_the_running_worker_that_started_last_counts() -> None:
    notes = [worker(NEW, started=10 * MINUTE, seen=3 * MINUTE), worker(OLD, started=9 * HOUR, seen=MINUTE)]
    assert await profile_in_force(notes, NOW, of_binary=installed) is NEW


async def test_a_worker_of_a_deployment_that_was_rolled_back_does_not_count() -> None:
    died = worker(NEW, started=20 * MINUTE, seen=12 * MINUTE)
    assert await profile_in_force([died, worker(OLD, started=9 * HOUR, seen=MINUTE)], NOW, of_binary=installed) is OLD
    # Where nobody is heard, the ledger may be what is busy.
    silent = worker(OLD, started=9 * HOUR, seen=11 * MINUTE)
    assert await profile_in_force([died, silent], NOW, of_binary=installed) is NEW


async def test_where_none_runs_the_installed_scanner_tells() -> None:
    notes = [worker(NEW, started=5 * HOUR, seen=2 * HOUR)]
    assert await profile_in_force(notes, NOW, of_binary=installed) is INSTALLED
    assert await profile_in_force([], NOW, of_binary=installed) is INSTALLED


async def test_without_a_scanner_the_last_worker_of_the_day_tells() -> None:
    notes = [worker(NEW, started=5 * HOUR, seen=2 * HOUR), worker(OLD, started=20 * HOUR, seen=HOUR + MINUTE)]
    assert await profile_in_force(notes, NOW, of_binary=missing) is NEW


async def test_where_nobody_knows_it_is_told_in_a_line() -> None:
    with pytest.raises(Misconfigured, match="no worker was heard of in the last day, and /opt/qscanner is missing"):
        await profile_in_force([], NOW, of_binary=missing)
