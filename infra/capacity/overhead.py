"""What the service itself costs, as measured by `make bench`, and what is assumed where nothing was measured."""

from datetime import date

MEASURED_ON = date(2026, 11, 22)
MACHINE = "2 virtual CPUs of an AMD EPYC"
"""Of the figures below: `docs/performance.md`, the better of two runs. A test holds them to it."""

CPU_MS_COVERED = 0.75
"""Milliseconds of the worker's CPU for an event that a fresh result covers."""

CPU_MS_SCANNED = 36.0
"""Milliseconds of the worker's CPU for an event that is scanned, without the scanner's own."""

WALL_SHARE_ADDED = 1.74
"""Percent that the worker adds to a scan of 30 s, with eight at once."""

SCAN_SECONDS_BESIDE = 30.0
"""Seconds of that scan."""

MEMORY_MB_IDLE = 101.6
"""MB of resident memory of an idle worker that has worked for 50 accounts."""

MEMORY_MB_A_MESSAGE = 0.026
"""MB more for each message in hand."""

WALL_SECONDS_SCANNED = WALL_SHARE_ADDED / 100 * SCAN_SECONDS_BESIDE
"""Seconds that the worker adds to a scan: its calls before and after it."""

CPU_MS_LISTED = 0.2
"""Milliseconds of the sweep's CPU for a listed function: what `make bench` holds it to."""

WALL_SECONDS_COVERED = 0.2
"""Seconds that a message holds a slot whose function turns out to be fresh. Assumed: a session and two calls."""

LIST_SECONDS = 0.2
"""Seconds that a call to Lambda's control plane takes. Assumed."""

NOTICED_SECONDS = 1.0
"""Seconds within which a worker that has no change to do looks at the sweep queue again (`worker.room.SHARED_POLL`)."""

SWEEP_PATIENCE = 10
"""Turns in which changes may pass the sweep by (`worker.room.SWEEP_PATIENCE`)."""


def start_seconds(image_mb: float) -> float:
    """Seconds from the wish for a task to its first receive.

    About a minute for an image of 400 MB (measurements that AWS and others have published vary widely); half of it is
    taken to be the pull, which grows with the image.
    """
    return 30.0 + 30.0 * image_mb / 400.0
