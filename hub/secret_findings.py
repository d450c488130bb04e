"""Secrets found in a function's code, read from the scanner's inventory without their values."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hub.findings import Draft, Drafts, FindingKind
from hub.redaction import MASK, SHORTEST
from hub.scans import Severity
from hub.untrusted import NAME_LIMIT, integer, items, mapping, text

_SEVERITIES = {
    "INFO": Severity.INFORMATIONAL,
    "INFORMATIONAL": Severity.INFORMATIONAL,
    "LOW": Severity.LOW,
    "MEDIUM": Severity.MEDIUM,
    "HIGH": Severity.HIGH,
    "CRITICAL": Severity.CRITICAL,
}
_UNSTATED = Severity.HIGH
"""Of a secret whose severity the scanner does not tell: one that may be live is worth a look."""

_KEPT = frozenset({"ruleid", "category", "severity", "title", "startline", "endline"})
"""The only keys that are read. The others (Match, Code, Secret, Value, ...) may hold the secret itself."""

_MAX_VALUES = 100
_TOKEN = re.compile(r"[^\s\"'`=:,;(){}\[\]<>]{6,}")


def read(document: object, drafts: Drafts) -> bool:
    """Add every secret that the inventory names to `drafts`.

    The spelling of the keys is not settled by the vendor's documents: case, `_` and `-` do not count.

    Returns:
        Whether the list could be read, or there was none (nothing found).
    """
    results = _plain(mapping(document)).get("secretresults")
    if results is None:
        return True
    for result in items(results):
        if not isinstance(result, dict):
            drafts.skipped += 1
            continue
        keys = _plain(result)
        target = text(keys.get("target"))
        for listed in (keys.get("secrets"), keys.get("details")):
            if listed is not None and not isinstance(listed, list):
                drafts.skipped += 1
            for secret in items(listed):
                if isinstance(secret, dict):
                    drafts.add(_draft(_plain(secret), target))
                else:
                    drafts.skipped += 1
    return isinstance(results, list)


def _draft(secret: Mapping[str, Any], target: str | None) -> Draft:
    values = {value for value in _values(secret) if len(value) >= SHORTEST}
    category = _clean(secret.get("category"), values)
    rule_id = text(secret.get("ruleid"), NAME_LIMIT) or category or "unknown"
    return Draft(
        kind=FindingKind.SECRET,
        severity=_SEVERITIES.get(str(secret.get("severity")).upper(), _UNSTATED),
        title=_clean(secret.get("title"), values) or rule_id,
        rule_id=rule_id,
        path=target,
        start_line=integer(secret.get("startline"), least=1),
        category=category,
    )


def _clean(value: object, secrets: Collection[str]) -> str | None:
    line = text(value)
    for secret in sorted(secrets, key=len, reverse=True):
        line = line and line.replace(secret, MASK)
    return line


def _values(secret: Mapping[str, Any]) -> Iterator[str]:
    """What may be the secret itself: a scanner that quotes it in a title, too, must not leak it."""
    waiting = [value for key, value in secret.items() if key not in _KEPT]
    seen = 0
    while waiting and seen < _MAX_VALUES:
        value = waiting.pop()
        seen += 1
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str):
            yield value[:NAME_LIMIT]
            # A quoted line holds the secret between other words.
            yield from (word for word in _TOKEN.findall(value[:NAME_LIMIT]) if any(map(str.isdigit, word)))


def _plain(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key.casefold().replace("_", "").replace("-", ""): value for key, value in keys.items()}
