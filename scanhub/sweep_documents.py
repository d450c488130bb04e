"""What `--json` prints of a sweep, by `scanhub sweep` and `status`; names in camelCase, times in ISO 8601 (UTC)."""

from typing import Any

from hub.sweep.report import SweepReport
from hub.sweeps import Named, ScopeNote, SweepCounts, SweepRun
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
        "outlived": counts.outlived,
        "failed": counts.failed,
        "calls": counts.calls,
    }


def run_document(run: SweepRun) -> dict[str, Any]:
    """A run, as the register keeps it."""
    return {
        "sweepId": run.id,
        "startedAt": run.started_at.isoformat(),
        "finishedAt": run.finished_at.isoformat() if run.finished_at is not None else None,
        "scope": _scope_document(run.scope) if run.scope is not None else None,
        "accounts": run.accounts,
        "counts": counts_document(run.counts),
    }


def _scope_document(scope: ScopeNote) -> dict[str, Any]:
    return {
        "isWhole": scope.is_full,
        "accounts": _named_document(scope.accounts),
        "ous": _named_document(scope.ous),
        "regions": _named_document(scope.regions),
        "exclude": _named_document(scope.exclude),
    }


def _named_document(names: Named) -> dict[str, Any]:
    return {"number": names.number, "first": list(names.first)}
