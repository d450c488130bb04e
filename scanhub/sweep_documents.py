"""What `scanhub sweep --json` prints; names in camelCase, times in ISO 8601 (UTC)."""

from typing import Any

from hub.sweep.report import SweepReport
from hub.sweeps import SweepCounts, SweepRun
from scanhub.documents import SCHEMA_VERSION


def sweep_document(report: SweepReport) -> dict[str, Any]:
    """The result of one sweep."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "sweepId": report.run.id if report.run is not None else None,
        "dryRun": report.dry_run,
        "isComplete": report.is_complete,
        "stopped": report.stopped or None,
        "startedAt": report.started_at.isoformat(),
        "finishedAt": report.finished_at.isoformat(),
        "seconds": round(report.duration, 1),
        "accounts": report.listed_accounts,
        "counts": counts_document(report.counts),
        "problems": [
            {"account": one.account, "region": one.region or None, "problem": one.text} for one in report.problems
        ],
        "planned": [{"function": str(one.function), "why": one.why.value} for one in report.planned],
        "plannedMore": report.planned_unnamed,
        "summaryKey": report.summary_key or None,
    }


def counts_document(counts: SweepCounts) -> dict[str, Any]:
    """See `hub.sweeps.SweepCounts`."""
    return {
        "accounts": counts.accounts,
        "functions": counts.functions,
        "fresh": counts.fresh,
        "waiting": counts.waiting,
        "excluded": counts.excluded,
        "queued": counts.due,
        "queuedBy": dict(counts.queued),
        "gone": counts.gone,
        "failed": counts.failed,
        "calls": counts.calls,
    }


def run_document(run: SweepRun) -> dict[str, Any]:
    """A run, as the register keeps it."""
    return {
        "sweepId": run.id,
        "startedAt": run.started_at.isoformat(),
        "finishedAt": run.finished_at.isoformat() if run.finished_at is not None else None,
        "accounts": run.accounts,
        "counts": counts_document(run.counts),
    }
