"""A plan as one JSON document; names in camelCase, seconds and dollars as numbers, null for what has no end."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from infra.capacity.bill import Lines, total
from infra.capacity.limits import Use
from infra.capacity.plan import Phase, Side
from infra.capacity.rows import raised_first

SCHEMA_VERSION = 1


def plan_document(sides: Sequence[Side], *, seed: int) -> dict[str, Any]:
    """Every side: what was asked for, then ten times that."""
    return {"schemaVersion": SCHEMA_VERSION, "seed": seed, "plans": [_side(side) for side in sides]}


def _side(side: Side) -> dict[str, Any]:
    return {
        "demand": _camel(asdict(side.demand) | {"image_scan_seconds": side.demand.image_seconds}),
        "setup": _camel(asdict(side.setup) | {"slots_per_account": side.setup.account_slots}),
        "firstCoverage": _phase(side.first) | {"tasksForPace": side.tasks_for_pace, "cost": _bill(side.first_bill)},
        "commonDays": _phase(side.common) | {"dueASweep": side.due_a_sweep},
        "costAMonth": _bill(side.bill),
        "overloaded": side.is_overloaded,
        "binding": _use(side.binding),
        "raiseFirst": raised_first(side),
    }


def _phase(phase: Phase) -> dict[str, Any]:
    return {
        "seconds": _finite(phase.seconds),
        "projected": phase.is_projected,
        "latency": _camel(asdict(phase.latency)),
        "tasks": {
            "mean": round(phase.mean_tasks, 2),
            "peak": phase.peak_tasks,
            "hours": _finite(phase.task_hours),
        },
        "longestWaitHours": _finite(phase.waited_hours),
        "scannedChanges": phase.record.scanned_changes,
        "coveredChanges": phase.record.covered_changes,
        "limits": [_use(use) for use in sorted(phase.uses, key=lambda use: -use.share)],
    }


def _use(use: Use) -> dict[str, Any]:
    limit = use.kind.limit
    return {
        "id": use.kind.name.lower(),
        "name": limit.name,
        "used": _finite(use.used),
        "available": _finite(use.available),
        "unit": limit.unit,
        "share": _finite(use.share),
        "source": limit.address,
        "raise": limit.raised,
    }


def _bill(lines: Lines) -> dict[str, Any]:
    items = [{"item": item, "dollars": _finite(dollars)} for item, dollars in lines]
    return {"currency": "USD", "items": items, "total": _finite(total(lines))}


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _camel(values: dict[str, Any]) -> dict[str, Any]:
    return {name[0] + name.title().replace("_", "")[1:]: value for name, value in values.items()}
