"""Exit code and last words -> what the scan is worth, or the error that says what to do."""

import resource
import signal
from dataclasses import dataclass

from hub.scans import PolicyVerdict, ScanStatus
from spoke.errors import (
    Gone,
    HostFault,
    Misconfigured,
    NoAccess,
    QualysFault,
    ResultUnwritable,
    ScanhubError,
    ScannerCrashed,
    Throttled,
    Unavailable,
    Unreadable,
    UploadFailed,
)
from worker.scanner import limits, signs
from worker.scanner.disk import Look
from worker.scanner.output import last_line
from worker.scanner.signs import Sign


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an exit code alone allows; the fields are those of `Scanned`."""

    status: ScanStatus
    reasons: tuple[str, ...] = ()
    policy: PolicyVerdict | None = None
    report_owed: bool = False


WORTH_STORING = {
    15: Outcome(ScanStatus.PARTIAL, ("os_not_found",)),
    17: Outcome(ScanStatus.PARTIAL, ("os_not_supported",)),
    **{
        code: Outcome(ScanStatus.PARTIAL, (f"scan_type_failed:{code}",))
        for code in (11, 12, 13, 14, 16, 18, 19, 20, 21)
    },
    40: Outcome(ScanStatus.PARTIAL, ("report_pending",), report_owed=True),
    41: Outcome(ScanStatus.PARTIAL, ("policy_pending",), report_owed=True),
    42: Outcome(ScanStatus.SUCCESS, policy=PolicyVerdict.DENY),
    43: Outcome(ScanStatus.SUCCESS, policy=PolicyVerdict.AUDIT),
}
"""Which scan type each of 11 to 21 stands for is not documented, so the reason keeps the number."""

ERRORS: dict[int, tuple[type[ScanhubError], str]] = {
    1: (ScannerCrashed, "a generic error"),
    2: (Misconfigured, "it refuses a parameter: check SCANHUB_QSCANNER_* and SCANHUB_SCAN_TYPES against its version"),
    3: (HostFault, "its logger could not start"),
    **dict.fromkeys((5, 7, 8, 9), (Unreadable, "the artifact could not be read")),
    6: (ScannerCrashed, "the image failed"),
    10: (ScannerCrashed, "the artifact failed"),
    **dict.fromkeys((30, 31, 32, 34, 35, 36, 38), (ResultUnwritable, "a result could not be written or packed")),
    **dict.fromkeys((33, 37, 39), (UploadFailed, "an upload to Qualys failed")),
}

ASKS_AWS = frozenset({6, 10})
"""Where the scanner's call for the function or the image may have failed."""

ASKS_QUALYS = frozenset({1, 2, 6, 10, 33, 37, 39})
"""Where a refused token may hide; how the scanner reports one is not documented. Unknown codes are among them too."""

BY_SIGN: dict[Sign, tuple[type[ScanhubError], str]] = {
    Sign.QUALYS_REFUSED: (QualysFault, "Qualys refuses the access token"),
    Sign.QUALYS_DOWN: (UploadFailed, "Qualys does not answer"),
    Sign.THROTTLED: (Throttled, "AWS throttled it"),
    Sign.SESSION_EXPIRED: (Unavailable, "its AWS session expired"),
    Sign.GONE: (Gone, "the function was not found"),
    Sign.UNREADABLE: (Unreadable, "the code or its image cannot be read"),
    Sign.DENIED: (NoAccess, "AWS denied access"),
    Sign.NETWORK: (Unavailable, "the network failed it"),
}


BY_CODE_ALONE = frozenset({2, 3, 33, 37, 39})
"""What a scanner that calls the disk full, on a disk that is not, ends with for another reason all the same."""


OVER_TIME = "timeout"
"""Stands where an exit code would, for a scan that was ended by its time limit."""

SIGNAL_HINTS: dict[int, str] = {
    signal.SIGKILL: " (out of memory?)",
    signal.SIGXFSZ: f" (a file over {limits.LIMITS[resource.RLIMIT_FSIZE] // limits.GIBIBYTE} GiB)",
}


def blames_disk(exit_code: int, said: str) -> bool:
    """Whether the scanner calls the disk full where that would explain its end; `judge` then asks for a look at it."""
    return exit_code != 0 and exit_code < 40 and signs.DISK_FULL.search(said) is not None


def judge(exit_code: int, said: str, *, mode: str, target: str, disk: Look | None) -> Outcome:
    """What the scan is worth.

    Args:
        exit_code: Below zero: the signal that it died by.
        said: The end of its stdout and stderr, redacted.
        mode: Of the scanner; with `evaluate-policy` exit 0 means that the policy allows.
        target: For the error's text.
        disk: What a look at the disk showed before the scan's files were removed, if `blames_disk`; else None. The
            words come from a program that prints names out of untrusted archives: alone they must not stop a worker.

    Raises:
        ScanhubError: The one that says what to do; its `detail` is `said`.
    """
    if exit_code == 0:
        return Outcome(ScanStatus.SUCCESS, policy=PolicyVerdict.ALLOW if mode == "evaluate-policy" else None)
    if disk is not None and disk.is_short:
        raise _error(HostFault, f"the disk is full ({disk.found})", exit_code, said, target)
    if exit_code in WORTH_STORING:
        return WORTH_STORING[exit_code]
    kind, why = _cause(exit_code, said, disk)
    raise _error(kind, why, exit_code, said, target)


def over_time(seconds: float, said: str, *, target: str) -> ScannerCrashed:
    """For a scan that was ended by its time limit; the exit code says nothing then."""
    text = f"the scanner ran over its time of {seconds} s on {target}"
    return ScannerCrashed(text, detail=said, exit_code=OVER_TIME)


def word(exit_code: int) -> str:
    """How the scanner ended: the number, or the name of the signal that it died by. For logs and figures."""
    if exit_code >= 0:
        return str(exit_code)
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


def _cause(exit_code: int, said: str, disk: Look | None) -> tuple[type[ScanhubError], str]:
    if exit_code < 0:
        return ScannerCrashed, f"died by {word(exit_code)}{SIGNAL_HINTS.get(-exit_code, '')}"
    if signs.PANIC.search(said):
        return ScannerCrashed, "it panicked"
    sign = None
    if exit_code in ASKS_QUALYS or exit_code not in ERRORS:
        sign = signs.qualys(said)
    if sign is None and exit_code in ASKS_AWS:
        sign = signs.aws(said)
    if sign is not None:
        return BY_SIGN[sign]
    if disk is not None and exit_code not in BY_CODE_ALONE:
        return ScannerCrashed, f"it says that the disk is full, which is not so now ({disk.found})"
    return ERRORS.get(exit_code, (ScannerCrashed, "an unknown exit code"))


def _error(kind: type[ScanhubError], why: str, exit_code: int, said: str, target: str) -> ScanhubError:
    ended = f"exit {exit_code}, " if exit_code >= 0 else ""
    line = last_line(said)
    text = f"the scanner failed on {target}: {ended}{why}{f': {line}' if line else ''}"
    return kind(text, detail=said, exit_code=word(exit_code))
