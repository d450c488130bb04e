"""What is owed after a commit: the tags, the notification, the metrics."""

import structlog

from hub.figures import scan_figures
from hub.notification import Notification, NotificationKind
from hub.notify import found, worth_telling
from hub.scans import Effect, ScanKey, ScanSummary
from hub.settings import Settings
from spoke.errors import Gone, NoAccess, Retry, Throttled, Unavailable
from spoke.tags import scan_tags
from worker.trip import Trip
from worker.world import World

log = structlog.get_logger()


def owed_by(summary: ScanSummary, settings: Settings) -> frozenset[Effect]:
    """Which effects a new result asks for."""
    owed = {Effect.METRICS}
    if settings.enable_tagging:
        owed.add(Effect.TAG)
    if worth_telling(summary, settings.notify_severity):
        owed.add(Effect.NOTIFY)
    return frozenset(owed)


async def perform(owed: frozenset[Effect], key: ScanKey, summary: ScanSummary, trip: Trip, world: World) -> None:
    """Do what is owed, and mark it done at once after what must not be done twice, so that a retry repeats nothing.

    A tag that stands there already is not written again, and a figure is no call: neither needs a mark of its own.

    Args:
        owed: Of this result.
        key: To which the result belongs.
        summary: The result.
        trip: The journey that owes it.
        world: The ports.
    """
    left = owed
    if Effect.NOTIFY in owed:
        # First: an account that cannot be tagged must not silence a finding.
        await world.notifier.notify(
            Notification(kind=NotificationKind.FINDINGS, function=key.function, reason=found(summary), summary=summary)
        )
        if Effect.METRICS in owed:
            world.metrics.emit(**scan_figures(key.function, summary, trip.scan_duration, exit_code=trip.exit_code))
        await world.ledger.mark_done(key, owed - {Effect.TAG}, scan_id=summary.scan_id)
        left = owed & {Effect.TAG}
    if Effect.TAG in left:
        await _tag(key, summary, trip, world)
    if Effect.METRICS in left:
        world.metrics.emit(**scan_figures(key.function, summary, trip.scan_duration, exit_code=trip.exit_code))
    if left:
        await world.ledger.mark_done(key, left, scan_id=summary.scan_id)


async def _tag(key: ScanKey, summary: ScanSummary, trip: Trip, world: World) -> None:
    if key.function.is_version:
        # A version has no tags of its own, and its function may run other code.
        return
    tags = scan_tags(completed_at=summary.completed_at, status=summary.status.value, scan_tag=summary.scan_tag)
    try:
        await world.accounts.tag(key.function, tags, present=trip.snapshot.tags if trip.snapshot is not None else None)
    except (Gone, NoAccess) as error:
        # The result stands without its tags, and no retry brings the function or the permission back.
        log.warning("function not tagged", reason=error.text)
    except Retry as error:
        if isinstance(error, (Throttled, Unavailable)):
            raise
        # Lambda refuses it for a reason that stays, such as fifty tags that are there already.
        log.warning("function not tagged", reason=error.text)
