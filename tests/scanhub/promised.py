"""What the documents of `--json` promise: every name, its type, and no name besides."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from hub.coverage import CoverageState
from hub.sweep.decision import Why

TEXT = {"type": "string"}
TEXT_OR_NOTHING = {"type": ["string", "null"]}
NUMBER = {"type": "integer", "minimum": 0}
FLAG = {"type": "boolean"}
MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$"}
ACCOUNT = {"type": "string", "pattern": r"^\d{12}$"}
FUNCTION = {"type": "string", "pattern": r"^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:\d+)?$"}
VERSION = {"const": 1}


def thing(**names: object) -> dict[str, Any]:
    """An object with these names, all of them, and no others."""
    return {"type": "object", "properties": names, "required": list(names), "additionalProperties": False}


def several(of: object) -> dict[str, Any]:
    """An array."""
    return {"type": "array", "items": of}


def perhaps(of: Mapping[str, Any]) -> dict[str, Any]:
    """This, or null."""
    return {"anyOf": [of, {"type": "null"}]}


SHARE = perhaps({"type": "number", "minimum": 0, "maximum": 1})
STATE = {"enum": [state.value for state in CoverageState]}
STATES = {
    "type": "object",
    "propertyNames": STATE,
    "additionalProperties": {"type": "integer", "minimum": 1},
}
COUNTED = {"functions": NUMBER, "covered": NUMBER, "share": SHARE, "states": STATES}
PROBLEMS = several(thing(region=TEXT_OR_NOTHING, problem=TEXT))
OF_ACCOUNT = thing(
    account=ACCOUNT,
    **COUNTED,
    lastEventAt=perhaps(MOMENT),
    lastSweepAt=perhaps(MOMENT),
    oldestResultAt=perhaps(MOMENT),
    problems=PROBLEMS,
)
DAY = thing(
    day={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    targetSeconds=NUMBER,
    changes=NUMBER,
    within=NUMBER,
    failed=NUMBER,
    share=SHARE,
    slowestSeconds={"type": "number"},
)
ROW = thing(
    function=FUNCTION,
    account=ACCOUNT,
    region=TEXT,
    name=TEXT,
    version=TEXT_OR_NOTHING,
    state=STATE,
    reason=TEXT,
    runtime=TEXT_OR_NOTHING,
    at=MOMENT,
    resultAt=perhaps(MOMENT),
)
COUNTS = thing(
    accounts=NUMBER,
    functions=NUMBER,
    fresh=NUMBER,
    waiting=NUMBER,
    excluded=NUMBER,
    queued=NUMBER,
    queuedBy={
        "type": "object",
        "propertyNames": {"enum": [why.value for why in Why]},
        "additionalProperties": NUMBER,
    },
    gone=NUMBER,
    outlived=NUMBER,
    failed=NUMBER,
    calls=NUMBER,
)
NAMED = thing(number=NUMBER, first={"type": "array", "items": TEXT, "maxItems": 10})
RUN = thing(
    sweepId=TEXT,
    startedAt=MOMENT,
    finishedAt=perhaps(MOMENT),
    scope=perhaps(thing(isWhole=FLAG, accounts=NAMED, ous=NAMED, regions=NAMED, exclude=NAMED)),
    accounts=NUMBER,
    counts=COUNTS,
)
WORKER = thing(
    id=TEXT,
    version=TEXT,
    scanner=TEXT,
    mode=TEXT,
    scanTypes=several(TEXT),
    slots=NUMBER,
    running=NUMBER,
    circuit=TEXT_OR_NOTHING,
    paused=FLAG,
    startedAt=MOMENT,
    seenAt=MOMENT,
)
QUEUE = thing(
    visible=NUMBER,
    inFlight=NUMBER,
    delayed=NUMBER,
    oldestSeconds=perhaps({"type": "number", "minimum": 0}),
    parked=NUMBER,
)
RESULT = thing(
    scanId=TEXT,
    status={"enum": ["success", "partial", "failed"]},
    reasons=several(TEXT),
    severities={"type": "object", "additionalProperties": NUMBER},
    secrets=NUMBER,
    packages=NUMBER,
    policyVerdict=TEXT_OR_NOTHING,
    qualysScanTag=TEXT_OR_NOTHING,
    manifestKey=TEXT,
    completedAt=MOMENT,
    freshUntil=MOMENT,
)
COVERAGE = {
    "function": FUNCTION,
    "account": ACCOUNT,
    "region": TEXT,
    "state": STATE,
    "reason": TEXT,
    "at": MOMENT,
    "fingerprint": TEXT_OR_NOTHING,
    "lastGood": perhaps(RESULT),
}

DOCUMENTS = {
    "sweep": thing(
        schemaVersion=VERSION,
        sweepId=TEXT_OR_NOTHING,
        dryRun=FLAG,
        isComplete=FLAG,
        stopped=TEXT_OR_NOTHING,
        startedAt=MOMENT,
        finishedAt=MOMENT,
        seconds={"type": "number", "minimum": 0},
        accounts=NUMBER,
        counts=COUNTS,
        problems=several(thing(account=ACCOUNT, region=TEXT_OR_NOTHING, problem=TEXT)),
        planned=several(thing(function=FUNCTION, why={"enum": [why.value for why in Why]})),
        plannedMore=NUMBER,
        summaryKey=TEXT_OR_NOTHING,
    ),
    "coverage": thing(schemaVersion=VERSION, **COUNTED, accounts=several(OF_ACCOUNT), objective=several(DAY)),
    "coverage of functions": thing(schemaVersion=VERSION, listed=several(ROW), isCut=FLAG),
    "coverage by account": thing(schemaVersion=VERSION, groupBy={"const": "account"}, groups=several(OF_ACCOUNT)),
    **{
        f"coverage by {group}": thing(
            schemaVersion=VERSION, groupBy={"const": group}, groups=several(thing(**{group: TEXT}, **COUNTED))
        )
        for group in ("region", "state", "runtime", "reason")
    },
    "scan": thing(
        schemaVersion=VERSION,
        asked=several(FUNCTION),
        notAsked=several(FUNCTION),
        problems=several(TEXT),
        functions=several(thing(**COVERAGE)),
        unsettled=several(FUNCTION),
    ),
    "status": thing(
        schemaVersion=VERSION,
        at=MOMENT,
        queues={
            "type": "object",
            "propertyNames": {"enum": ["changes", "sweep"]},
            "additionalProperties": QUEUE,
            "required": ["changes"],
        },
        workers=several(WORKER),
        silentWorkers=several(WORKER),
        runningScans=NUMBER,
        circuitOpen=FLAG,
        circuitReason=TEXT_OR_NOTHING,
        paused=perhaps(thing(by=TEXT, reason=TEXT, at=MOMENT)),
        lastSweep=perhaps(RUN),
        lastWholeSweep=perhaps(RUN),
        runningSweep=perhaps(RUN),
        unfinishedSweep=perhaps(RUN),
        versions=thing(scanhub=several(TEXT), scanner=several(TEXT)),
        notes=several(TEXT),
    ),
}


def promised(name: str, document: Any) -> Any:  # noqa: ANN401  # JSON
    """The document, after it was held against its promise."""
    Draft202012Validator(DOCUMENTS[name]).validate(document)
    return document
