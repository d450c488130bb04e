import base64
import hashlib
import io
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError

from hub.objects import S3Objects
from spoke.errors import Misconfigured, Retry, Throttled, Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

BUCKET = "scanhub-results"
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/5a4b8b1e-1f0c-4d6c-8f55-0a6f8e1f4a77"


@pytest.fixture
async def client(aws: AioSession) -> AsyncIterator["S3Client"]:
    async with aws.create_client("s3") as opened:
        await opened.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield opened


async def test_an_object_is_stored_with_checksum_type_and_key(client: "S3Client") -> None:
    await S3Objects(client, BUCKET, KEY_ARN).put("a/b", io.BytesIO(b"hello"), size=5, content_type="text/plain")
    head = await client.head_object(Bucket=BUCKET, Key="a/b", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
    assert head["ContentType"] == "text/plain"
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head["SSEKMSKeyId"] == KEY_ARN


async def test_a_large_object_is_hashed_off_the_event_loop_and_stored_whole(client: "S3Client") -> None:
    data = bytes(range(256)) * 8192
    await S3Objects(client, BUCKET).put("large", io.BytesIO(data), size=len(data), content_type="text/plain")
    assert await S3Objects(client, BUCKET).get("large") == data
    head = await client.head_object(Bucket=BUCKET, Key="large", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(data).digest()).decode()


class Spy:
    """Stands in front of a client and keeps what PutObject was asked."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client
        self.asked: dict[str, Any] = {}

    async def put_object(self, **request: Any) -> object:
        self.asked = request
        return await self._client.put_object(**request)


async def test_without_a_key_the_buckets_own_encryption_applies(client: "S3Client") -> None:
    spy = Spy(client)
    await S3Objects(spy, BUCKET).put("a", io.BytesIO(b"x"), size=1, content_type="text/plain")  # type: ignore[arg-type]  # one method
    assert spy.asked.keys().isdisjoint({"ServerSideEncryption", "SSEKMSKeyId"})
    assert spy.asked["ChecksumAlgorithm"] == "SHA256"


async def test_a_bucket_that_does_not_exist_is_told_in_one_line(client: "S3Client") -> None:
    absent = S3Objects(client, "scanhub-absent")
    for call in (
        absent.check(),
        absent.get("a"),
        absent.put("a", io.BytesIO(b""), size=0, content_type="text/plain"),
    ):
        with pytest.raises(Misconfigured, match="scanhub-absent") as error:
            await call
        assert "\n" not in error.value.text


class Refusing:
    """A client of a service that answers every call with one error."""

    def __init__(self, code: str, status: int) -> None:
        answer: Any = {"Error": {"Code": code, "Message": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        self.error = ClientError(answer, "PutObject")

    async def put_object(self, **_request: object) -> None:
        raise self.error

    async def get_object(self, **_request: object) -> None:
        raise self.error

    async def head_bucket(self, **_request: object) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("SlowDown", 503, Throttled),
        ("InternalError", 500, Unavailable),
        ("AccessDenied", 403, Misconfigured),
        ("BadDigest", 400, Retry),
    ],
)
async def test_refusals_are_translated(code: str, status: int, expected: type[Exception]) -> None:
    objects = S3Objects(Refusing(code, status), BUCKET)  # type: ignore[arg-type]  # the methods in use
    for call in (
        objects.check(),
        objects.get("a"),
        objects.put("a", io.BytesIO(b""), size=0, content_type="text/plain"),
    ):
        with pytest.raises(expected, match=BUCKET):
            await call
