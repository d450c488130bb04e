"""The ledger's items that belong to no function: failed tries of messages, what people were told, accounts heard of.

They have no `state`, so neither the index by state nor a list of coverages sees them.
"""

from datetime import datetime, timedelta

from hub.ledger_schema import SCHEMA, Item, Key, Update, milliseconds, moment, reading, seconds
from hub.sightings import Sighting
from hub.tries import Failure

MAX_TEXT = 300
"""Characters kept of a failure's text. One message has some hundred failures at most, since the worker parks it at the
limit of any kind; so the item stays within the 400 KB that DynamoDB admits."""

TRIES_KEPT = timedelta(days=15)
"""SQS keeps a message for 14 days at most, and one that was moved back from a dead-letter queue has a new id."""

ANNOUNCEMENT_KEPT = timedelta(days=7)
"""After the quiet."""

SIGHTINGS = "sightings"
"""The partition of all sightings: one query reads them. Of some hundred bytes each, those of a thousand accounts in
seventeen regions are two megabytes."""

SIGHTING_KEPT = timedelta(days=400)
"""After the last one. An account that was closed, or a region that was left, need not be told of for ever."""

_TRY = "try#"


def tries_key(message_id: str) -> Key:
    """Where the failed tries of a message are."""
    return Key(f"message#{message_id}", "tries")


def noted(failure: Failure) -> Update:
    """The failure stands there. Each has an attribute of its own, so that a repeated write changes nothing."""
    return Update(
        {
            "schema": SCHEMA,
            f"{_TRY}{failure.attempt:04}#{failure.reason}": {
                "at": milliseconds(failure.at),
                "text": failure.text[:MAX_TEXT],
            },
            "expiresAt": seconds(failure.at + TRIES_KEPT),
        }
    )


def failures_from(item: Item) -> tuple[Failure, ...]:
    """What an item says of a message's failures, oldest first.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with reading(item):
        failures = []
        for name, value in item.items():
            if name.startswith(_TRY):
                attempt, reason = name.removeprefix(_TRY).split("#")
                failures.append(Failure(int(attempt), reason, value["text"], moment(value["at"])))
        return tuple(sorted(failures, key=lambda one: (one.attempt, one.at, one.reason)))


def announcement_key(subject: str) -> Key:
    """Where it stands when people were last told of a subject, or would have been."""
    return Key(f"announcement#{subject}", "announcement")


def announced(teller: str, *, now: datetime, quiet: timedelta) -> Update:
    """It is for `teller`, a random token of one question, to tell people."""
    return Update({"schema": SCHEMA, "teller": teller, **asked_again(now=now, quiet=quiet).values})


def asked_again(*, now: datetime, quiet: timedelta) -> Update:
    """Somebody asked within the quiet, which lasts the longer for it."""
    return Update({"at": milliseconds(now), "expiresAt": seconds(now + quiet + ANNOUNCEMENT_KEPT)})


def sighting_key(sighting: Sighting) -> Key:
    """Where it stands when an account and region was last heard of."""
    return Key(SIGHTINGS, f"{sighting.account}#{sighting.region}")


def sighted(sighting: Sighting) -> Update:
    """The account and region was last heard of then."""
    return Update(
        {
            "schema": SCHEMA,
            "eventAt": milliseconds(sighting.event_at),
            "receivedAt": milliseconds(sighting.received_at),
            "expiresAt": seconds(sighting.received_at + SIGHTING_KEPT),
        }
    )


def sighting_from(item: Item) -> Sighting:
    """What an item says of an account and region.

    Raises:
        Misconfigured: A newer version wrote it, or it is broken.
    """
    with reading(item):
        account, region = item["sk"].split("#")
        return Sighting(
            account=account,
            region=region,
            event_at=moment(item["eventAt"]),
            received_at=moment(item["receivedAt"]),
        )
