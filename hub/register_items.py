"""The register's items of the service itself: its workers, its pause, how fast changes were scanned.

They lie in the ledger's table; `docs/ledger.md` has their attributes.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hub.ledger_schema import SCHEMA, Item, Key, Update, milliseconds, moment, reading, seconds
from hub.scans import ScanProfile
from hub.service_notes import ObjectiveDay, Pause, WorkerNote

WORKERS = "workers"
"""The partition of all workers: one query reads them, some 300 bytes each."""

WORKER_KEPT = timedelta(days=1)
"""After its last word. One that ends in good order takes its note away."""

OBJECTIVE = "objective"
"""The partition of all days: one query reads them. Each writer of a day has an item of its own, of some 150 bytes."""

OBJECTIVE_KEPT = timedelta(days=400)

PAUSE = Key("service", "pause")

_WORKER = (
    "version",
    "engine",
    "engineVersion",
    "mode",
    "scanTypes",
    "slots",
    "running",
    "circuit",
    "paused",
    "startedAt",
    "seenAt",
)


def worker_key(worker_id: str) -> Key:
    """Where a worker's note is."""
    return Key(WORKERS, worker_id)


def checked_in(note: WorkerNote) -> Update:
    """The worker is there."""
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "version": note.version,
        "engine": note.profile.engine,
        "engineVersion": note.profile.version,
        "mode": note.profile.mode,
        "scanTypes": list(note.profile.scan_types),
        "slots": note.slots,
        "running": note.running,
        "paused": note.paused,
        "startedAt": milliseconds(note.started_at),
        "seenAt": milliseconds(note.seen_at),
        "expiresAt": seconds(note.seen_at + WORKER_KEPT),
    }
    if note.circuit:
        return Update(values | {"circuit": note.circuit})
    return Update(values, ("circuit",))


def checked_out(now: datetime) -> Update:
    """The worker has ended. Its item is emptied, for TTL to take away: so no role needs the right to delete."""
    return Update({"expiresAt": seconds(now)}, _WORKER)


def worker_from(item: Item, now: datetime) -> WorkerNote | None:
    """What an item says of a worker; None for one that has ended, or was not heard of for a day.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with reading(item):
        if "seenAt" not in item or (seen_at := moment(item["seenAt"])) < now - WORKER_KEPT:
            return None
        return WorkerNote(
            id=item["sk"],
            version=item["version"],
            profile=ScanProfile(item["engine"], item["engineVersion"], item["mode"], tuple(item["scanTypes"])),
            slots=int(item["slots"]),
            running=int(item["running"]),
            circuit=item.get("circuit", ""),
            paused=item["paused"],
            started_at=moment(item["startedAt"]),
            seen_at=seen_at,
        )


def paused(pause: Pause) -> Update:
    """The service takes no work."""
    return Update({"schema": SCHEMA, "by": pause.by, "reason": pause.reason, "at": milliseconds(pause.at)})


def resumed(resumption: str) -> Update:
    """The service takes work again, by the word of `resumption`: a random token of one call."""
    return Update({"resumption": resumption}, ("by", "reason", "at"))


def pause_from(item: Item | None) -> Pause | None:
    """What the item says of a pause; None where there is none.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    if item is None:
        return None
    with reading(item):
        return Pause(by=item["by"], reason=item["reason"], at=moment(item["at"])) if "at" in item else None


def day_key(day: date, teller: str) -> Key:
    """Where it stands what one process has counted of a day; `teller` is a random token of the process."""
    return Key(OBJECTIVE, f"{day.isoformat()}#{teller}")


def told(day: ObjectiveDay) -> Update:
    """What this process has counted of the day, all in all: so a repeated write changes nothing."""
    kept_until = datetime.combine(day.day, time(), UTC) + OBJECTIVE_KEPT
    return Update(
        {
            "schema": SCHEMA,
            "target": day.target,
            "changes": day.changes,
            "within": day.within,
            "failed": day.failed,
            "slowest": round(day.slowest * 1000),
            "expiresAt": seconds(kept_until),
        }
    )


def day_from(item: Item) -> ObjectiveDay:
    """What one process has counted of a day.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with reading(item):
        return ObjectiveDay(
            day=date.fromisoformat(item["sk"].partition("#")[0]),
            target=int(item["target"]),
            changes=int(item["changes"]),
            within=int(item["within"]),
            failed=int(item["failed"]),
            slowest=int(item["slowest"]) / 1000,
        )


def with_more(day: ObjectiveDay, more: ObjectiveDay) -> ObjectiveDay:
    """Both counts of one day together."""
    return replace(
        day,
        target=max(day.target, more.target),
        changes=day.changes + more.changes,
        within=day.within + more.within,
        failed=day.failed + more.failed,
        slowest=max(day.slowest, more.slowest),
    )


def by_day(told_of: list[ObjectiveDay], now: datetime) -> list[ObjectiveDay]:
    """The days that are kept, the newest first, each with what all processes have counted."""
    oldest = (now - OBJECTIVE_KEPT).date()
    days: dict[date, ObjectiveDay] = {}
    for one in told_of:
        if one.changes and one.day > oldest:
            days[one.day] = with_more(days[one.day], one) if one.day in days else one
    return sorted(days.values(), key=lambda one: one.day, reverse=True)
