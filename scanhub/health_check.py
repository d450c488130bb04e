"""`scanhub worker --check`: is the worker of this work directory well? It imports next to nothing."""

import os
import sys
import tempfile
import time
from pathlib import Path

from spoke.errors import ScanhubError
from worker import vitals


def check() -> None:
    """One line on stdout.

    Raises:
        ScanhubError: The worker is not well, or there is none.
    """
    verdict = vitals.judge(health_file(), monotonic=time.monotonic(), boot=vitals.boot_id())
    if not verdict.healthy:
        raise ScanhubError(verdict.text)
    sys.stdout.write(f"scanhub: {verdict.text}\n")


def health_file() -> Path:
    """Where the worker of this environment writes; no other setting is read, so none that is wrong makes it ill."""
    # The default is that of `hub.settings`, which takes longer to import than all of a check; a test compares the two.
    directory = os.environ.get("SCANHUB_WORK_DIR")
    return (Path(directory) if directory else Path(tempfile.gettempdir()) / "scanhub") / vitals.FILE
