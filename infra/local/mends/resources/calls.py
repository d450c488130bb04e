"""AWS calls that CloudFormation makes for a stack: into the account and region of the stack, back into this server."""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from flask import request as asked

from infra.calls import AwsClient

_account: ContextVar[str] = ContextVar("account")
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, never bound to
_SOMEWHERE = "http://this-server.invalid"
_CONFIG = Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=60, s3={"addressing_style": "path"})


class Calls:
    """Clients of one account and region.

    Attributes:
        account: Twelve digits.
        region: Of the stack.
    """

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region

    def client(self, service: str) -> AwsClient:
        """A boto3 client; its calls must be made before the next one is asked for another account."""
        _account.set(self.account)
        return _made(service, self.region)

    def do(self, service: str, operation: str, /, **arguments: object) -> dict[str, Any]:
        """Make one call (`create_queue`), with numbers, booleans and documents in the form that it asks for.

        What is None is left out.
        """
        client = self.client(service)
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
        given = {name: value for name, value in arguments.items() if value is not None}
        answer: dict[str, Any] = getattr(client, operation)(**_fitted(given, shape))
        return answer

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def _fitted(value: Any, shape: Any) -> Any:  # noqa: ANN401  # JSON in, JSON out; botocore's shapes have no common type
    """Templates have texts for numbers (a parameter), and objects where an API has them as a text (a policy)."""
    match shape.type_name:
        case "structure":
            # Templates begin every name with a capital letter; some APIs do so with most names alone.
            named = {name.lower(): name for name in shape.members}
            own = {named.get(key.lower(), key): one for key, one in value.items()}
            return {key: _fitted(one, shape.members[key]) if key in shape.members else one for key, one in own.items()}
        case "list":
            return [_fitted(one, shape.member) for one in value]
        case "map":
            return {key: _fitted(one, shape.value) for key, one in value.items()}
        case "string":
            return value if isinstance(value, str) else json.dumps(value)
        case "integer" | "long":
            return int(value)
        case "double" | "float":
            return float(value)
        case "boolean":
            return str(value).lower() == "true"
    return value


@cache
def _session() -> boto3.Session:
    core = botocore.session.get_session()
    return boto3.Session(botocore_session=core, aws_access_key_id="cloudformation", aws_secret_access_key="none")  # noqa: S106  # moto asks for any


@cache
def _made(service: str, region: str) -> AwsClient:
    make: Any = _session().client
    client = make(service, region_name=region, endpoint_url=_SOMEWHERE, config=_CONFIG)
    client.meta.events.register("before-call", _name_account)
    client.meta.events.register("before-sign", _send_here)
    return client


def _name_account(params: Mapping[str, Any], **_: object) -> None:
    # By this header moto's server is told the account of a call, whatever the credentials are.
    params["headers"]["x-moto-account-id"] = _account.get()


def _send_here(request: Any, **_: object) -> None:  # noqa: ANN401  # botocore's request has no type
    # The clients outlive the server that they were made for: making one costs more than all of its calls.
    name, port = asked.environ["SERVER_NAME"], asked.environ["SERVER_PORT"]
    here = f"http://{'127.0.0.1' if name in _EVERYWHERE else name}:{port}"
    request.url = request.url.replace(_SOMEWHERE, here, 1)
