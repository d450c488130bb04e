"""A page of ListFunctions -> snapshots, read from the body itself.

botocore's parser takes 90 µs for each function, this takes 35: of a million functions that is a minute. What stands in
the body is for others to write (a function's owner chooses most of it), so nothing in it is taken for granted; and it
holds the functions' environment variables, so nothing of it is ever shown.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from spoke.arn import FunctionArn, InvalidArn, partition_of
from spoke.errors import Unavailable
from spoke.functions import configured
from spoke.snapshot import FunctionSnapshot

log = structlog.get_logger()

RAW = "ScanhubRawBody"
"""Under this name `keep_raw` leaves the body in the answer."""

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
"""Of a function without qualifier; what has none, or is longer, goes the way of `FunctionArn.parse`."""

MAX_MARKER = 8192
"""Characters of a marker that we send back; it becomes a part of the next request's URL."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list of functions, or of their versions.

    Attributes:
        functions: Without tags; of `$LATEST` the function itself, of a version the version.
        marker: What brings the next page; None on the last one.
    """

    functions: tuple[FunctionSnapshot, ...]
    marker: str | None


def keep_raw(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """A handler of botocore's `before-parse`: the body of a sound answer is left as it came, and not parsed."""
    if response_dict["status_code"] == 200:
        customized_response_dict[RAW] = response_dict["body"]
        response_dict["body"] = b"{}"


def page_of(body: bytes, *, account: str, region: str) -> Page:
    """What the page says.

    An entry that names no function of this account and region is left out: nothing could be done with it. Whatever else
    an entry lacks, or has of a wrong type, counts as left out by Lambda.

    Args:
        body: As it came.
        account: Whose functions were asked for.
        region: From where.

    Raises:
        Unavailable: It is no page. What is missing on it would else be taken for deleted.
    """
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        # Not `from`: the error would carry the body.
        page = None
    entries = page.get("Functions") if isinstance(page, dict) else None
    if not isinstance(entries, list):
        raise Unavailable(f"listing functions of account {account} in {region}: the answer is no list of functions")
    functions = []
    foreign = 0
    partition = partition_of(region)
    start = f"arn:{partition}:lambda:{region}:{account}:function:"
    for entry in entries:
        text = entry.get("FunctionArn") if isinstance(entry, dict) else None
        if isinstance(text, str) and text.startswith(start) and _NAME.fullmatch(text, len(start)):
            # All but a few: a third of the time that the whole pattern takes, and all share the place's texts.
            functions.append(configured(FunctionArn(partition, region, account, text[len(start) :]), _sound(entry)))
            continue
        arn = _arn(text)
        if arn is None or arn.account != account or arn.region != region:
            foreign += 1
            continue
        functions.append(configured(arn.content, _sound(entry)))
    if foreign:
        log.warning("entries left out of a list of functions", account=account, region=region, entries=foreign)
    marker = page.get("NextMarker")
    if marker is not None and not (isinstance(marker, str) and len(marker) <= MAX_MARKER):
        raise Unavailable(f"listing functions of account {account} in {region}: the next page's marker is none")
    return Page(tuple(functions), marker or None)


def _arn(text: object) -> FunctionArn | None:
    try:
        return FunctionArn.parse(text) if isinstance(text, str) else None
    except InvalidArn:
        return None


_TEXTS = (
    "CodeSha256",
    "KMSKeyArn",
    "LastModified",
    "LastUpdateStatus",
    "LastUpdateStatusReasonCode",
    "PackageType",
    "Runtime",
    "State",
    "StateReasonCode",
)


def _sound(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a `FunctionConfiguration`, what a snapshot is made from, where it has the type that it should."""
    sound: dict[str, Any] = {}
    for key in _TEXTS:
        value = entry.get(key)
        if isinstance(value, str):
            sound[key] = value
    size = entry.get("CodeSize")
    if isinstance(size, int) and not isinstance(size, bool):
        sound["CodeSize"] = size
    layers = entry.get("Layers")
    if isinstance(layers, list):
        sound["Layers"] = [layer for layer in layers if isinstance(layer, dict) and isinstance(layer.get("Arn"), str)]
    architectures = entry.get("Architectures")
    if isinstance(architectures, list):
        sound["Architectures"] = [one for one in architectures if isinstance(one, str)]
    return sound
