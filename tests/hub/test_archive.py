"""The archive's limits and AWS's answers; on moto what it can do of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError

from hub.archive import EventArchive, Replay, ReplayState
from spoke.errors import Misconfigured, ScanhubError, Throttled
from tests import virtual_time
from tests.conftest import HUB_ACCOUNT, REGION
from worker.memory.clock import ManualClock

BUS = f"arn:aws:events:{REGION}:{HUB_ACCOUNT}:event-bus/scanhub"
ARCHIVE = f"arn:aws:events:{REGION}:{HUB_ACCOUNT}:archive/scanhub-changes"
RULE = f"arn:aws:events:{REGION}:{HUB_ACCOUNT}:rule/scanhub/scanhub-changes"
NOW = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as EventBridge words it"}}, "AnyOperation")


class EventBridge:
    """Answers from a list for each operation; the last answer stands for all that follow."""

    def __init__(self, **answers: list[Any]) -> None:
        self._answers = {"describe_archive": [{"RetentionDays": 14}], **answers}
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:  # noqa: ANN401  # as the client's own methods
        async def call(**request: Any) -> Any:  # noqa: ANN401  # same
            self.requests.append((operation, dict(request)))
            answers = self._answers[operation]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def archive(client: EventBridge) -> EventArchive:
    stub: Any = client
    return EventArchive(stub, BUS, ManualClock(NOW))


def started(state: str = "STARTING") -> dict[str, Any]:
    return {"ReplayArn": f"arn:aws:events:{REGION}:{HUB_ACCOUNT}:replay/x", "State": state, "ReplayStartTime": NOW}


class TestStart:
    def test_the_hubs_own_rule_alone_sees_the_events_again(self) -> None:
        client = EventBridge(start_replay=[started()])
        replay = virtual_time.run(archive(client).start(NOW - 2 * HOUR, NOW - HOUR, description="begun by ada"))
        (_, (operation, request)) = client.requests
        assert operation == "start_replay"
        assert request == {
            "ReplayName": replay.name,
            "Description": "begun by ada",
            "EventSourceArn": ARCHIVE,
            "EventStartTime": NOW - 2 * HOUR,
            "EventEndTime": NOW - HOUR,
            "Destination": {"Arn": BUS, "FilterArns": [RULE]},
        }
        assert replay.name.startswith("scanhub-20261122T073000Z-")
        assert len(replay.name) <= 64
        assert (replay.state, replay.since, replay.until) == (ReplayState.STARTING, NOW - 2 * HOUR, NOW - HOUR)

    def test_two_replays_of_one_second_have_names_of_their_own(self) -> None:
        client = EventBridge(start_replay=[started()])
        names = {virtual_time.run(archive(client).start(NOW - HOUR, NOW)).name for _ in range(5)}
        assert len(names) > 1

    @pytest.mark.parametrize(
        ("since", "until", "words"),
        [
            (NOW, NOW, "before it begins"),
            (NOW, NOW - HOUR, "before it begins"),
            (NOW - HOUR, NOW + timedelta(seconds=1), "in the future"),
            (NOW - timedelta(days=20), NOW - timedelta(days=14), "keeps events for 14 days"),
        ],
    )
    def test_moments_that_make_no_sense_are_told_before_anything_begins(
        self, since: datetime, until: datetime, words: str
    ) -> None:
        client = EventBridge()
        with pytest.raises(Misconfigured, match=words):
            virtual_time.run(archive(client).start(since, until))
        assert "start_replay" not in {operation for operation, _ in client.requests}

    def test_an_archive_that_keeps_events_for_ever_has_no_limit(self) -> None:
        client = EventBridge(describe_archive=[{"RetentionDays": 0}], start_replay=[started()])
        begun = virtual_time.run(archive(client).start(NOW - timedelta(days=900), NOW - timedelta(days=800)))
        assert begun.kept_since is None

    @pytest.mark.parametrize(
        ("ago", "kept_since"),
        [
            (timedelta(days=30), NOW - timedelta(days=14)),
            (timedelta(days=14, minutes=2), NOW - timedelta(days=14)),
            (timedelta(days=14, seconds=3), None),
            (HOUR, None),
        ],
    )
    def test_from_when_on_it_replays_where_more_was_asked_for_than_is_kept(
        self, ago: timedelta, kept_since: datetime | None
    ) -> None:
        client = EventBridge(start_replay=[started()])
        begun = virtual_time.run(archive(client).start(NOW - ago, NOW - HOUR / 2))
        assert (begun.since, begun.kept_since) == (NOW - ago, kept_since)

    @pytest.mark.parametrize(
        ("code", "kind", "words"),
        [
            ("LimitExceededException", ScanhubError, "10 replays run already"),
            ("ResourceNotFoundException", Misconfigured, "archive/scanhub-changes"),
            ("AccessDeniedException", Misconfigured, "archive/scanhub-changes"),
            ("ThrottlingException", Throttled, "archive/scanhub-changes"),
        ],
    )
    def test_what_aws_refuses_is_told_in_a_line(self, code: str, kind: type[ScanhubError], words: str) -> None:
        client = EventBridge(start_replay=[refusal(code)])
        with pytest.raises(kind, match=words) as caught:
            virtual_time.run(archive(client).start(NOW - HOUR, NOW))
        assert "\n" not in caught.value.text
        assert (type(caught.value) is ScanhubError) == (code == "LimitExceededException")


def described(state: str, **more: Any) -> dict[str, Any]:
    return {"ReplayName": "scanhub-1", "State": state, **more}


class TestWatch:
    def test_it_is_told_again_and_again_until_it_has_ended(self) -> None:
        client = EventBridge(
            describe_replay=[
                described("STARTING"),
                described("RUNNING", EventLastReplayedTime=NOW - HOUR),
                described("COMPLETED", ReplayEndTime=NOW),
            ]
        )

        async def watched() -> list[Replay]:
            return [one async for one in archive(client).watch("scanhub-1", pause=timedelta(seconds=5))]

        first, second, last = virtual_time.run(watched())
        assert (first.state, second.reached, last.ended_at) == (ReplayState.STARTING, NOW - HOUR, NOW)

    @pytest.mark.parametrize("state", ["COMPLETED", "CANCELLED", "FAILED"])
    def test_what_has_ended_stays_so(self, state: str) -> None:
        assert ReplayState(state).has_ended

    @pytest.mark.parametrize("state", ["STARTING", "RUNNING", "CANCELLING"])
    def test_what_goes_on_has_not_ended(self, state: str) -> None:
        assert not ReplayState(state).has_ended


class TestCancel:
    def test_one_that_runs_is_cancelled(self) -> None:
        client = EventBridge(
            describe_replay=[described("RUNNING"), described("CANCELLING", StateReason="by\nrequest")],
            cancel_replay=[{"State": "CANCELLING"}],
        )
        replay = virtual_time.run(archive(client).cancel("scanhub-1"))
        assert (replay.state, replay.reason) == (ReplayState.CANCELLING, "by request")
        assert ("cancel_replay", {"ReplayName": "scanhub-1"}) in client.requests

    @pytest.mark.parametrize(
        ("answers", "words"),
        [
            ({"describe_replay": [described("COMPLETED")]}, "has ended already: COMPLETED"),
            ({"describe_replay": [refusal("ResourceNotFoundException")]}, "there is no replay scanhub-1"),
            (
                {"describe_replay": [described("RUNNING")], "cancel_replay": [refusal("IllegalStatusException")]},
                "cannot be cancelled any more",
            ),
            (
                {"describe_replay": [described("RUNNING")], "cancel_replay": [refusal("ResourceNotFoundException")]},
                "there is no replay scanhub-1",
            ),
            ({"describe_replay": [refusal("InternalException")]}, "InternalException"),
        ],
    )
    def test_what_cannot_be_cancelled_is_told_in_a_line(self, answers: dict[str, list[Any]], words: str) -> None:
        with pytest.raises(ScanhubError, match=words):
            virtual_time.run(archive(EventBridge(**answers)).cancel("scanhub-1"))


def test_all_pages_are_listed_the_newest_first() -> None:
    def page(name: str, hour: int) -> dict[str, Any]:
        return {"ReplayName": name, "State": "COMPLETED", "ReplayStartTime": NOW.replace(hour=hour)}

    client = EventBridge(
        list_replays=[
            {"Replays": [page("a", 1), page("c", 3)], "NextToken": "more"},
            {"Replays": [page("b", 2), {"ReplayName": "unborn", "State": "STARTING"}]},
        ]
    )
    assert [one.name for one in virtual_time.run(archive(client).replays())] == ["c", "b", "a", "unborn"]
    assert [request for _, request in client.requests] == [
        {"EventSourceArn": ARCHIVE},
        {"EventSourceArn": ARCHIVE, "NextToken": "more"},
    ]


@pytest.fixture
async def real(aws: AioSession) -> AsyncIterator[EventArchive]:
    async with aws.create_client("events", region_name=REGION) as client:
        bus = await client.create_event_bus(Name="scanhub")
        await client.create_archive(ArchiveName="scanhub-changes", EventSourceArn=bus["EventBusArn"], RetentionDays=14)
        yield EventArchive(client, bus["EventBusArn"], ManualClock(datetime.now(UTC)))


async def test_on_moto_a_replay_runs_and_is_listed(real: EventArchive) -> None:
    assert (real.bus_arn, real.arn, real.rule_arn) == (BUS, ARCHIVE, RULE)
    now = datetime.now(UTC) - timedelta(seconds=5)
    begun = await real.start(now - HOUR, now)
    (ended,) = [one async for one in real.watch(begun.name, pause=HOUR)]
    assert ended.state is ReplayState.COMPLETED
    assert [one.name for one in await real.replays()] == [begun.name]
    with pytest.raises(ScanhubError, match="has ended already"):
        await real.cancel(begun.name)
    with pytest.raises(ScanhubError, match="there is no replay scanhub-other"):
        await real.describe("scanhub-other")
