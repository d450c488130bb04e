"""The file in which a worker says how it is, and what that is worth to a health check.

A health check runs every half minute beside the scans, so this module imports next to nothing: neither asyncio nor
pydantic. `worker.health` writes what is read here.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

FILE = "health.json"
"""In the work directory. Where several workers share one, the newest writer's word counts for all of them."""

INTERVAL = 5.0
"""Seconds between two writes."""

STALE = 60.0
"""Seconds without a write after which a worker counts as stuck: a pause of a slow machine is shorter."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class HealthState(StrEnum):
    """How a worker is."""

    WORKING = "working"
    STOPPING = "stopping"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a health check has found, and the line that says so."""

    healthy: bool
    text: str


def boot_id() -> str:
    """Which run of the machine this is; empty where the kernel does not tell.

    Monotonic clocks of two runs are not to be compared: a file may outlive the machine that it was written on.
    """
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


def judge(path: Path, *, monotonic: float, boot: str) -> Verdict:
    """What the file is worth now.

    Args:
        path: The file.
        monotonic: The reader's `time.monotonic()`: CLOCK_MONOTONIC, one for all processes of a boot, whatever is done
            to the wall clock.
        boot: The reader's `boot_id()`.
    """
    try:
        document: Any = json.loads(path.read_bytes())
        pid, state, reason = int(document["pid"]), HealthState(document["state"]), str(document["reason"])
        age, same_boot = monotonic - float(document["monotonic"]), document["boot"] == boot
    except FileNotFoundError:
        return Verdict(healthy=False, text=f"no worker has written {path}")
    except OSError as error:
        return Verdict(healthy=False, text=f"{path} cannot be read: {error.strerror}")
    except (ValueError, TypeError, KeyError):
        return Verdict(healthy=False, text=f"{path} is not what a worker writes")
    if not same_boot or age < 0:
        return Verdict(healthy=False, text=f"no worker has written {path} since this machine was started")
    if state is HealthState.UNHEALTHY:
        return Verdict(healthy=False, text=f"worker {pid} is unhealthy: {reason}")
    if age > STALE:
        return Verdict(
            healthy=False,
            text=f"worker {pid}: the loop has not turned for {age:.0f} s, or cannot write {path} (is the disk full?)",
        )
    return Verdict(healthy=True, text=f"worker {pid} is {state.value}, as of {age:.0f} s ago")
