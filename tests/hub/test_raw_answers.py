"""Answers past botocore's parser: the same content, errors as ever, and nobody else's answers touched."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.awsrequest import HeadersDict
from botocore.exceptions import ClientError
from pydantic_core import from_json

from hub import raw_answers
from hub.ledger_wire import wire_item
from hub.raw_answers import keep_bodies, raw
from spoke.errors import Unavailable
from tests.conftest import REGION
from tests.ledger_rig import TABLE, create_table

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

QUERY: Any = {
    "TableName": TABLE,
    "KeyConditionExpression": "pk = :pk",
    "ExpressionAttributeValues": {":pk": {"S": "sightings"}},
}


@pytest.fixture
async def client(aws: AioSession) -> AsyncIterator["DynamoDBClient"]:
    config = AioConfig(retries={"mode": "standard", "total_max_attempts": 2})
    async with aws.create_client("dynamodb", region_name=REGION, config=config) as one:
        await create_table(one)
        for region in ("eu-central-1", "us-east-1"):
            item = {"pk": "sightings", "sk": f"210987654321#{region}", "schema": 1, "eventAt": 1795253415250}
            await one.put_item(TableName=TABLE, Item=wire_item(item))
        keep_bodies(one, "Query", "BatchGetItem")
        keep_bodies(one, "Query")
        yield one


async def test_the_answer_is_what_botocore_would_have_said(client: "DynamoDBClient") -> None:
    parsed: Any = await client.query(**QUERY)
    parsed.pop("ResponseMetadata")
    assert parsed["Count"] == 2
    assert await raw(client.query, **QUERY) == parsed


async def test_a_body_of_ones_own_is_sent_checked_by_aws_and_signed(client: "DynamoDBClient") -> None:
    keys = [wire_item({"pk": "sightings", "sk": f"210987654321#{region}"}) for region in ("eu-central-1", "us-east-1")]
    whole = {"RequestItems": {TABLE: {"Keys": keys}}}
    first: Any = {"RequestItems": {TABLE: {"Keys": keys[:1]}}}
    answers = await asyncio.gather(
        raw(client.batch_get_item, sent=json.dumps(whole).encode(), **first), raw(client.batch_get_item, **first)
    )
    assert [len(answer["Responses"][TABLE]) for answer in answers] == [2, 1], "a body goes with its own call alone"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        await raw(client.batch_get_item, sent=b'{"RequestItems":{"other":{"Keys":[{"pk":{"S":"a"}}]}}}', **first)


async def test_others_are_answered_as_ever_at_the_same_time(client: "DynamoDBClient") -> None:
    answers = await asyncio.gather(*(raw(client.query, **QUERY) if n % 2 else client.query(**QUERY) for n in range(8)))
    assert [answer["Count"] for answer in answers] == [2] * 8
    assert [answer.get("ResponseMetadata", {}).get("HTTPStatusCode") for answer in answers] == [200, None] * 4


async def test_an_error_is_raised_as_ever(client: "DynamoDBClient") -> None:
    with pytest.raises(ClientError) as refused:
        await raw(client.query, **QUERY | {"TableName": "no-such-table"})
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def answered(client: "DynamoDBClient", *answers: tuple[int, bytes]) -> list[str]:
    """Let these come back, one a try: HTTP status and body."""
    asked: list[str] = []

    def answer(request: Any, **_: object) -> Any:  # noqa: ANN401  # botocore's requests and responses are untyped
        status, body = answers[len(asked)]
        asked.append(request.url)
        content = asyncio.get_running_loop().create_future()
        content.set_result(body)
        return SimpleNamespace(status_code=status, headers=HeadersDict(), content=content)

    client.meta.events.register("before-send.dynamodb.Query", answer)
    return asked


async def test_what_is_no_json_is_no_answer_of_aws(client: "DynamoDBClient") -> None:
    answered(client, (200, b"<html>Sign in to the guest network</html>"))
    with pytest.raises(Unavailable, match="no JSON"):
        await raw(client.query, **QUERY)


@pytest.mark.parametrize("collects", [True, False])
@pytest.mark.parametrize("body", [b'{"Items":[]}', b"<html>"])
async def test_garbage_is_collected_afterwards_if_it_was_before(
    client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch, collects: bool, body: bytes
) -> None:
    during: list[bool] = []

    def parsed(text: bytes) -> object:
        during.append(gc.isenabled())
        return from_json(text)

    monkeypatch.setattr(raw_answers, "from_json", parsed)
    answered(client, (200, body))
    try:
        if not collects:
            gc.disable()
        with suppress(Unavailable):
            await raw(client.query, **QUERY)
        assert (during, gc.isenabled()) == ([False], collects)
    finally:
        gc.enable()


async def test_numbers_and_texts_come_as_they_were_sent(client: "DynamoDBClient") -> None:
    page = {"Items": [{"place": {"S": "eu-central-1#größe"}, "at": {"N": "1795253415250"}}], "Count": 1}
    answered(client, (200, json.dumps(page).encode()))
    assert await raw(client.query, **QUERY) == page


async def test_after_a_failed_try_the_answer_of_the_next_counts(
    client: "DynamoDBClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(_: float) -> None: ...

    monkeypatch.setattr(client._endpoint, "_sleep", at_once)  # type: ignore[attr-defined]  # botocore's own
    asked = answered(client, (500, b'{"__type": "InternalServerError"}'), (200, b'{"Items": [], "Count": 0}'))
    assert await raw(client.query, **QUERY) == {"Items": [], "Count": 0}
    assert len(asked) == 2
