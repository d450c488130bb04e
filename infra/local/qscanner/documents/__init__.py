"""The files that a scan leaves, each built as one JSON document (or text) from the finished scan."""

from datetime import datetime


def timestamp(moment: datetime) -> str:
    """UTC to the second, as SPDX asks for: `2026-11-21T22:05:00Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
