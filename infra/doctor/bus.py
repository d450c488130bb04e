"""The bus: who may put events on it, what is kept of them, and the rule that hands them on."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hub.diagnosis import Check, Kind
from infra.doctor.asking import AwsClient, asking
from infra.doctor.deployed import RULE, DeployedHub
from infra.doctor.examination import Examination
from infra.doctor.policies import Statement, is_about, is_of_account, principals, statements, values
from spoke.errors import Gone, Unavailable

GROUP = "bus"
ARCHIVE = "scanhub-changes"
SOURCE = "aws.lambda"
PUT_EVENTS = "events:PutEvents"
ORGANIZATION = "aws:PrincipalOrgID"

CHANGES = (
    "CreateFunction20150331",
    "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration20150331v2",
    "DeleteFunction20150331",
)
"""As CloudTrail names them today."""

_ALL_SOURCES = frozenset({"StringEquals", "ForAllValues:StringEquals"})
"""Of each event of a PutEvents; `ForAnyValue` would let others in beside one that is right."""

POLICY = Kind(
    name="bus-policy",
    group=GROUP,
    asks="may the accounts of this organization, and nobody else, put events of the source aws.lambda on the bus?",
    wrong="The spokes' events are refused; or strangers, or events that somebody made up, get in.",
    fix="run `scanhub rollout hub`: it puts the bus's policy back",
)
KEPT = Kind(
    name="bus-archive",
    group=GROUP,
    asks="does an archive keep what came, so that it can be replayed?",
    wrong="Changes that were lost behind the bus cannot be brought back but by the sweep.",
    fix="run `scanhub rollout hub`: it creates the archive",
)
HANDED_ON = Kind(
    name="bus-rule",
    group=GROUP,
    asks="is the rule enabled, with the changes queue as its target and a queue for what cannot be delivered?",
    wrong="No change reaches the worker, or one that cannot be delivered is gone without a trace.",
    fix="run `scanhub rollout hub`: it puts the rule and its target back; replay the archive for the time in between",
)

PATTERN = Kind(
    name="bus-pattern",
    group=GROUP,
    asks="does the rule's event pattern take every kind of change of a function?",
    wrong="Changes of the kinds that are left out do not reach the worker.",
    fix="run `scanhub rollout hub`: it puts the rule's pattern back; replay the archive for the time in between",
)


def policy(hub: DeployedHub) -> Iterator[Check]:
    """Every statement that lets somebody in."""
    with asking(f"reading the policy of the bus {hub.bus_name}"):
        bus = hub.client("events").describe_event_bus(Name=hub.bus_name)
    policy_statements = statements(bus.get("Policy"))
    admitting = [one for one in policy_statements if one.get("Effect") == "Allow" and _admits_others(hub, one)]
    if not admitting:
        yield POLICY.failed(hub.bus_name, "its policy lets nobody in")
        return
    denying = [
        str(one.get("Sid", "a statement without Sid"))
        for one in policy_statements
        if one.get("Effect") == "Deny" and is_about(one, PUT_EVENTS) and not _spares_the_organization(hub, one)
    ]
    organizations = {value for one in admitting for _, value in values(_condition(one), ORGANIZATION)}
    too_wide = [fault for one in admitting if (fault := _too_wide(one))]
    if too_wide:
        yield POLICY.failed(hub.bus_name, "; ".join(too_wide))
    elif organizations != {hub.organization}:
        yield POLICY.failed(
            hub.bus_name, f"it admits {', '.join(sorted(organizations))}; the hub was deployed for {hub.organization}"
        )
    elif denying:
        yield POLICY.unknown(
            hub.bus_name, f"it also denies, and whom cannot be judged by this check: {', '.join(denying)}"
        )
    else:
        yield POLICY.ok(hub.bus_name, f"admits {hub.organization}, and of it the source aws.lambda alone")


def _admits_others(hub: DeployedHub, statement: Statement) -> bool:
    """Whether it is about putting events, and about more than the hub's own account."""
    others = [one for one in principals(statement) if not is_of_account(one, hub.account)]
    return bool(others) and is_about(statement, PUT_EVENTS)


def _spares_the_organization(hub: DeployedHub, statement: Statement) -> bool:
    """By far the most usual denials: of plain HTTP, of other sources, and of everybody outside the organization."""
    condition = _condition(statement)
    refused = {(operator.removesuffix("IfExists"), value) for operator, value in values(condition, ORGANIZATION)}
    sources = {(operator, value) for operator, value in values(condition, "events:source")}
    insecure = {value.lower() for _, value in values(condition, "aws:SecureTransport")}
    return (
        ("StringNotEquals", hub.organization) in refused
        or insecure == {"false"}
        or any("NotEquals" in operator and value == SOURCE for operator, value in sources)
    )


def _condition(statement: Statement) -> Statement:
    condition: Statement = statement.get("Condition") or {}
    return condition


def _too_wide(statement: Statement) -> str:
    name = statement.get("Sid", "a statement without Sid")
    organizations = [
        value
        for operator, value in values(_condition(statement), ORGANIZATION)
        # `IfExists` would let in whoever is in no organization.
        if operator == "StringEquals"
    ]
    if not organizations:
        return f"{name} admits {', '.join(principals(statement))} without naming an organization"
    sources = {value for operator, value in values(_condition(statement), "events:source") if operator in _ALL_SOURCES}
    if sources != {SOURCE}:
        return f"{name} admits events of {', '.join(sorted(sources)) or 'every source'}"
    return ""


def archive(hub: DeployedHub) -> Iterator[Check]:
    """Its state and for how long it keeps events."""
    try:
        with asking(f"describing the archive {ARCHIVE}"):
            found = hub.client("events").describe_archive(ArchiveName=ARCHIVE)
    except Gone:
        yield KEPT.warning(ARCHIVE, "there is no archive of that name")
        return
    days, source = found.get("RetentionDays") or 0, found.get("EventSourceArn", hub.output("BusArn"))
    if source != hub.output("BusArn"):
        yield KEPT.warning(ARCHIVE, f"it keeps what comes to {source}, not to the hub's bus")
        return
    if found["State"] == "ENABLED":
        yield KEPT.ok(ARCHIVE, f"keeps {f'{days} days' if days else 'all'}")
    else:
        yield KEPT.warning(ARCHIVE, f"its state is {found['State']}: {found.get('StateReason', 'no reason given')}")


def rule(hub: DeployedHub) -> Iterator[Check]:
    """The rule and its one target."""
    events = hub.client("events")
    with asking(f"describing the rule {RULE} of the bus {hub.bus_name}"):
        state = events.describe_rule(Name=RULE, EventBusName=hub.bus_name)["State"]
        targets = events.list_targets_by_rule(Rule=RULE, EventBusName=hub.bus_name)["Targets"]
    if state == "DISABLED":
        yield HANDED_ON.failed(RULE, "it is disabled")
        return
    target = next((one for one in targets if one["Arn"] == hub.queue_arn("ChangesQueueUrl")), None)
    if target is None:
        yield HANDED_ON.failed(RULE, f"the changes queue is none of its {len(targets)} targets")
    elif changed := [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name)]:
        yield HANDED_ON.failed(RULE, f"its target gets something else than the event ({', '.join(changed)})")
    elif target.get("DeadLetterConfig", {}).get("Arn") != hub.queue_arn("UndeliveredQueueUrl"):
        yield HANDED_ON.failed(RULE, "what cannot be delivered is dropped: its target has not the hub's queue for that")
    else:
        yield HANDED_ON.ok(RULE, "enabled, to the changes queue")


def pattern(hub: DeployedHub) -> Iterator[Check]:
    """EventBridge itself is asked, with an event of each kind."""
    events = hub.client("events")
    with asking(f"describing the rule {RULE} of the bus {hub.bus_name}"):
        found = events.describe_rule(Name=RULE, EventBusName=hub.bus_name)
    lost = [sample["detail"]["eventName"] for sample in _samples(hub) if not _takes(events, found, sample)]
    if lost:
        yield PATTERN.failed(RULE, f"it leaves out {', '.join(lost)}")
    else:
        yield PATTERN.ok(RULE, f"takes {', '.join(CHANGES)}")


def _takes(events: AwsClient, rule: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    with asking(f"trying the event pattern of the rule {RULE}"):
        answer = events.test_event_pattern(EventPattern=rule.get("EventPattern", "{}"), Event=json.dumps(event))
    if "Result" not in answer:
        raise Unavailable(f"trying the event pattern of the rule {RULE}: an answer without a result; is this AWS?")
    return bool(answer["Result"])


def _samples(hub: DeployedHub) -> Iterator[dict[str, Any]]:
    """An event of each kind, in the form that EventBridge asks for (TestEventPattern in its API reference)."""
    for name in CHANGES:
        yield {
            "version": "0",
            "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "detail-type": "AWS API Call via CloudTrail",
            "source": SOURCE,
            "account": hub.account,
            "time": f"{hub.now():%Y-%m-%dT%H:%M:%SZ}",
            "region": hub.region,
            "resources": [],
            "detail": {
                "eventSource": "lambda.amazonaws.com",
                "eventName": name,
                "awsRegion": hub.region,
                "requestParameters": {"functionName": "orders-api"},
                "responseElements": None,
            },
        }


EXAMINATIONS = (
    Examination(POLICY, policy),
    Examination(KEPT, archive),
    Examination(HANDED_ON, rule),
    Examination(PATTERN, pattern),
)
