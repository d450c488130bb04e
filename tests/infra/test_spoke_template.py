"""What the spoke's template must hold, whatever emulator deploys it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

from spoke.changes import Change, Ignored, IgnoredReason
from spoke.events import read
from tests.infra.template import actions, of_type, pattern, roles, template
from tests.policies.rendering import Rendered
from tests.policies.world import HUB, OTHER_REGION, REGION, SPOKE, hub, spoke

EVENTS = Path(__file__).parents[1] / "spoke" / "events"
RECORDED = {path.stem: json.loads(path.read_text()) for path in sorted(EVENTS.glob("*.json"))}
TOPIC = f"arn:aws:sns:{REGION}:{HUB}:scanhub-notifications"
THE_HUB = hub()


def deployed(region: str = REGION, **parameters: str) -> Rendered:
    return spoke(THE_HUB, region=region, **parameters)


def properties(stack: Rendered, name: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.resources[name]["Properties"]
    return found


def kinds(stack: Rendered) -> set[str]:
    return {one["Type"] for one in stack.resources.values()}


def admitted(event: dict[str, Any]) -> bool:
    matched: bool = EventPattern(None, pattern("spoke.yaml")).matches_event(event)  # type: ignore[arg-type]  # as AWS sends it
    return matched


def test_the_external_id_alone_is_hidden() -> None:
    parameters = template("spoke.yaml")["Parameters"]
    assert {key for key, parameter in parameters.items() if parameter.get("NoEcho")} == {"ScannerExternalId"}


def test_every_parameter_is_grouped_labelled_and_described() -> None:
    read_template = template("spoke.yaml")
    interface = read_template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(read_template["Parameters"]) == sorted(interface["ParameterLabels"])
    for name, parameter in read_template["Parameters"].items():
        assert parameter["Description"].strip().endswith("."), name


# ---- the roles -------------------------------------------------------------------------------------------------------


def test_roles_are_made_in_one_region_and_rules_in_each() -> None:
    primary, other = deployed(), deployed(OTHER_REGION)
    assert {name for name, one in primary.resources.items() if one["Type"] == "AWS::IAM::Role"} == {
        "ForwardRole",
        "SpokeRole",
    }
    assert kinds(other) == {"AWS::Events::Rule", "AWS::SQS::Queue", "AWS::SQS::QueuePolicy"}
    # A policy of a role is made where the role is, whatever the other parameters say.
    all_on = deployed(OTHER_REGION, DecryptCode="true", EnableTagging="true", CreateAlarm="true")
    assert not {kind for kind in kinds(all_on) if kind.startswith("AWS::IAM::")}
    assert set(primary.outputs) - set(other.outputs) == {"SpokeRoleArn", "ForwardRoleArn"}


@pytest.mark.parametrize("path", ["/", "/security/scan/"])
def test_the_rules_of_all_regions_name_the_one_forward_role(path: str) -> None:
    stacks = [deployed(region, SpokeRolePath=path) for region in (REGION, OTHER_REGION)]
    named = {target["RoleArn"] for stack in stacks for target in properties(stack, "ForwardRule")["Targets"]}
    assert named == {f"arn:aws:iam::{SPOKE}:role{path}scanhub-forward"} == {stacks[0].outputs["ForwardRoleArn"]}
    assert stacks[0].outputs["SpokeRoleArn"] == f"arn:aws:iam::{SPOKE}:role{path}scanhub-spoke"


@pytest.mark.parametrize("path", ["security", "/security", "security/", "//", "/*/", "/a b/"])
def test_a_path_has_a_slash_at_both_ends_and_no_pattern_in_it(path: str) -> None:
    with pytest.raises(ValueError, match="SpokeRolePath"):
        _ = deployed(SpokeRolePath=path).parameters


@pytest.mark.parametrize(
    ("given", "boundary"),
    [
        ("", None),
        ("policy/limits", f"arn:aws:iam::{SPOKE}:policy/limits"),
        ("policy/teams/limits", f"arn:aws:iam::{SPOKE}:policy/teams/limits"),
        (f"arn:aws:iam::{SPOKE}:policy/limits", f"arn:aws:iam::{SPOKE}:policy/limits"),
        ("arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws:iam::aws:policy/PowerUserAccess"),
    ],
)
def test_a_boundary_holds_for_both_roles_in_every_account(given: str, boundary: str | None) -> None:
    stack = deployed(PermissionsBoundaryArn=given)
    for role in ("ForwardRole", "SpokeRole"):
        assert properties(stack, role).get("PermissionsBoundary") == boundary


def test_the_spoke_role_writes_three_tags_and_nothing_else() -> None:
    writes = [
        (action, statement)
        for action, statement in actions("spoke.yaml", "SpokeRole")
        if not re.match(r"\w+:(Get|List|Describe|Batch|Decrypt)", action)
    ]
    ((action, statement),) = writes
    assert action == "lambda:TagResource"
    assert statement["Condition"] == {
        "ForAllValues:StringEquals": {"aws:TagKeys": ["QualysScanTimestamp", "QualysScanStatus", "QualysScanTag"]},
        "Null": {"aws:TagKeys": "false"},
    }


def test_the_spoke_role_trusts_the_hubs_worker_alone() -> None:
    trust = roles("spoke.yaml")["SpokeRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert [one["Action"] for one in trust] == ["sts:AssumeRole", "sts:SetSourceIdentity"]
    for statement in trust:
        assert statement["Principal"] == {"AWS": {"Ref": "HubTaskRoleArn"}}
        assert statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"] == {"Ref": "OrganizationId"}
    assert trust[0]["Condition"]["StringEquals"]["sts:ExternalId"] == {"Ref": "ScannerExternalId"}


# ---- what is forwarded -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDED)
def test_the_rule_admits_what_the_worker_reads_and_little_else(name: str) -> None:
    event = RECORDED[name]
    match read(json.dumps(event)):
        case Change() if event["source"] == "aws.lambda":
            assert admitted(event)
        case Ignored(reason=IgnoredReason.VERSION_DELETED) if admitted(event):
            # A version named within the function's name: no pattern sees that.
            assert event["detail"]["requestParameters"]["functionName"].rsplit(":", 1)[-1].isdecimal()
        case _:
            assert not admitted(event)


def test_every_reason_to_ignore_an_event_of_lambdas_is_in_the_pattern() -> None:
    reasons = {reading.reason for event in RECORDED.values() if isinstance(reading := read(json.dumps(event)), Ignored)}
    assert reasons == set(IgnoredReason)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("CreateFunction", True),
        ("CreateFunction20150331", True),
        ("UpdateFunctionCode20150331v2", True),
        ("UpdateFunctionConfiguration20150331v2", True),
        ("DeleteFunction20150331", True),
        ("CreateFunctionUrlConfig", False),
        ("UpdateFunctionCodeSigningConfig", False),
        ("UpdateFunctionEventInvokeConfig20190925", False),
        ("DeleteFunctionConcurrency20171031", False),
        ("TagResource20170331v2", False),
    ],
)
def test_names_count_with_a_date_and_without_and_no_longer_ones(name: str, wanted: bool) -> None:
    event = json.loads(json.dumps(RECORDED["create_function"]))
    event["detail"]["eventName"] = name
    assert admitted(event) is wanted


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({"functionName": "orders-api", "dryRun": False}, True),
        ({"functionName": "orders-api"}, True),
        ({"functionName": "orders-api", "dryRun": True}, False),
        ({"functionName": "orders-api", "qualifier": "3"}, False),
        (None, True),
    ],
)
def test_an_event_is_dropped_for_what_it_says_and_never_for_what_it_leaves_out(
    parameters: dict[str, Any] | None, wanted: bool
) -> None:
    event = json.loads(json.dumps(RECORDED["delete_function"]))
    event["detail"]["requestParameters"] = parameters
    assert admitted(event) is wanted


def test_the_target_is_the_hubs_bus_and_nothing_of_an_event_is_changed() -> None:
    (target,) = properties(deployed(), "ForwardRule")["Targets"]
    assert target["Arn"] == THE_HUB.outputs["BusArn"]
    assert not {"Input", "InputPath", "InputTransformer"} & set(target)
    assert "EventBusName" not in properties(deployed(), "ForwardRule")


# ---- alarms ----------------------------------------------------------------------------------------------------------


def test_alarms_are_made_on_request_and_say_what_to_do() -> None:
    assert "AWS::CloudWatch::Alarm" not in kinds(deployed())
    for region in (REGION, OTHER_REGION):
        stack = deployed(region, CreateAlarm="true", AlarmTopicArn=TOPIC)
        alarms = {
            one["Properties"]["AlarmName"]: one["Properties"]
            for one in stack.resources.values()
            if one["Type"] == "AWS::CloudWatch::Alarm"
        }
        assert set(alarms) == {"scanhub-forward-undelivered", "scanhub-forward-failed"}
        for alarm in alarms.values():
            # CloudWatch tells no topic of another region.
            assert alarm.get("AlarmActions") == ([TOPIC] if region == REGION else None)
            assert "sweep" in alarm["AlarmDescription"]
            assert len(alarm["AlarmDescription"]) <= 1024
        dimensions = [alarm["Dimensions"] for alarm in alarms.values()]
        (rule,), (queue,) = (
            of_type("spoke.yaml", "AWS::Events::Rule").values(),
            of_type("spoke.yaml", "AWS::SQS::Queue").values(),
        )
        assert [{"Name": "QueueName", "Value": queue["QueueName"]}] in dimensions
        assert [{"Name": "RuleName", "Value": rule["Name"]}] in dimensions


def test_an_alarm_does_not_end_because_nobody_looks() -> None:
    """SQS tells no figures of a queue that nobody has touched for six hours, also with messages in it."""
    stack = deployed(CreateAlarm="true")
    assert properties(stack, "UndeliveredAlarm")["TreatMissingData"] == "ignore"
    # EventBridge tells of failures alone.
    assert properties(stack, "LostAlarm")["TreatMissingData"] == "notBreaching"


def test_alarms_need_no_topic() -> None:
    stack = deployed(CreateAlarm="true")
    assert "AlarmActions" not in properties(stack, "UndeliveredAlarm")
