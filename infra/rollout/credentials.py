"""The hub's two secrets, as a rollout handles them: filled, handed on, never shown."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr

from hub.credentials import SecretReader
from hub.qualys import parse
from infra.calls import AwsClient, calling
from spoke.errors import Misconfigured

if TYPE_CHECKING:
    from types_aiobotocore_secretsmanager import SecretsManagerClient

STDIN = "-"


@dataclass(frozen=True, kw_only=True)
class ExternalId:
    """What the spoke roles ask of the worker.

    Attributes:
        value: The secret itself.
        version: Secrets Manager's id of this version of it, which is no secret: it tells whether it was changed.
    """

    value: SecretStr
    version: str


def qualys_from_file(source: str) -> SecretStr:
    """The Qualys secret from a file, seen to hold what the worker needs.

    Args:
        source: A path, or `-` for the standard input.

    Raises:
        Misconfigured: It cannot be read or used. Nothing of what it holds is repeated.
    """
    where = "the standard input" if source == STDIN else source
    try:
        text = sys.stdin.read() if source == STDIN else Path(source).read_text("utf-8")
    except OSError as error:
        raise Misconfigured(f"cannot read {where}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise Misconfigured(f"{where} is not usable: it is not UTF-8 text") from None
    parse(text, where=where)
    return SecretStr(text.strip())


def qualys_from_answers(pod: str, token: str) -> SecretStr:
    """The Qualys secret from what a person typed.

    Args:
        pod: A POD such as `US1`, or the URL of a private platform's gateway.
        token: The token.

    Raises:
        Misconfigured: It cannot be used.
    """
    platform = "qualys_gateway_url" if pod.lower().startswith("https://") else "qualys_pod"
    text = json.dumps({platform: pod.strip(), "qualys_access_token": token})
    parse(text, where="typed in")
    return SecretStr(text)


def has_value(client: AwsClient, arn: str) -> bool:
    """Whether the secret has a value; the value itself is not read.

    Raises:
        Misconfigured: There is no such secret, or the caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"describing the secret {arn}"):
        stages = client.describe_secret(SecretId=arn).get("VersionIdsToStages", {})
    return any("AWSCURRENT" in names for names in stages.values())


def fill(client: AwsClient, arn: str, value: SecretStr) -> None:
    """Give the secret a value.

    Raises:
        Misconfigured: There is no such secret, or the caller may not write it.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"filling the secret {arn}"):
        client.put_secret_value(SecretId=arn, SecretString=value.get_secret_value())


def external_id(client: AwsClient, arn: str) -> ExternalId:
    """The external id, read as the worker reads it.

    Raises:
        Misconfigured: It is missing, may not be read, or cannot be used.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    reading = _Reading(client)
    # The worker's own reader checks it; it awaits its client, and nothing else.
    reader = SecretReader(cast("SecretsManagerClient", reading))
    value = asyncio.run(reader.external_id(arn))
    return ExternalId(value=value, version=reading.version)


@dataclass
class _Reading:
    """A client that can be awaited, and remembers which version it has read."""

    client: AwsClient
    version: str = field(default="", init=False)

    async def get_secret_value(self, **arguments: str) -> dict[str, Any]:
        """As boto3's."""
        answer: dict[str, Any] = self.client.get_secret_value(**arguments)
        self.version = str(answer["VersionId"])
        return answer


Ask = Callable[[], SecretStr | None]
"""Asks the operator for the Qualys secret; None if nobody can be asked."""
