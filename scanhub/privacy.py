"""What other processes of the same user may see of this one."""

import ctypes
import sys

import structlog

log = structlog.get_logger()

PR_SET_DUMPABLE = 4
"""prctl(2): 0 leaves `/proc/<pid>/environ` and its memory to root alone, and no core dump holds them either."""


def hide() -> None:
    """Keep this process's environment and memory from the scanner, which runs as the same user.

    The environment names where the task role's credentials are to be had. What is started from here is not hidden.
    """
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        log.warning("environment not hidden from processes of the same user", errno=ctypes.get_errno())
