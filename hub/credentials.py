"""Secrets from Secrets Manager: the Qualys credentials and the external id."""

import json
import re
from typing import TYPE_CHECKING

from pydantic import SecretStr

from hub.qualys import QualysCredentials, parse
from spoke.aws_errors import translated
from spoke.errors import Misconfigured, Retry, Throttled, Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_secretsmanager import SecretsManagerClient

_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
"""What STS takes as `ExternalId` (AssumeRole in its API reference)."""


class SecretReader:
    """Reads secrets anew each time: what is cached could have been rotated.

    Args:
        client: An aiobotocore Secrets Manager client.
    """

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    async def qualys(self, arn: str) -> QualysCredentials:
        """The Qualys credentials.

        Raises:
            Misconfigured: The secret is missing, may not be read, is binary, or does not hold what it should.
            Throttled, Unavailable: After botocore's own retries.
        """
        return parse(await self._text(arn), where=arn)

    async def external_id(self, arn: str) -> SecretStr:
        """The external id: the secret as it is, or `external_id` of a JSON object.

        Raises:
            Misconfigured: As with `qualys`.
            Throttled, Unavailable: After botocore's own retries.
        """
        value = _field(await self._text(arn), "external_id").strip()
        if _EXTERNAL_ID.fullmatch(value) is None:
            raise Misconfigured(
                f"the secret {arn} is not usable: an external id has 2 to 1224 letters, digits or any of _+=,.@:/-"
            )
        return SecretStr(value)

    async def _text(self, arn: str) -> str:
        try:
            with translated(f"reading the secret {arn}"):
                answer = await self._client.get_secret_value(SecretId=arn)
        except (Throttled, Unavailable):
            raise
        except Retry as error:
            # Such as DecryptionFailure: the key or the secret is set up wrongly, and no retry mends that.
            raise Misconfigured(error.text) from error
        text = answer.get("SecretString")
        if not text:
            raise Misconfigured(f"the secret {arn} is not usable: it holds no text; store it as a secret string")
        return text


def _field(text: str, name: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(document, dict):
        # An external id of digits alone is JSON too, and means itself.
        return text
    value = document.get(name)
    return value if isinstance(value, str) else ""
