"""What a scanner may use up of this machine."""

import contextlib
import resource
from pathlib import Path

GIBIBYTE = 1024**3

LIMITS = {
    # A core dump would hold the token and the session's keys.
    resource.RLIMIT_CORE: 0,
    # An image function has 10 GB at the most, uncompressed (Lambda quotas); no honest file of a scan is larger.
    resource.RLIMIT_FSIZE: 12 * GIBIBYTE,
    # Go's runtime raises the soft limit to the hard one; a scanner that leaks files meets an end.
    resource.RLIMIT_NOFILE: 8192,
    # Counted over all of the user's threads, so it is far above what 64 scans need and still ends a fork bomb.
    resource.RLIMIT_NPROC: 16_384,
}
"""Memory is not among them: Go reserves far more addresses than it uses, and a container's own limit does it better."""

OOM_SCORE = "500"
"""Where memory runs out, the kernel takes the scanner and leaves the worker, which can then retry (proc(5))."""


def limit(pid: int) -> None:
    """Set the limits on a process just started; children that it starts later inherit them.

    From outside, since code between fork and exec is unsafe in a process with threads. A process that has ended
    already is not an error.
    """
    for kind, most in LIMITS.items():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            _soft, hard = resource.prlimit(pid, kind)
            lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(pid, kind, (lower, lower))
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")
