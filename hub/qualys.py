"""The Qualys credentials, as the secret holds them."""

import json
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from spoke.errors import Misconfigured

PODS = ("US1", "US2", "US3", "US4", "EU1", "EU2", "EU3", "IN1", "CA1", "AE1", "UK1", "AU1", "KSA1", "GOV1")
"""Qualys's shared platforms, as the scanner's `--pod` takes them."""

_ONE_PLATFORM = "set exactly one of qualys_pod and qualys_gateway_url"


class QualysCredentials(BaseModel):
    """With what the scanner signs in. The secret parts never show in `repr`.

    Attributes:
        pod: One of `PODS`; or
        gateway_url: the gateway of a private platform. Exactly one of the two.
        access_token: The token.
        registry_username: For private registries, optional.
        registry_password: For private registries, optional.
        registry_token: For private registries, optional.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    pod: str | None = Field(default=None, alias="qualys_pod")
    gateway_url: Annotated[str, Field(pattern=r"^https://[^\s]+$")] | None = Field(
        default=None, alias="qualys_gateway_url"
    )
    access_token: SecretStr = Field(alias="qualys_access_token")
    registry_username: SecretStr | None = None
    registry_password: SecretStr | None = None
    registry_token: SecretStr | None = None

    @field_validator("access_token", "registry_token", mode="before")
    @classmethod
    def _without_line_feed(cls, value: object) -> object:
        """A token that was read from a file ends with a line feed more often than not."""
        return value.strip() if isinstance(value, str) else value

    @field_validator("pod")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        pod = value.strip().upper() if value is not None else None
        if pod is not None and pod not in PODS:
            raise ValueError(f"must be one of {', '.join(PODS)}")
        return pod

    @field_validator("access_token")
    @classmethod
    def _one_word(cls, value: SecretStr) -> SecretStr:
        if re.fullmatch(r"[!-~]+", value.get_secret_value()) is None:
            raise ValueError("must be one word of printable ASCII characters")
        return value

    @model_validator(mode="after")
    def _one_platform(self) -> "QualysCredentials":
        if (self.pod is None) == (self.gateway_url is None):
            raise ValueError(_ONE_PLATFORM)
        return self

    def secret_values(self) -> tuple[str, ...]:
        """Every value that must not show anywhere: what the redaction looks for."""
        fields = (self.access_token, self.registry_username, self.registry_password, self.registry_token)
        return tuple(field.get_secret_value() for field in fields if field is not None and field.get_secret_value())


def parse(text: str, *, where: str) -> QualysCredentials:
    """The credentials from the secret's JSON.

    Args:
        text: The secret string.
        where: The secret's ARN, for the message.

    Raises:
        Misconfigured: With every fault, never with a value.
    """
    try:
        return QualysCredentials.model_validate_json(text)
    except ValidationError as error:
        faults = []
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            field = ".".join(str(part) for part in fault["loc"])
            message = fault["msg"].removeprefix("Value error, ")
            faults.append(f"{field or 'the document'}: {message}" if message != _ONE_PLATFORM else message)
        # pydantic looks at what is between fields only when each field is right; here all is to be named at once.
        if _ONE_PLATFORM not in faults and _names_no_one_platform(text):
            faults.append(_ONE_PLATFORM)
        raise Misconfigured(f"the secret {where} is not usable: {'; '.join(faults)}") from None


def _names_no_one_platform(text: str) -> bool:
    try:
        document = json.loads(text)
    except ValueError:
        return False
    return isinstance(document, dict) and ("qualys_pod" in document) == ("qualys_gateway_url" in document)
