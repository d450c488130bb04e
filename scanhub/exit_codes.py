"""With what a command ends that does many things, of which some may fail."""

from hub.scan_outcome import Outcome
from hub.scans import PolicyVerdict

DONE = 0
FAILED = 1
IN_PART = 3
POLICY_DENY = 42
POLICY_NOT_EVALUATED = 43


def after(*, done: int, failed: int) -> int:
    """0 where nothing failed, 1 where nothing was done, 3 where some of it failed."""
    if not failed:
        return DONE
    return IN_PART if done else FAILED


def after_scans(outcome: Outcome) -> int:
    """As `after`; where nothing failed, 42 if a policy denies one of them, 43 if one was not evaluated."""
    done = len(outcome.asked) - outcome.failed
    code = after(done=done, failed=outcome.failed + len(outcome.left) + len(outcome.problems))
    if code != DONE:
        return code
    if PolicyVerdict.DENY in outcome.verdicts:
        return POLICY_DENY
    return POLICY_NOT_EVALUATED if PolicyVerdict.AUDIT in outcome.verdicts else DONE
