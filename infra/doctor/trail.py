"""CloudTrail: without a trail that logs management events, EventBridge has no change to tell of."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hub.diagnosis import Check, Kind
from infra.doctor.asking import asking
from infra.doctor.deployed import DeployedHub
from infra.doctor.examination import Examination
from spoke.errors import ScanhubError

TRAIL = Kind(
    name="organization-trail",
    group="organization",
    asks="does a trail of the whole organization log management events that write, in all regions?",
    wrong="Where no trail logs, EventBridge gets no change events: changes there are found by the sweep alone.",
    fix="create an organization trail in the management account, for all regions, with management events that write",
)


def trail(hub: DeployedHub) -> Iterator[Check]:
    """Any trail that this account sees, those of the organization among them (as shadow trails)."""
    with asking("describing the trails"):
        trails = hub.client("cloudtrail").describe_trails(includeShadowTrails=True)["trailList"]
    if not trails:
        yield TRAIL.failed("CloudTrail", "this account sees no trail at all")
        return
    faults: dict[str, str] = {}
    unknown: dict[str, str] = {}
    serving: dict[str, bool] = {}
    for one in trails:
        name = one["Name"]
        try:
            fault = _fault(hub, one)
        except ScanhubError as error:
            # From a member account the organization's own trail may be out of sight. Another trail may serve.
            unknown[name] = error.text
            continue
        if fault:
            faults[name] = fault
        else:
            serving[name] = bool(one.get("IsOrganizationTrail"))
    yield _told(faults, unknown, serving)


def _told(faults: Mapping[str, str], unknown: Mapping[str, str], serving: Mapping[str, bool]) -> Check:
    """One trail that serves is enough; one that may serve leaves the question open."""
    why = "; ".join(f"{name}: {text}" for name, text in {**faults, **unknown}.items())
    for name, is_of_organization in serving.items():
        if is_of_organization:
            return TRAIL.ok(name, "logs management events of the organization in all regions")
    if unknown:
        return TRAIL.unknown(", ".join(unknown), why, fix="ask with credentials of the management account")
    if serving:
        return TRAIL.warning(
            ", ".join(serving), "logs this account alone: enough where hub and spoke share it, and only there"
        )
    return TRAIL.failed(", ".join(faults), why)


def _fault(hub: DeployedHub, trail: Mapping[str, Any]) -> str:
    """Why this trail does not serve; empty if it does, at least for its own account."""
    if not trail.get("IsMultiRegionTrail"):
        return "not of all regions"
    arn = trail["TrailARN"]
    # A trail tells its state where it was made.
    client = hub.clients.client("cloudtrail", region=trail.get("HomeRegion") or hub.region)
    with asking(f"reading the state of the trail {arn}"):
        is_logging = client.get_trail_status(Name=arn)["IsLogging"]
    if not is_logging:
        return "it does not log"
    with asking(f"reading the event selectors of the trail {arn}"):
        selectors = client.get_event_selectors(TrailName=arn)
    return "" if _logs_writes(selectors) else "it does not log management events that write"


def _logs_writes(selectors: Mapping[str, Any]) -> bool:
    plain = selectors.get("EventSelectors") or []
    if any(
        # Absent where it is the default (EventSelector in CloudTrail's API reference).
        one.get("IncludeManagementEvents", True) and one.get("ReadWriteType", "All") in {"All", "WriteOnly"}
        for one in plain
    ):
        return True
    advanced = [one.get("FieldSelectors", []) for one in selectors.get("AdvancedEventSelectors") or []]
    return any(all(_selects(event, field) for field in fields) for fields in advanced for event in _CHANGES)


_CHANGES = tuple(
    {
        "eventCategory": "Management",
        "readOnly": "false",
        "eventSource": "lambda.amazonaws.com",
        "eventName": name,
        "eventType": "AwsApiCall",
    }
    for name in ("CreateFunction20150331", "UpdateFunctionCode20150331v2")
)
"""What has to be logged, by the fields that selectors of management events may name."""

_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}


def _selects(event: Mapping[str, str], field: Mapping[str, Any]) -> bool:
    """One of `AdvancedFieldSelector`: every operator that it has must hold. A field that is not known may hold."""
    actual = event.get(field["Field"])
    if actual is None:
        return True
    for operator, matches in _OPERATORS.items():
        wanted, unwanted = field.get(operator), field.get(f"Not{operator}")
        if wanted and not any(matches(actual, value) for value in wanted):
            return False
        if unwanted and any(matches(actual, value) for value in unwanted):
            return False
    return True


EXAMINATIONS = (Examination(TRAIL, trail),)
