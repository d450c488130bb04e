"""A message as it lies in a dead-letter queue. Nothing in it is taken for granted, not even who has put it there."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from hub import untrusted
from hub.message import Message, Source
from hub.tries import Failure
from spoke import timestamps
from spoke.arn import FunctionArn, InvalidArn, is_account
from spoke.changes import Change
from spoke.events import read

NO_REASON = "no_reason"
"""Stands for the reason of a message that tells none: SQS itself moves messages without a word."""

_REASON = re.compile("[a-z_]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """One parked message; what it does not tell, or tells in a way that cannot be read, is None or empty.

    Attributes:
        message: As received from the dead-letter queue: id, body, times, and the queue that it was parked from.
        reason: A stable word such as `scanner_crashed`, or `no_reason`.
        detail: The error's line and, below it, the end of what the scanner printed. Printable, its lines kept.
        function: The function that it is about, by the attribute or else by the body.
        account: Of the envelope, which is AWS's word; else of the function.
        attempts: How often the message was received before it was parked.
        parked_at: When (aware, UTC).
        history: Every failed try, oldest first.
        attributes: All message attributes as they came, for the record.
    """

    message: Message
    reason: str = NO_REASON
    detail: str = ""
    function: FunctionArn | None = None
    account: str | None = None
    attempts: int | None = None
    parked_at: datetime | None = None
    history: tuple[Failure, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def id(self) -> str:
        """SQS's id in the dead-letter queue."""
        return self.message.id

    @property
    def source(self) -> Source:
        """The queue that it was parked from, and goes back to."""
        return self.message.source

    @property
    def at(self) -> datetime:
        """When it was parked; where it does not tell, when it was sent."""
        return self.parked_at or self.message.sent_at

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """Sorts the oldest first."""
        return self.at, self.message.sent_at, self.id


def read_parked(message: Message, attributes: Mapping[str, str]) -> ParkedMessage:
    """What the message tells. Never raises.

    Args:
        message: Received from a dead-letter queue.
        attributes: Its message attributes, untrusted; `hub.dead_letters.attributes` writes them.
    """
    reason = attributes.get("reason", "")
    reading = read(message.body)
    change = reading if isinstance(reading, Change) else None
    function = _function(attributes.get("functionArn", "")) or (change.function if change is not None else None)
    account = change.account if change is not None else _account(message.body)
    return ParkedMessage(
        message=message,
        reason=reason if _REASON.fullmatch(reason) else NO_REASON,
        detail=printable(attributes.get("detail", "")),
        function=function,
        account=account or (function.account if function is not None else None),
        attempts=untrusted.integer(attributes.get("attempts")),
        parked_at=_moment(attributes.get("parkedAt")),
        history=_history(attributes.get("history", "")),
        attributes=MappingProxyType(dict(attributes)),
    )


def printable(text: str) -> str:
    """The text with its lines, and without what could steer a terminal."""
    return "\n".join(
        line if line.isprintable() else "".join(one if one.isprintable() else " " for one in line)
        for line in text.split("\n")
    )


def _function(text: str) -> FunctionArn | None:
    try:
        return FunctionArn.parse(text)
    except InvalidArn:
        return None


def _account(body: str) -> str | None:
    """Of an envelope that is otherwise of no use."""
    try:
        account = untrusted.mapping(untrusted.load(body.encode(errors="replace"))).get("account")
    except untrusted.NotJson:
        return None
    return account if isinstance(account, str) and is_account(account) else None


def _moment(text: object) -> datetime | None:
    try:
        return timestamps.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _history(text: str) -> tuple[Failure, ...]:
    try:
        entries = list(untrusted.objects(untrusted.load(text.encode(errors="replace"))))
    except untrusted.NotJson:
        return ()
    return tuple(failure for entry in entries if (failure := _failure(entry)) is not None)


def _failure(entry: Mapping[str, object]) -> Failure | None:
    attempt, at = untrusted.integer(entry.get("attempt")), _moment(entry.get("at"))
    if attempt is None or at is None:
        return None
    try:
        return Failure(attempt, str(entry.get("reason")), untrusted.text(entry.get("text")) or "", at)
    except ValueError:
        return None
