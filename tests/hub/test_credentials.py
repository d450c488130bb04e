import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError

from hub.credentials import SecretReader
from spoke.errors import Misconfigured, Throttled, Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_secretsmanager import SecretsManagerClient

TOKEN = "canary-qualys-token"


@pytest.fixture
async def client(aws: AioSession) -> AsyncIterator["SecretsManagerClient"]:
    async with aws.create_client("secretsmanager") as opened:
        yield opened


async def secret(client: "SecretsManagerClient", text: str) -> str:
    return (await client.create_secret(Name="scanhub", SecretString=text))["ARN"]


async def test_the_qualys_credentials(client: "SecretsManagerClient") -> None:
    arn = await secret(client, json.dumps({"qualys_pod": "EU1", "qualys_access_token": TOKEN, "registry_token": "r-t"}))
    credentials = await SecretReader(client).qualys(arn)
    assert credentials.pod == "EU1"
    assert credentials.secret_values() == (TOKEN, "r-t")
    assert TOKEN not in repr(credentials)


async def test_a_rotated_secret_is_seen_at_the_next_read(client: "SecretsManagerClient") -> None:
    arn = await secret(client, json.dumps({"qualys_pod": "EU1", "qualys_access_token": TOKEN}))
    reader = SecretReader(client)
    await reader.qualys(arn)
    await client.put_secret_value(
        SecretId=arn, SecretString=json.dumps({"qualys_pod": "EU1", "qualys_access_token": "rotated"})
    )
    assert (await reader.qualys(arn)).access_token.get_secret_value() == "rotated"


@pytest.mark.parametrize(
    "text", ["", "{}", "not json " + TOKEN, json.dumps([TOKEN]), json.dumps({"qualys_access_token": TOKEN})]
)
async def test_what_is_no_credentials_is_refused_without_its_value(client: "SecretsManagerClient", text: str) -> None:
    arn = await secret(client, text or " ")
    with pytest.raises(Misconfigured) as error:
        await SecretReader(client).qualys(arn)
    assert arn in error.value.text
    assert TOKEN not in error.value.text
    assert "\n" not in error.value.text


@pytest.mark.parametrize(
    "text", ["1234567890", "ext-canary-id", " ext-canary-id\n", json.dumps({"external_id": "ext-canary-id"})]
)
async def test_the_external_id_is_plain_or_in_json(client: "SecretsManagerClient", text: str) -> None:
    external_id = await SecretReader(client).external_id(await secret(client, text))
    assert external_id.get_secret_value() in {"1234567890", "ext-canary-id"}
    assert "canary" not in repr(external_id)


@pytest.mark.parametrize(
    "text",
    ["x", "two words canary", json.dumps({"externalId": "canary"}), json.dumps({"external_id": 7}), "[" * 99_999],
)
async def test_what_is_no_external_id_is_refused_without_its_value(client: "SecretsManagerClient", text: str) -> None:
    arn = await secret(client, text)
    with pytest.raises(Misconfigured, match="an external id has 2 to 1224") as error:
        await SecretReader(client).external_id(arn)
    assert arn in error.value.text
    assert "canary" not in error.value.text


async def test_a_binary_secret_is_refused(client: "SecretsManagerClient") -> None:
    arn = (await client.create_secret(Name="binary", SecretBinary=TOKEN.encode()))["ARN"]
    for read in (SecretReader(client).qualys, SecretReader(client).external_id):
        with pytest.raises(Misconfigured, match="it holds no text") as error:
            await read(arn)
        assert arn in error.value.text


async def test_a_secret_that_does_not_exist_is_told_in_one_line(client: "SecretsManagerClient") -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:absent-AbCdEf"
    with pytest.raises(Misconfigured) as error:
        await SecretReader(client).qualys(arn)
    assert error.value.text.startswith(f"reading the secret {arn}: ResourceNotFoundException")
    assert "\n" not in error.value.text


class Refusing:
    """A client whose service answers with one error."""

    def __init__(self, code: str, status: int) -> None:
        self._answer: Any = {"Error": {"Code": code, "Message": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}

    async def get_secret_value(self, **_request: object) -> None:
        raise ClientError(self._answer, "GetSecretValue")


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("DecryptionFailure", 400, Misconfigured),
        ("InvalidRequestException", 400, Misconfigured),
        ("AccessDeniedException", 400, Misconfigured),
        ("ThrottlingException", 400, Throttled),
        ("InternalServiceError", 500, Unavailable),
    ],
)
async def test_refusals_are_translated(code: str, status: int, expected: type[Exception]) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub-AbCdEf"
    with pytest.raises(expected, match=f"reading the secret {arn}: {code}"):
        await SecretReader(Refusing(code, status)).qualys(arn)  # type: ignore[arg-type]  # the method in use
