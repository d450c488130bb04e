"""Events as they were recorded, in `events/`, and what `read` makes of them."""

import base64
import copy
import hashlib
import json
from pathlib import Path
from typing import Any

from spoke.arn import FunctionArn
from spoke.changes import Change, Reading
from spoke.events import read

EVENTS = Path(__file__).parent / "events"
ACCOUNT, REGION = "210987654321", "eu-central-1"
NAMES = sorted(path.stem for path in EVENTS.glob("*.json"))
REQUEST_FIELD = "detail/requestParameters/functionName"
RESPONSE_FIELD = "detail/responseElements/functionArn"


def recorded(name: str) -> dict[str, Any]:
    event = json.loads((EVENTS / f"{name}.json").read_text())
    assert isinstance(event, dict)
    return event


def read_event(event: object) -> Reading:
    return read(json.dumps(event))


def changed(name: str) -> Change:
    reading = read_event(recorded(name))
    assert isinstance(reading, Change), reading
    return reading


def function(name: str, account: str = ACCOUNT, region: str = REGION, partition: str = "aws") -> FunctionArn:
    return FunctionArn(partition, region, account, name)


def code_sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def layer(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:{REGION}:{account}:layer:{name}"


def put(event: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The event with another value there; `path` is keys between slashes."""
    event = copy.deepcopy(event)
    *holders, key = path.split("/")
    holder = event
    for name in holders:
        holder = holder[name]
    holder[key] = value
    return event
