"""Nothing is deleted that was not recorded."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pytest
from aiobotocore.session import AioSession

from hub.dead_letters import dropping
from hub.dead_letters.dropping import Dropped, drop
from hub.dead_letters.holding import hold
from hub.dead_letters.message import ParkedMessage
from hub.objects import S3Objects
from spoke.errors import ScanhubError, Unavailable
from tests import virtual_time
from tests.conftest import REGION
from tests.dead_letters_rig import DlqRig, change, dlq_rig, parked, parking
from tests.hub.test_schemas import examples
from worker.memory.clock import ManualClock

BY = "arn:aws:sts::123456789012:assumed-role/operators/ada"
NOW = datetime(2026, 11, 22, 7, 30, 15, tzinfo=UTC)


class Held:
    def __init__(self, *, undeletable: Collection[str] = (), error: ScanhubError | None = None) -> None:
        self.undeletable = undeletable
        self.error = error
        self.deleted: list[str] = []

    async def delete(self, messages: Sequence[ParkedMessage]) -> list[ParkedMessage]:
        if self.error is not None:
            raise self.error
        self.deleted += [one.id for one in messages if one.id not in self.undeletable]
        return [one for one in messages if one.id in self.undeletable]


class Bucket:
    def __init__(self, error: ScanhubError | None = None) -> None:
        self.error = error
        self.objects: dict[str, bytes] = {}

    async def put(self, key: str, content: BinaryIO, *, size: int, content_type: str) -> None:
        if self.error is not None:
            raise self.error
        data = content.read()
        assert (len(data), content_type) == (size, "application/x-ndjson")
        self.objects[key] = data


def run(messages: Sequence[ParkedMessage], held: Held, bucket: Bucket) -> Dropped:
    holding: Any = held
    objects: Any = bucket
    return virtual_time.run(drop(messages, holding, objects, by=BY, because="not ours", clock=ManualClock(NOW)))


MESSAGES = [parked(1), parked(2, "not_json", body='{"é": "\U0001f600', function="")]


def test_all_is_recorded_and_then_deleted() -> None:
    held, bucket = Held(), Bucket()
    dropped = run(MESSAGES, held, bucket)
    assert dropped.record.startswith("operations/dropped/20261122T073015Z-")
    assert dropped.deleted == tuple(MESSAGES)
    assert (dropped.failed, dropped.why) == ((), "")
    ((key, data),) = bucket.objects.items()
    assert key == dropped.record
    first, second = map(json.loads, data.decode().splitlines())
    assert first == {
        "schemaVersion": 1,
        "droppedAt": "2026-11-22T07:30:15.000Z",
        "droppedBy": BY,
        "because": "not ours",
        "queue": "changes",
        "messageId": parked(1).id,
        "sentAt": "2026-01-01T00:01:00.000Z",
        "attributes": dict(parked(1).attributes),
        "body": change(),
    }
    assert second["body"] == MESSAGES[1].message.body
    assert first in examples()  # of docs/storage.md


def test_without_the_record_nothing_is_deleted() -> None:
    held = Held()
    with pytest.raises(Unavailable, match="storing"):
        run(MESSAGES, held, Bucket(Unavailable("storing s3://results/...: 503")))
    assert held.deleted == []


def test_what_could_not_be_deleted_is_told() -> None:
    dropped = run(MESSAGES, Held(undeletable={parked(1).id}), Bucket())
    assert (dropped.deleted, dropped.failed) == ((MESSAGES[1],), (MESSAGES[0],))
    assert dropped.why
    dropped = run(MESSAGES, Held(error=Unavailable("deleting: no connection")), Bucket())
    assert (dropped.deleted, dropped.failed, dropped.why) == ((), tuple(MESSAGES), "deleting: no connection")


@pytest.fixture
async def rig(aws: AioSession, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DlqRig]:
    # moto's short poll sees everything.
    monkeypatch.setattr("hub.dead_letters.holding.WAIT_SECONDS", 0)
    async with dlq_rig(aws) as rig:
        yield rig


@pytest.mark.parametrize("in_memory", [dropping._IN_MEMORY, 100], ids=["in memory", "through a file"])
async def test_on_aws_the_record_is_one_object_of_json_lines(
    rig: DlqRig, aws: AioSession, in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropping, "_IN_MEMORY", in_memory)
    for number in range(12):
        await rig.park(change(f"function-{number}"), parking())
    async with aws.create_client("s3", region_name=REGION) as s3:
        await s3.create_bucket(Bucket="results", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        objects = S3Objects(s3, "results")
        async with hold([rig.dead_letters]) as holding:
            dropped = await drop(holding.messages[:11], holding, objects, by=BY, because="", clock=rig.clock)
        stored = await objects.get(dropped.record)
    assert stored is not None
    assert {json.loads(line)["messageId"] for line in stored.splitlines()} == {one.id for one in dropped.deleted}
    assert len(dropped.deleted) == 11
    assert await rig.visible() == 1
