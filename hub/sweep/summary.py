"""`summary.json`: what one sweep found in every account, stored beside the results of scans."""

import io
from collections.abc import Mapping
from datetime import UTC

from pydantic import AwareDatetime

from hub.document import Document, Part
from hub.results_bucket import Objects
from hub.sweep.decision import Why
from hub.sweep.report import AccountResult, SweepReport
from hub.sweeps import SweepCounts, SweepScope

PREFIX = "sweeps/"


class SummaryScope(Part):
    """What was gone over; see `hub.sweeps.SweepScope`."""

    id: str
    accounts: tuple[str, ...]
    ous: tuple[str, ...]
    regions: tuple[str, ...]
    exclude: tuple[str, ...]
    profile_id: str

    @classmethod
    def of(cls, scope: SweepScope) -> "SummaryScope":
        """From a scope."""
        return cls(
            id=scope.id,
            accounts=scope.accounts,
            ous=scope.ous,
            regions=scope.regions,
            exclude=scope.exclude,
            profile_id=scope.profile_id,
        )


class SummaryCounts(Part):
    """See `hub.sweeps.SweepCounts`; every reason stands in `queued`, also those that did not occur.

    Attributes:
        outlived: An older release did not count them.
    """

    functions: int
    fresh: int
    waiting: int
    excluded: int
    queued: Mapping[Why, int]
    gone: int
    outlived: int = 0
    failed: int

    @classmethod
    def of(cls, counts: SweepCounts) -> "SummaryCounts":
        """From counts."""
        return cls(
            functions=counts.functions,
            fresh=counts.fresh,
            waiting=counts.waiting,
            excluded=counts.excluded,
            queued={why: counts.queued.get(why.value, 0) for why in Why},
            gone=counts.gone,
            outlived=counts.outlived,
            failed=counts.failed,
        )


class SummaryRegion(Part):
    """A region that could not be gone over to its end."""

    region: str
    problem: str


class SummaryAccount(Part):
    """One account; of its regions only those with a problem.

    Attributes:
        problem: Why nothing of it could be listed; empty where it could.
    """

    account: str
    problem: str
    counts: SummaryCounts
    regions: tuple[SummaryRegion, ...]

    @classmethod
    def of(cls, result: AccountResult) -> "SummaryAccount":
        """From a result."""
        regions = tuple(SummaryRegion(region=one, problem=text) for one, text in sorted(result.regions.items()))
        return cls(
            account=result.account,
            problem=result.problem,
            counts=SummaryCounts.of(result.counts),
            regions=regions,
        )


class SweepSummary(Document):
    """The document; the published schema is `hub/schemas/sweep.schema.json`.

    Attributes:
        sweep_id: Of the run; sorts by time.
        started_at: When the run began (UTC).
        finished_at: When its last account was done.
        scope: What was gone over.
        counts: Of all accounts.
        calls: AWS calls made by the processes that worked on it.
        functions_per_second: Listed, from start to finish.
        accounts: Every account, by id.
    """

    sweep_id: str
    started_at: AwareDatetime
    finished_at: AwareDatetime
    scope: SummaryScope
    counts: SummaryCounts
    calls: int
    functions_per_second: float
    accounts: tuple[SummaryAccount, ...]

    @classmethod
    def of(cls, sweep_id: str, report: SweepReport) -> "SweepSummary":
        """From the result of a run."""
        seconds = (report.finished_at - report.started_at).total_seconds()
        return cls(
            sweep_id=sweep_id,
            started_at=report.started_at.astimezone(UTC),
            finished_at=report.finished_at.astimezone(UTC),
            scope=SummaryScope.of(report.scope),
            counts=SummaryCounts.of(report.counts),
            calls=report.counts.calls,
            functions_per_second=round(report.counts.functions / seconds, 1) if seconds > 0 else 0.0,
            accounts=tuple(
                SummaryAccount.of(one) for one in sorted(report.accounts, key=lambda result: result.account)
            ),
        )


def summary_key(sweep_id: str) -> str:
    """Where the summary of a run lies in the results bucket."""
    return f"{PREFIX}{sweep_id}/summary.json"


async def store(sweep_id: str, report: SweepReport, objects: Objects) -> str:
    """Write it, over an older one of the same run; returns its key.

    Raises:
        Misconfigured: The bucket may not be used.
        Throttled, Unavailable: It does not answer.
    """
    key, data = summary_key(sweep_id), SweepSummary.of(sweep_id, report).line()
    await objects.put(key, io.BytesIO(data), size=len(data), content_type="application/json")
    return key


async def read(sweep_id: str, objects: Objects) -> SweepSummary | None:
    """The summary of a run, or None where there is none: the run is not finished.

    Raises:
        Misconfigured: The bucket may not be used.
        Throttled, Unavailable: It does not answer.
    """
    data = await objects.get(summary_key(sweep_id))
    return None if data is None else SweepSummary.model_validate_json(data)
