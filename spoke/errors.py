"""Every error of scanhub, split by what must be done about it.

::

    ScanhubError
    ├── Misconfigured            stop, exit 2: a setting, a secret or a checksum is wrong
    ├── HostFault                stop this worker: disk short, scanner missing, logger could not start; ECS replaces it
    ├── QualysFault              open the circuit: Qualys refuses the token or is down; no message pays for it
    ├── Retry                    give the message back with exponential back-off; park it after the last try
    │   ├── Throttled            an AWS API asked for patience
    │   ├── Unavailable          time-out, network, 5xx
    │   ├── UploadFailed         the scanner could not upload; several in a row open the circuit
    │   ├── ScannerCrashed       died, hung or ran over time; parked with its redacted stderr
    │   ├── ResultUnwritable     the scanner could not write or pack a result; once more elsewhere
    │   ├── WorkerDied           the worker that scanned the function before did not live to the scan's end
    │   └── Unexpected           a mistake of our own; the log has the traceback
    ├── NotReady                 come back in 15-60 s: the code is still `Pending`
    ├── CodeChanged              look again: what was scanned is not what the function runs
    ├── AccountPaused            give back until the account's pause ends, uncounted
    ├── AccountBusy              give back, uncounted: the account has its share of scans, and enough wait
    ├── Gone                     ledger `GONE`, delete the message
    ├── NoAccess                 ledger `NO_ACCESS`, back off for the account, park after the last try
    │   └── SessionRefused       the role session's own credentials are refused: make a new one, once
    ├── Unreadable               ledger `UNREADABLE`, park at once: KMS, image access, or a broken artifact
    ├── LeaseHeld                give back until the lease of an earlier delivery of this very message ends
    └── LeaseLost                stop the scan, store nothing, give the message back
"""

from datetime import datetime


class ScanhubError(Exception):
    """The root. Its text is one line that a user can act on, without secrets.

    Args:
        text: What was wrong, where and, if the reader can mend it, what to do.
        detail: More of the same that may be long (a redacted tail of stderr); never needed to understand `text`.
        exit_code: How the scanner ended, where it was the scanner that failed: a number, the name of a signal such as
            `SIGKILL`, or `timeout`; else empty.
    """

    def __init__(self, text: str, *, detail: str = "", exit_code: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.detail = detail
        self.exit_code = exit_code


def words_of(error: BaseException) -> str:
    """What an error says, in a line; of one that is none of ours, what Python shows of it."""
    return error.text if isinstance(error, ScanhubError) else repr(error)


class Misconfigured(ScanhubError):
    """A setting, a secret or the scanner's checksum is wrong. Nothing but a person can mend it."""


class HostFault(ScanhubError):
    """This machine cannot scan; another one may."""


class QualysFault(ScanhubError):
    """Qualys refuses the token or does not answer. It concerns every message alike."""


class Retry(ScanhubError):
    """It may work the next time."""


class Throttled(Retry):
    """An AWS API asked for patience."""


class Unavailable(Retry):
    """A time-out, a broken connection or a 5xx answer."""


class UploadFailed(Retry):
    """The scanner could not upload to Qualys."""


class ScannerCrashed(Retry):
    """The scanner died, hung or ran over time. `detail` holds the redacted end of its stderr."""


class ResultUnwritable(Retry):
    """The scanner could not write or pack its result."""


class WorkerDied(Retry):
    """The function was being scanned by a worker that died or stalled: perhaps for its sake."""


class Unexpected(Retry):
    """What nobody thought of. The message is tried again, and parked if that does not help."""


class NotReady(ScanhubError):
    """The function's code cannot be read yet. Not a failure."""


class CodeChanged(ScanhubError):
    """The function was changed while it was scanned: which code was read is not known."""


class AccountPaused(ScanhubError):
    """The account refused us or asked for patience a moment ago; nothing is asked of it for a while.

    Args:
        text: As in the root.
        until: When the pause ends (aware, UTC).
        is_denied: Whether it denies access for so long that this counts as the message's own failure.
    """

    def __init__(self, text: str, *, until: datetime, is_denied: bool = False) -> None:
        super().__init__(text)
        self.until = until
        self.is_denied = is_denied


class AccountBusy(ScanhubError):
    """As many functions of this account as may be are scanned already, and as many messages as may be wait for that."""


class Gone(ScanhubError):
    """The function does not exist any more."""


class NoAccess(ScanhubError):
    """The role cannot be assumed, or it may not read the function."""


class SessionRefused(NoAccess):
    """The service refuses the credentials of a role session: it ended early, or was revoked."""


class Unreadable(ScanhubError):
    """The function is there, but its code cannot be read: KMS, image access or a broken artifact."""


class LeaseHeld(ScanhubError):
    """An earlier delivery of this very message holds the lease.

    Args:
        text: As in the root.
        until: When that lease ends (aware, UTC).
    """

    def __init__(self, text: str, *, until: datetime) -> None:
        super().__init__(text)
        self.until = until


class LeaseLost(ScanhubError):
    """Another worker holds the lease now."""
