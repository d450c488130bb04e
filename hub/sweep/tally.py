"""What is counted while one account is gone over."""

from collections import Counter
from dataclasses import dataclass, field

from hub.sweep.decision import Decision, Verdict, Why
from hub.sweeps import SweepCounts


@dataclass(slots=True)
class Tally:
    """The figures of `SweepCounts`, as they grow.

    Attributes:
        unsent: Requests that the queue did not take.
    """

    functions: int = 0
    fresh: int = 0
    waiting: int = 0
    excluded: int = 0
    queued: Counter[Why] = field(default_factory=Counter)
    gone: int = 0
    outlived: int = 0
    failed: int = 0
    calls: int = 0
    unsent: int = 0

    def decided(self, decision: Decision) -> None:
        """One function was looked at. What is to be queued counts when it is."""
        self.functions += 1
        if decision.verdict is Verdict.FRESH:
            self.fresh += 1
        elif decision.verdict is Verdict.WAITING:
            self.waiting += 1
        elif decision.verdict is Verdict.EXCLUDED:
            self.excluded += 1

    def counts(self, *, accounts: int = 0) -> SweepCounts:
        """As they are now."""
        return SweepCounts(
            accounts=accounts,
            functions=self.functions,
            fresh=self.fresh,
            waiting=self.waiting,
            excluded=self.excluded,
            queued={why.value: number for why, number in self.queued.items() if number},
            gone=self.gone,
            outlived=self.outlived,
            failed=self.failed,
            calls=self.calls,
        )
