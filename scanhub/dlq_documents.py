"""What `scanhub dlq ... --json` prints; names in camelCase, times in ISO 8601 (UTC)."""

from collections.abc import Iterable, Sequence
from typing import Any

from hub.dead_letters.advice import advice, plain
from hub.dead_letters.dropping import Dropped
from hub.dead_letters.groups import Group
from hub.dead_letters.holding import Holding
from hub.dead_letters.message import ParkedMessage
from hub.dead_letters.redrive import Fate, Outcome, Plan, Step
from scanhub.documents import SCHEMA_VERSION


def list_document(messages: Iterable[ParkedMessage], holding: Holding) -> dict[str, Any]:
    """Of `dlq list`."""
    return {**_seen(holding), "messages": [message_document(one) for one in messages]}


def groups_document(groups: Iterable[Group], holding: Holding) -> dict[str, Any]:
    """Of `dlq list --summary`."""
    return {
        **_seen(holding),
        "groups": [
            {
                "queue": one.source.value,
                "reason": one.reason,
                "account": one.account,
                "count": one.count,
                "oldest": one.oldest.isoformat(),
                "newest": one.newest.isoformat(),
            }
            for one in groups
        ],
    }


def message_document(one: ParkedMessage) -> dict[str, Any]:
    """One message without its body."""
    return {
        "id": one.id,
        "queue": one.source.value,
        "reason": one.reason,
        "detail": one.detail,
        "account": one.account,
        "function": str(one.function) if one.function is not None else None,
        "attempts": one.attempts,
        "parkedAt": one.parked_at.isoformat() if one.parked_at is not None else None,
        "sentAt": one.message.sent_at.isoformat(),
        "history": [
            {"attempt": tried.attempt, "reason": tried.reason, "text": tried.text, "at": tried.at.isoformat()}
            for tried in one.history
        ],
    }


def show_document(one: ParkedMessage) -> dict[str, Any]:
    """Of `dlq show`."""
    known = advice(one.reason)
    return {
        "schemaVersion": SCHEMA_VERSION,
        **message_document(one),
        "advice": {"means": plain(known.means), "toDo": plain(known.to_do), "redrive": known.remedy.value},
        "body": one.message.body,
    }


def redrive_document(
    plans: Sequence[Plan], outcomes: Iterable[Outcome], holding: Holding, *, dry_run: bool
) -> dict[str, Any]:
    """Of `dlq redrive`."""
    told = list(outcomes)

    def of(fate: Fate) -> list[dict[str, Any]]:
        return [_short(one.parked, one.why) for one in told if one.fate is fate]

    return {
        **_seen(holding),
        "dryRun": dry_run,
        "planned": [{**_short(one.parked), "step": one.step.value} for one in plans if one.step is not Step.SKIP],
        "skipped": [_short(one.parked, one.why) for one in plans if one.step is Step.SKIP],
        "redriven": of(Fate.REDRIVEN),
        "twice": of(Fate.TWICE),
        "failed": of(Fate.FAILED),
    }


def drop_document(
    wanted: Iterable[ParkedMessage], dropped: Dropped | None, holding: Holding, *, dry_run: bool
) -> dict[str, Any]:
    """Of `dlq drop`; `dropped` is None where nothing was done."""
    return {
        **_seen(holding),
        "dryRun": dry_run,
        "planned": [_short(one) for one in wanted],
        "record": dropped.record if dropped is not None else None,
        "dropped": [_short(one) for one in dropped.deleted] if dropped is not None else [],
        "failed": [_short(one, dropped.why) for one in dropped.failed] if dropped is not None else [],
    }


def _seen(holding: Holding) -> dict[str, Any]:
    return {"schemaVersion": SCHEMA_VERSION, "heldElsewhere": holding.elsewhere, "isWhole": holding.is_whole}


def _short(one: ParkedMessage, why: str = "") -> dict[str, Any]:
    document = {
        "id": one.id,
        "queue": one.source.value,
        "reason": one.reason,
        "account": one.account,
        "function": str(one.function) if one.function is not None else None,
    }
    return {**document, "why": why} if why else document
