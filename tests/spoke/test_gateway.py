import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from pydantic import SecretStr

from spoke.arn import FunctionArn
from spoke.clients import Clients
from spoke.errors import Gone, NoAccess, Retry, ScanhubError, SessionRefused, Throttled, Unavailable
from spoke.gateway import AwsSpoke, describe, write_tags
from spoke.roles import Roles
from tests.conftest import REGION
from tests.contracts.spokes import json_refusal, publish
from worker.memory.clock import ManualClock

if TYPE_CHECKING:
    from types_aiobotocore_lambda import LambdaClient

ACCOUNT = "210987654321"
ARN = FunctionArn("aws", REGION, ACCOUNT, "orders-api")
TAGS = {"QualysScanStatus": "success"}


class FakeLambda:
    """Notes each call and fails as told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def get_function(self, **request: Any) -> dict[str, Any]:
        self.calls.append(("GetFunction", request))
        return {"Configuration": {"CodeSha256": "x" * 43 + "=", "LastModified": "2026-11-20T10:11:12.345+0000"}}

    async def tag_resource(self, **request: Any) -> dict[str, Any]:
        self.calls.append(("TagResource", request))
        return {}


class Refusals:
    """Answers calls to Lambda with errors, one for each, before they are sent."""

    def __init__(self) -> None:
        self.planned: list[tuple[str, int]] = []
        self.keys: list[str] = []

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        authorization = request.headers["Authorization"]
        text = authorization.decode() if isinstance(authorization, bytes) else authorization
        self.keys.append(text.partition("Credential=")[2].partition("/")[0])
        if not self.planned:
            return None
        return json_refusal(request.url, *self.planned.pop(0))


@asynccontextmanager
async def spoke_with(refusals: Refusals) -> AsyncIterator[AwsSpoke]:
    session = get_session()
    session.register("before-send.lambda", refusals)
    async with Clients(session=session, config=AioConfig(retries={"total_max_attempts": 1})) as clients:
        roles = Roles(
            await clients.get("sts"),
            role_name="scanhub-spoke",
            external_id=SecretStr("canary-external-id-7f3a"),
            clock=ManualClock(datetime.now(UTC)),
        )
        yield AwsSpoke(clients, roles)


async def test_the_whole_unqualified_arn_is_asked_for() -> None:
    client = FakeLambda()
    snapshot = await describe(cast("LambdaClient", client), FunctionArn.parse(f"{ARN}:live"))
    assert client.calls == [("GetFunction", {"FunctionName": str(ARN)})]
    assert snapshot.arn == ARN


async def test_a_version_is_asked_for_by_its_own_arn() -> None:
    client = FakeLambda()
    version = FunctionArn.parse(f"{ARN}:7")
    snapshot = await describe(cast("LambdaClient", client), version)
    assert client.calls == [("GetFunction", {"FunctionName": f"{ARN}:7"})]
    assert snapshot.arn == version


async def test_a_version_is_never_tagged(moto: str) -> None:
    client = FakeLambda()
    version = FunctionArn.parse(f"{ARN}:7")
    assert not await write_tags(cast("LambdaClient", client), version, TAGS, present=None)
    assert client.calls == []
    refusals = Refusals()
    async with spoke_with(refusals) as spoke:
        await publish(moto, ARN)
        assert not await spoke.tag(version, TAGS, present=None)
    assert refusals.keys == []


async def test_only_tags_that_differ_are_written() -> None:
    client = FakeLambda()
    lambda_client = cast("LambdaClient", client)
    tags = {"QualysScanStatus": "success", "QualysScanTimestamp": "2026-11-20T10:14:55Z"}
    assert not await write_tags(lambda_client, ARN, tags, present=tags)
    assert client.calls == []
    assert await write_tags(lambda_client, ARN, tags, present={**tags, "QualysScanStatus": "failed"})
    assert client.calls == [("TagResource", {"Resource": str(ARN), "Tags": {"QualysScanStatus": "success"}})]


async def test_no_other_tag_is_ever_written() -> None:
    client = FakeLambda()
    with pytest.raises(ValueError, match="team"):
        await write_tags(cast("LambdaClient", client), ARN, {"team": "scanhub"}, present=None)
    assert client.calls == []


async def test_tags_without_a_difference_need_no_session(moto: str) -> None:
    refusals = Refusals()
    async with spoke_with(refusals) as spoke:
        await publish(moto, ARN)
        assert not await spoke.tag(ARN, TAGS, present=TAGS)
        assert spoke._roles._sessions == {}
    assert refusals.keys == []


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"])
async def test_a_refused_session_is_replaced_once(moto: str, code: str) -> None:
    refusals = Refusals()
    async with spoke_with(refusals) as spoke:
        await publish(moto, ARN)
        refusals.planned = [(code, 403)]
        assert (await spoke.describe(ARN)).arn == ARN
        assert len(set(refusals.keys)) == len(refusals.keys) == 2
        await spoke.describe(ARN)
        assert refusals.keys[2] == refusals.keys[1]
        refusals.planned = [(code, 403)]
        assert await spoke.tag(ARN, TAGS, present=None)
        assert len(set(refusals.keys)) == 3


async def test_a_session_refused_twice_is_no_access(moto: str) -> None:
    assert moto
    refusals = Refusals()
    async with spoke_with(refusals) as spoke:
        refusals.planned = [("ExpiredTokenException", 403)] * 2
        with pytest.raises(NoAccess) as caught:
            await spoke.describe(ARN)
        assert type(caught.value) is SessionRefused
        assert str(ARN) in caught.value.text
        assert len(refusals.keys) == 2


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDeniedException", 403, NoAccess),
        ("ResourceNotFoundException", 404, Gone),
        ("TooManyRequestsException", 429, Throttled),
        ("ServiceException", 500, Unavailable),
        ("ResourceConflictException", 409, Unavailable),
        ("InvalidParameterValueException", 400, Retry),
    ],
)
async def test_refusals(moto: str, code: str, status: int, kind: type[ScanhubError]) -> None:
    assert moto
    refusals = Refusals()
    async with spoke_with(refusals) as spoke:
        for call, doing in ((spoke.describe(ARN), "describing"), (spoke.tag(ARN, TAGS, present=None), "tagging")):
            refusals.planned = [(code, status)]
            with pytest.raises(ScanhubError) as caught:
                await call
            assert type(caught.value) is kind
            assert caught.value.text == f"{doing} {ARN}: {code}: no"
        assert len(refusals.keys) == 2


async def test_a_burst_of_one_account_assumes_its_role_once(moto: str) -> None:
    refusals = Refusals()
    async with spoke_with(refusals) as spoke:
        await publish(moto, ARN)
        await asyncio.gather(*(spoke.describe(ARN) for _ in range(20)))
    assert len(refusals.keys) == 20
    assert len(set(refusals.keys)) == 1
