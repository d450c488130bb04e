"""An EventBridge envelope, field by field: what is there and of its right type, or why it cannot be read."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from spoke import timestamps
from spoke.arn import FunctionArn, InvalidArn, is_account, is_region

MAX_BODY = 1024 * 1024
"""Bytes of one SQS message (1 MiB)."""

_LABEL = re.compile(r"[!-~]{1,256}")


class MalformedReason(StrEnum):
    """Why a body cannot be read."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    BAD_ARN = "bad_arn"
    BAD_ACCOUNT = "bad_account"
    BAD_REGION = "bad_region"
    BAD_TIME = "bad_time"
    BAD_REASON = "bad_reason"


@dataclass(frozen=True, slots=True)
class Malformed:
    """It claims to be ours and cannot be read. `detail` is one short line, with little or nothing of the body."""

    reason: MalformedReason
    detail: str = ""


Kind = TypeVar("Kind")
_JSON_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
}


class Faulty(Exception):
    """Carries the fault from where it is found to `read`."""

    def __init__(self, reason: MalformedReason, detail: str) -> None:
        super().__init__(detail)
        self.fault = Malformed(reason, detail)


def parsed(body: str) -> dict[str, Any]:
    """The envelope in a message's body. Of a key that stands there twice the last value counts, as json has it.

    Raises:
        Faulty: It is none.
    """
    # The first test spares every ordinary body the copy.
    if len(body) * 4 > MAX_BODY and len(body.encode("utf-8", "surrogatepass")) > MAX_BODY:
        raise Faulty(MalformedReason.TOO_LARGE, f"more than {MAX_BODY} bytes")
    try:
        envelope = _DECODER.decode(body)
    except RecursionError:
        raise Faulty(MalformedReason.TOO_DEEP, "nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Faulty(MalformedReason.NOT_JSON, f"{error.msg}, at character {error.pos}") from None
    except ValueError as error:
        # NaN and Infinity, and numbers of more digits than Python turns into an int.
        raise Faulty(MalformedReason.NOT_JSON, str(error)[:200]) from None
    if not isinstance(envelope, dict):
        raise Faulty(MalformedReason.NOT_AN_OBJECT, f"the body is {_name(envelope)}, not an object")
    return envelope


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refused)


def moment(holder: Mapping[str, Any], key: str, path: str = "") -> datetime | None:
    """The moment that a field holds (aware, UTC), or None where it is not there.

    Raises:
        Faulty: It is no timestamp.
    """
    text = optional(holder, key, str, path)
    try:
        return None if text is None else timestamps.parse(text)
    except ValueError:
        raise Faulty(MalformedReason.BAD_TIME, f"{path}{key} is {shown(text)}") from None


def label(envelope: Mapping[str, Any], key: str) -> str | None:
    """A free text that goes into logs: short and printable, or not there.

    Raises:
        Faulty: It is neither.
    """
    text = optional(envelope, key, str)
    if text is not None and _LABEL.fullmatch(text) is None:
        raise Faulty(MalformedReason.WRONG_TYPE, f"{key} is {shown(text)}")
    return text


def place_of(envelope: Mapping[str, Any]) -> tuple[str, str]:
    """The account and the region that it comes from.

    Raises:
        Faulty: One of them is missing, or none.
    """
    account = text_of(envelope, "account")
    if not is_account(account):
        raise Faulty(MalformedReason.BAD_ACCOUNT, f"account is {shown(account)}, not twelve digits")
    region = text_of(envelope, "region")
    if not is_region(region):
        raise Faulty(MalformedReason.BAD_REGION, f"region is {shown(region)}")
    return account, region


def function_of(holder: Mapping[str, Any], key: str, path: str, *, account: str, region: str) -> FunctionArn:
    """The function that a field names: by its ARN, or by part of one, which the account and region complete.

    Raises:
        Faulty: It is missing, or names none.
    """
    text = text_of(holder, key, path)
    try:
        return FunctionArn.complete(text, account=account, region=region)
    except InvalidArn:
        raise Faulty(MalformedReason.BAD_ARN, f"{path}{key} is {shown(text)}") from None


def text_of(holder: Mapping[str, Any], key: str, path: str = "") -> str:
    """The text that must be there.

    Raises:
        Faulty: It is missing, or no text.
    """
    return field(holder, key, str, path)


def field(holder: Mapping[str, Any], key: str, kind: type[Kind], path: str = "") -> Kind:
    """The value that must be there, and of that type.

    Args:
        holder: The object that has it.
        key: Under which name.
        kind: `dict`, `list`, `str` or `bool`.
        path: What leads to `holder`, for the message: `detail.`.

    Raises:
        Faulty: It is missing (null counts as missing), or of another type.
    """
    value = optional(holder, key, kind, path)
    if value is None:
        raise Faulty(MalformedReason.MISSING_FIELD, f"{path}{key} is missing")
    return value


def optional(holder: Mapping[str, Any], key: str, kind: type[Kind], path: str = "") -> Kind | None:
    """The value, or None where it is missing or null.

    Raises:
        Faulty: It is of another type.
    """
    value = holder.get(key)
    if value is None or isinstance(value, kind):
        return value
    raise Faulty(MalformedReason.WRONG_TYPE, f"{path}{key} is {_name(value)}, not {_JSON_NAMES[kind]}")


def _name(value: object) -> str:
    return _JSON_NAMES.get(type(value), "null")


def shown(value: object) -> str:
    """A little of a value: one line, without what a log or an SQS attribute cannot carry."""
    return ascii(value[:60])[:90] if isinstance(value, str) else _name(value)
