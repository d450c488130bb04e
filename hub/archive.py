"""The archive beside the hub's bus, and replays of what it keeps.

Limits and behaviour: the EventBridge user guide, "Replaying archived events" and "Archives", and the API reference of
StartReplay.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from spoke.aws_errors import ABSENT, error_code, translated
from spoke.clock import Clock
from spoke.errors import Misconfigured, ScanhubError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_aiobotocore_events import EventBridgeClient

ARCHIVE = "scanhub-changes"
RULE = "scanhub-changes"
"""Their names in `infra/hub.yaml`."""

MOST_AT_ONCE = 10
"""Replays that may run at once in an account and region (user guide)."""

GRAIN = timedelta(minutes=1)
"""Events are replayed minute by minute (user guide): less than that is not missed."""

SETTLING = timedelta(minutes=10)
"""An event may reach the archive so late; AWS recommends to wait for as long before a replay (user guide)."""


class ReplayState(StrEnum):
    """As EventBridge has it (its API reference, `Replay`)."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"

    @property
    def has_ended(self) -> bool:
        """Whether it stays like that."""
        return self in {ReplayState.COMPLETED, ReplayState.CANCELLED, ReplayState.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One replay; every time is aware, UTC, and None where it is not known (yet).

    Attributes:
        name: Stands in each event that it brings (`replay-name`).
        state: Where it stands.
        reason: AWS's words for the state; mostly empty.
        since: Events from here on,
        until: and up to here, by the events' own time.
        reached: The time of the event that was replayed last.
        started_at: When it began,
        ended_at: and ended.
        kept_since: Of one that was just started, where it asks for more than the archive keeps: what is older than
            this is not replayed.
    """

    name: str
    state: ReplayState
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    reached: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    kept_since: datetime | None = None


class EventArchive:
    """The archive of one bus.

    Args:
        client: An aiobotocore EventBridge client of the hub's account and region.
        bus_arn: The hub's bus.
        clock: Tells what is past, and names replays.
    """

    def __init__(self, client: "EventBridgeClient", bus_arn: str, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.bus_arn = bus_arn
        head, _, bus = bus_arn.partition(":event-bus/")
        self.arn = f"{head}:archive/{ARCHIVE}"
        # EventBridge user guide, ARNs: a rule of a custom bus has the bus's name before its own.
        self.rule_arn = f"{head}:rule/{bus}/{RULE}"

    async def start(self, since: datetime, until: datetime, *, description: str = "") -> Replay:
        """Put the events between the two moments on the bus again, for the hub's own rule alone.

        Args:
            since: Of the first event, by its own time (aware).
            until: Of the last one (aware).
            description: At most 512 characters; who has begun it, for instance.

        Raises:
            Misconfigured: The moments are reversed or in the future; the archive is not there, or keeps nothing from
                then.
            ScanhubError: Too many replays run.
            Throttled, Unavailable: After botocore's own retries.
        """
        now = self._clock.now()
        if since >= until:
            raise Misconfigured(f"the replay would end ({_shown(until)}) before it begins ({_shown(since)})")
        if until > now:
            raise Misconfigured(f"{_shown(until)} is in the future: nothing is archived yet")
        oldest = await self._oldest(now)
        if oldest is not None and until <= oldest:
            kept = f"the archive keeps events for {(now - oldest).days} days"
            raise Misconfigured(f"{kept}: none from before {_shown(oldest)} is left")
        name = f"scanhub-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        with translated(f"starting a replay of {self.arn}"):
            try:
                answer = await self._client.start_replay(
                    ReplayName=name,
                    Description=description[:512],
                    EventSourceArn=self.arn,
                    EventStartTime=since,
                    EventEndTime=until,
                    # Whoever else has a rule on this bus did not ask to see it all again.
                    Destination={"Arn": self.bus_arn, "FilterArns": [self.rule_arn]},
                )
            except ClientError as error:
                if error_code(error) == "LimitExceededException":
                    raise ScanhubError(
                        f"{MOST_AT_ONCE} replays run already in this account and region; see: scanhub replay list"
                    ) from error
                raise
        begun = _replay({**answer, "ReplayName": name, "EventStartTime": since, "EventEndTime": until})
        return replace(begun, kept_since=oldest if oldest is not None and since < oldest - GRAIN else None)

    async def describe(self, name: str) -> Replay:
        """One replay.

        Raises:
            ScanhubError: There is none of that name.
        """
        with translated(f"looking at the replay {name}"):
            try:
                answer = await self._client.describe_replay(ReplayName=name)
            except ClientError as error:
                raise _unknown(name, error) from error
        return _replay(dict(answer))

    async def replays(self) -> list[Replay]:
        """Every replay of this archive that AWS still lists, the newest first."""
        found: list[Replay] = []
        request: dict[str, Any] = {"EventSourceArn": self.arn}
        while True:
            with translated(f"listing the replays of {self.arn}"):
                answer = await self._client.list_replays(**request)
            found += [_replay(dict(one)) for one in answer.get("Replays", [])]
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
        return sorted(found, key=lambda one: (one.started_at or datetime.min.replace(tzinfo=UTC), one.name))[::-1]

    async def cancel(self, name: str) -> Replay:
        """Stop a replay; what it has replayed stays replayed.

        Raises:
            ScanhubError: There is none of that name, or it has ended already.
        """
        replay = await self.describe(name)
        if replay.state.has_ended:
            raise ScanhubError(f"the replay {name} has ended already: {replay.state.value}")
        with translated(f"cancelling the replay {name}"):
            try:
                await self._client.cancel_replay(ReplayName=name)
            except ClientError as error:
                if error_code(error) == "IllegalStatusException":
                    raise ScanhubError(f"the replay {name} cannot be cancelled any more") from error
                raise _unknown(name, error) from error
        return await self.describe(name)

    async def watch(self, name: str, *, pause: timedelta) -> AsyncIterator[Replay]:
        """The replay as it goes on, every `pause`; the last one has ended."""
        while True:
            replay = await self.describe(name)
            yield replay
            if replay.state.has_ended:
                return
            await asyncio.sleep(pause.total_seconds())

    async def _oldest(self, now: datetime) -> datetime | None:
        """From when on events are kept; None if for ever."""
        with translated(f"looking at the archive {self.arn}"):
            answer = await self._client.describe_archive(ArchiveName=ARCHIVE)
        # 0 keeps events for ever (API reference of CreateArchive).
        days = answer.get("RetentionDays") or 0
        return now - timedelta(days=days) if days else None


def _unknown(name: str, error: ClientError) -> Exception:
    if error_code(error) in ABSENT:
        return ScanhubError(f"there is no replay {name}; see: scanhub replay list")
    return error


def _replay(answer: "Mapping[str, Any]") -> Replay:
    def moment(key: str) -> datetime | None:
        value = answer.get(key)
        return value.astimezone(UTC) if isinstance(value, datetime) else None

    return Replay(
        name=answer["ReplayName"],
        state=ReplayState(answer["State"]),
        reason=" ".join(str(answer.get("StateReason") or "").split()),
        since=moment("EventStartTime"),
        until=moment("EventEndTime"),
        reached=moment("EventLastReplayedTime"),
        started_at=moment("ReplayStartTime"),
        ended_at=moment("ReplayEndTime"),
    )


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
