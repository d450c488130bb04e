"""What every results bucket does, whichever stands behind it."""

import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiobotocore.session import AioSession

from hub.objects import S3Objects
from hub.results_bucket import Objects
from spoke.errors import Unavailable
from worker.memory.objects import MemoryObjects

TYPE = "application/json"


@pytest.fixture(params=["memory", "s3"])
async def objects(request: pytest.FixtureRequest) -> AsyncIterator[Objects]:
    if request.param == "memory":
        yield MemoryObjects()
        return
    session: AioSession = request.getfixturevalue("aws")
    async with session.create_client("s3") as client:
        await client.create_bucket(
            Bucket="scanhub-results", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield S3Objects(client, "scanhub-results")


async def put(objects: Objects, key: str, data: bytes) -> None:
    await objects.put(key, io.BytesIO(data), size=len(data), content_type=TYPE)


async def test_what_was_put_is_got(objects: Objects) -> None:
    await put(objects, "scans/1/a.json", b"one")
    await put(objects, "scans/1/b.json", bytes(range(256)))
    assert await objects.get("scans/1/a.json") == b"one"
    assert await objects.get("scans/1/b.json") == bytes(range(256))


async def test_what_was_never_put_is_none(objects: Objects) -> None:
    await put(objects, "scans/1/a.json", b"one")
    assert await objects.get("scans/1") is None
    assert await objects.get("scans/1/a.json/") is None


async def test_an_empty_object_is_not_none(objects: Objects) -> None:
    await put(objects, "empty", b"")
    assert await objects.get("empty") == b""


async def test_a_second_put_overwrites(objects: Objects) -> None:
    await put(objects, "a", b"first and longer")
    await put(objects, "a", b"second")
    assert await objects.get("a") == b"second"


async def test_a_file_of_some_megabytes_arrives_whole(objects: Objects, tmp_path: Path) -> None:
    data = os.urandom(9 * 1024 * 1024 + 7)
    path = tmp_path / "report.json"
    path.write_bytes(data)
    with path.open("rb") as file:
        await objects.put("large", file, size=len(data), content_type=TYPE)
    assert await objects.get("large") == data


async def test_the_bucket_is_there(objects: Objects) -> None:
    await objects.check()


async def test_the_memory_bucket_refuses_another_size_than_announced() -> None:
    objects = MemoryObjects()
    with pytest.raises(Unavailable, match="3 bytes came where 4 were announced"):
        await objects.put("a", io.BytesIO(b"abc"), size=4, content_type=TYPE)
    assert objects.stored == {}
