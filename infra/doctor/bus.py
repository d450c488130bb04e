"""The bus: who may put events on it, what is kept of them, and the rule that hands them on."""

from collections.abc import Iterator

from hub.diagnosis import Check, Kind
from infra.doctor.asking import asking
from infra.doctor.deployed import RULE, DeployedHub
from infra.doctor.examination import Examination
from infra.doctor.policies import Statement, principals, statements, values
from spoke.errors import Gone

GROUP = "bus"
ARCHIVE = "scanhub-changes"

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


def policy(hub: DeployedHub) -> Iterator[Check]:
    """Every statement that lets somebody in."""
    with asking(f"reading the policy of the bus {hub.bus_name}"):
        bus = hub.client("events").describe_event_bus(Name=hub.bus_name)
    admitting = [
        one
        for one in statements(bus.get("Policy"))
        if one.get("Effect") == "Allow" and _own(hub) not in principals(one)
    ]
    if not admitting:
        yield POLICY.failed(hub.bus_name, "its policy lets nobody in")
        return
    organizations = {value for one in admitting for _, value in values(_condition(one), "aws:PrincipalOrgID")}
    too_wide = [fault for one in admitting if (fault := _too_wide(one))]
    if too_wide:
        yield POLICY.failed(hub.bus_name, "; ".join(too_wide))
    elif organizations != {hub.organization}:
        yield POLICY.failed(
            hub.bus_name, f"it admits {', '.join(sorted(organizations))}; the hub was deployed for {hub.organization}"
        )
    else:
        yield POLICY.ok(hub.bus_name, f"admits {hub.organization}, and of it the source aws.lambda alone")


def _own(hub: DeployedHub) -> str:
    return f"arn:{hub.partition}:iam::{hub.account}:root"


def _condition(statement: Statement) -> Statement:
    condition: Statement = statement.get("Condition") or {}
    return condition


def _too_wide(statement: Statement) -> str:
    name = statement.get("Sid", "a statement without Sid")
    organizations = [
        value
        for operator, value in values(_condition(statement), "aws:PrincipalOrgID")
        if operator.startswith("StringEquals")
    ]
    if not organizations:
        return f"{name} admits {', '.join(principals(statement))} without naming an organization"
    sources = {value for operator, value in values(_condition(statement), "events:source") if operator in _ALL_SOURCES}
    if sources != {"aws.lambda"}:
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
    days = found.get("RetentionDays") or 0
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
    elif target.get("DeadLetterConfig", {}).get("Arn") != hub.queue_arn("UndeliveredQueueUrl"):
        yield HANDED_ON.failed(RULE, "what cannot be delivered is dropped: its target has not the hub's queue for that")
    else:
        yield HANDED_ON.ok(RULE, "enabled, to the changes queue")


EXAMINATIONS = (Examination(POLICY, policy), Examination(KEPT, archive), Examination(HANDED_ON, rule))
