"""What came of scans that somebody asked for."""

from dataclasses import dataclass

from hub.coverage import RESULTS, Coverage, CoverageState
from hub.scans import PolicyVerdict
from spoke.arn import FunctionArn

WELL = RESULTS | {CoverageState.EXCLUDED, CoverageState.GONE}
"""States in which nothing is left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        asked: The functions whose request is in the queue.
        left: Those whose request the queue did not take.
        problems: What could not be looked through, in one line each.
        settled: Of those that were waited for, what is known of the ones that have ended.
        has_waited: Whether anybody waited.
        named: Of `asked`, those that somebody named one by one. Where such a one is not there, its name is wrong; one
            of an account or a tag may well have been deleted meanwhile.
    """

    asked: tuple[FunctionArn, ...]
    left: tuple[FunctionArn, ...] = ()
    problems: tuple[str, ...] = ()
    settled: tuple[Coverage, ...] = ()
    has_waited: bool = False
    named: tuple[FunctionArn, ...] = ()

    @property
    def unsettled(self) -> tuple[FunctionArn, ...]:
        """Those that were waited for in vain."""
        ended = {coverage.function for coverage in self.settled}
        return tuple(one for one in self.asked if one not in ended) if self.has_waited else ()

    @property
    def missing(self) -> tuple[FunctionArn, ...]:
        """Those that were named, and are not there."""
        gone = {coverage.function for coverage in self.settled if coverage.state is CoverageState.GONE}
        return tuple(one for one in self.named if one in gone)

    @property
    def failed(self) -> int:
        """How many have no result, though they were waited for."""
        ended = sum(coverage.state not in WELL for coverage in self.settled)
        return len(self.unsettled) + len(self.missing) + ended

    @property
    def verdicts(self) -> frozenset[PolicyVerdict]:
        """Of Qualys's policies. A verdict on a function that is gone or excluded by now is of an earlier day."""
        results = [coverage.last_good for coverage in self.settled if coverage.state in RESULTS]
        return frozenset(one.policy for one in results if one is not None and one.policy is not None)
