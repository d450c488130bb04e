"""Functions in the member accounts of a moto server."""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from aiobotocore.session import get_session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from spoke.arn import FunctionArn
from tests.conftest import HUB_ACCOUNT, REGION

if TYPE_CHECKING:
    from types_aiobotocore_lambda import LambdaClient

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def package(source: str = "def handler(event, context):\n    return 'ok'\n") -> bytes:
    """A zip with one module."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py", (2026, 11, 20, 10, 0, 0)), source)
    return buffer.getvalue()


@cache
def _session() -> Any:  # noqa: ANN401  # the overloads of AioSession know service names as literals only
    """One for all tests: it reads the service models once."""
    return get_session()


@asynccontextmanager
async def account_client(endpoint: str, account: str, service: str, region: str = REGION) -> AsyncIterator[Any]:
    """A client inside the account, as an administrator there would have one."""
    session = _session()
    async with session.create_client("sts", region_name=REGION, endpoint_url=endpoint) as sts:
        answer = await sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/admin", RoleSessionName="test")
    given = answer["Credentials"]
    async with session.create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    ) as client:
        yield client


async def publish(
    endpoint: str,
    function: FunctionArn,
    *,
    code: bytes | None = None,
    tags: Mapping[str, str] | None = None,
    layers: Sequence[str] = (),
) -> list[str]:
    """Create the function with its role and layers; returns the layers' version ARNs."""
    async with account_client(endpoint, function.account, "iam") as iam:
        role = f"{function.name}-execution"
        await iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    async with account_client(endpoint, function.account, "lambda", function.region) as client:
        lambda_client: LambdaClient = client
        arns = []
        for layer in layers:
            answer = await lambda_client.publish_layer_version(LayerName=layer, Content={"ZipFile": package(layer)})
            arns.append(answer["LayerVersionArn"])
        await lambda_client.create_function(
            FunctionName=function.name,
            Runtime="python3.13",
            Role=f"arn:aws:iam::{function.account}:role/{role}",
            Handler="app.handler",
            Code={"ZipFile": code or package()},
            Architectures=["arm64"],
            Layers=arns,
            Tags=dict(tags or {}),
        )
    return arns


class Early(AWSResponse):
    """An answer that never crossed the wire; aiobotocore awaits its content."""

    def __init__(self, url: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(url, status, HTTPHeaders.from_dict(headers), None)
        self._body = body

    @property
    async def content(self) -> bytes:  # type: ignore[override]  # aiobotocore awaits what botocore only reads
        return self._body


def json_refusal(url: str, code: str, status: int) -> AWSResponse:
    """An error as Lambda sends it."""
    return Early(url, status, {"x-amzn-errortype": code}, b'{"Message": "no"}')


def refusing(accounts: AbstractSet[str]) -> Callable[..., Any]:
    """A handler of `before-send.sts.AssumeRole` that answers AccessDenied for the roles of these accounts."""

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        (role,) = parse_qs(body)["RoleArn"]
        if role.split(":")[4] not in accounts:
            return None
        text = f"User: arn:aws:sts::{HUB_ACCOUNT}:assumed-role/worker/1 is not authorized to perform: sts:AssumeRole"
        error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{text}</Message></Error>"
        xml = f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{error}</ErrorResponse>'
        return Early(request.url, 403, {}, xml.encode())

    return answer
