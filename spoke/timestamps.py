"""Timestamps as CloudTrail, EventBridge and Lambda write them."""

from datetime import UTC, datetime


def parse(text: str) -> datetime:
    """A moment, aware, in UTC.

    Args:
        text: ISO 8601 with an offset: `2026-11-20T10:11:12Z` (CloudTrail, EventBridge) or
            `2026-11-20T10:11:12.345+0000` (Lambda's `LastModified`).

    Raises:
        ValueError: It is none, or it has no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no offset: {text[:40]!r}")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"outside of the calendar: {text[:40]!r}") from error
