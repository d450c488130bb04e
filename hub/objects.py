"""The results bucket in S3."""

import asyncio
import base64
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ClientError

from hub.digest import measure
from spoke.aws_errors import error_code, translated

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import PutObjectRequestTypeDef


_AT_ONCE = 1024 * 1024
"""Bytes up to which the checksum is taken on the event loop: half a millisecond; a thread costs a good part of that."""


class S3Objects:
    """Stores and reads objects of one bucket; implements `hub.results_bucket.Objects`.

    Args:
        client: An aiobotocore S3 client.
        bucket: The bucket's name.
        kms_key_arn: The customer's key; without it the bucket's default encryption applies.
    """

    def __init__(self, client: "S3Client", bucket: str, kms_key_arn: str | None = None) -> None:
        self._client = client
        self._bucket = bucket
        self._kms_key_arn = kms_key_arn

    async def put(self, key: str, content: BinaryIO, *, size: int, content_type: str) -> None:
        """Store one object of at most 5 GiB. S3 refuses it if what arrives has another SHA-256.

        Args:
            key: In the bucket.
            content: Seekable, at its start: it is read once for the checksum and once for the upload.
            size: Bytes.
            content_type: Its media type.

        Raises:
            Throttled, Unavailable: After botocore's own retries.
            Misconfigured: The bucket does not exist, or it or its key may not be used.
        """
        # Stated up front, S3 refuses other bytes instead of storing them.
        _, digest = measure(content) if size <= _AT_ONCE else await asyncio.to_thread(measure, content)
        content.seek(0)
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": content,
            "ContentLength": size,
            "ContentType": content_type,
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": base64.b64encode(digest).decode(),
        }
        if self._kms_key_arn is not None:
            request["ServerSideEncryption"] = "aws:kms"
            request["SSEKMSKeyId"] = self._kms_key_arn
        with translated(f"storing s3://{self._bucket}/{key}"):
            await self._client.put_object(**request)

    async def check(self) -> None:
        """Ask whether the bucket is there.

        Raises:
            Throttled, Unavailable: After botocore's own retries.
            Misconfigured: It is not, or it may not be listed (`s3:ListBucket`).
        """
        with translated(f"looking at the results bucket {self._bucket}"):
            await self._client.head_bucket(Bucket=self._bucket)

    async def get(self, key: str) -> bytes | None:
        """The object, or None where there is none; S3 tells the two apart only to who may list the bucket.

        Raises:
            Throttled, Unavailable: After botocore's own retries.
            Misconfigured: The bucket does not exist, or it or its key may not be used.
        """
        with translated(f"reading s3://{self._bucket}/{key}"):
            try:
                answer = await self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return None
                raise
            async with answer["Body"] as body:
                return await body.read()
