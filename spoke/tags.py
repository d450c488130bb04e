"""The tags that tell on a function itself when and how it was scanned, and the one that keeps it out."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime

TIMESTAMP = "QualysScanTimestamp"
STATUS = "QualysScanStatus"
SCAN_TAG = "QualysScanTag"

TAG_KEYS = frozenset({TIMESTAMP, STATUS, SCAN_TAG})
"""No other key is ever written; the spoke role allows no other either."""

MAX_VALUE = 256
"""Characters of a value (`TagValue` in botocore's Lambda model)."""

# Letters, separators and numbers of any script, and these: the pattern of `TagValue` there.
_SIGNS = frozenset("_.:/=+-@")
_CATEGORIES = frozenset("LZN")


def scan_tags(*, completed_at: datetime, status: str, scan_tag: str | None) -> dict[str, str]:
    """The tags of one finished scan.

    Args:
        completed_at: Aware.
        status: `success`, `partial` or `failed`.
        scan_tag: Qualys's own tag of the scan; None where it is not known: the key is then left out.
    """
    tags = {TIMESTAMP: f"{completed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", STATUS: _allowed(status)}
    if scan_tag is not None:
        tags[SCAN_TAG] = _allowed(scan_tag)
    return tags


def changed(tags: Mapping[str, str], present: Mapping[str, str] | None) -> dict[str, str]:
    """Those of `tags` that differ from the ones `present` (None: unknown, so all of them).

    Raises:
        ValueError: A key is none of `TAG_KEYS`.
    """
    foreign = sorted(set(tags) - TAG_KEYS)
    if foreign:
        raise ValueError(f"never to be written: {', '.join(foreign)}")
    return {key: value for key, value in tags.items() if present is None or present.get(key) != value}


def is_excluded(tags: Mapping[str, str] | None, exclusion_tag: str) -> bool:
    """Whether the function asks not to be scanned: the tag is there, with any value but `false`.

    Tags that are not known (None) exclude nothing.
    """
    return tags is not None and exclusion_tag in tags and tags[exclusion_tag].strip().casefold() != "false"


def _allowed(value: str) -> str:
    return "".join(
        sign if sign in _SIGNS or unicodedata.category(sign)[0] in _CATEGORIES else "_" for sign in value[:MAX_VALUE]
    )
