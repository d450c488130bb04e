from typing import Any

import pytest

from tests.infra.template import template
from tests.policies.physical import Stack
from tests.policies.rendering import Rendered, rendered
from tests.policies.world import EXTERNAL_ID, HUB, ORGANIZATION, OTHER_REGION, REGION, SPOKE, hub, spoke

STACK = Stack(account=SPOKE, region="us-gov-west-1", partition="aws-us-gov", name="demo")
SOURCE: dict[str, Any] = {
    "Parameters": {
        "Mode": {"Type": "String", "Default": "plain", "AllowedValues": ["plain", "rich"]},
        "Keys": {"Type": "CommaDelimitedList", "Default": ""},
        "Days": {"Type": "Number", "Default": 0},
        "Path": {"Type": "String", "AllowedPattern": "^/"},
    },
    "Mappings": {"Sizes": {"plain": {"Cpu": "1"}, "rich": {"Cpu": "8"}}},
    "Conditions": {
        "IsRich": {"Fn::Equals": [{"Ref": "Mode"}, "rich"]},
        "HasKeys": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Keys"}]}, ""]}]},
        "Both": {"Fn::And": [{"Condition": "IsRich"}, {"Condition": "HasKeys"}]},
        "Either": {"Fn::Or": [{"Condition": "IsRich"}, {"Condition": "HasKeys"}]},
        "NoDays": {"Fn::Equals": [{"Ref": "Days"}, 0]},
    },
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}},
        "Extra": {"Type": "AWS::SQS::Queue", "Condition": "Both"},
    },
}


def demo(**given: str) -> Rendered:
    return Rendered(SOURCE, STACK, {"Path": "/a/", **given})


QUEUE = f"arn:aws-us-gov:sqs:us-gov-west-1:{SPOKE}:orders"


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "Mode"}, "plain"),
        ({"Ref": "Days"}, "0"),
        ({"Ref": "AWS::Region"}, "us-gov-west-1"),
        ({"Ref": "Queue"}, f"https://sqs.us-gov-west-1.amazonaws.com/{SPOKE}/orders"),
        ({"Fn::GetAtt": "Queue.Arn"}, QUEUE),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, QUEUE),
        ({"Fn::Sub": "${Queue.Arn}/${Path}-${!Literal}-${AWS::URLSuffix}"}, f"{QUEUE}//a/-${{Literal}}-amazonaws.com"),
        ({"Fn::Sub": ["${Own}-${Mode}", {"Own": {"Ref": "Days"}}]}, "0-plain"),
        ({"Fn::If": ["IsRich", "yes", {"Ref": "Mode"}]}, "plain"),
        ({"Fn::Join": [",", ["a", {"Ref": "Mode"}]]}, "a,plain"),
        ({"Fn::Select": [1, {"Fn::Split": [":", "a:b:c"]}]}, "b"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Mode"}, "Cpu"]}, "1"),
        ({"Fn::Select": [1, {"Fn::GetAZs": ""}]}, "us-gov-west-1b"),
        ({"Fn::Cidr": ["10.0.0.0/22", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
    ],
)
def test_functions_give_what_cloudformation_gives(node: object, value: object) -> None:
    assert demo().resolved(node) == value


def test_a_function_that_is_not_known_is_never_passed_over() -> None:
    with pytest.raises(KeyError, match="Fn::ImportValue"):
        demo().resolved({"Fn::ImportValue": "another-stack"})


def test_conditions_decide_what_is_created() -> None:
    assert set(demo().resources) == {"Queue"}
    assert set(demo(Mode="rich", Keys="a, b").resources) == {"Queue", "Extra"}
    assert demo(Mode="rich", Keys="a, b").parameters["Keys"] == ["a", "b"]
    assert demo(Keys="a").holds("Either")
    assert not demo(Keys="a").holds("Both")
    assert demo().holds("NoDays")
    with pytest.raises(KeyError, match="Extra is not created"):
        demo().arn("Extra")


def test_parameters_are_checked_as_cloudformation_checks_them() -> None:
    with pytest.raises(KeyError, match="no such parameter: Moed"):
        _ = demo(Moed="rich").parameters
    with pytest.raises(ValueError, match="Mode may not be 'poor'"):
        _ = demo(Mode="poor").parameters
    with pytest.raises(ValueError, match="Path may not be 'a'"):
        _ = demo(Path="a").parameters
    with pytest.raises(KeyError):
        _ = Rendered(SOURCE, STACK).parameters


def test_our_templates_are_resolved_to_the_last_function() -> None:
    the_hub = hub()
    for stack in (the_hub, spoke(the_hub), spoke(the_hub, region=OTHER_REGION)):
        assert "Fn::" not in str(stack.resources)
        assert "'Ref':" not in str(stack.resources)
        assert "${" not in str(stack.resources)
        assert stack.outputs
    assert set(the_hub.outputs) == set(template("hub.yaml")["Outputs"])


def test_a_role_without_a_resource_of_that_name_is_no_role() -> None:
    the_spoke = spoke(hub(), region=OTHER_REGION)
    with pytest.raises(KeyError):
        the_spoke.trust("SpokeRole")
    with pytest.raises(KeyError, match="SpokeRole is not created"):
        the_spoke.arn("SpokeRole")


def test_what_stands_in_outputs_is_what_a_spoke_takes() -> None:
    the_hub = hub()
    the_spoke = rendered(
        "spoke.yaml",
        account=SPOKE,
        region=REGION,
        HubBusArn=the_hub.outputs["BusArn"],
        HubTaskRoleArn=the_hub.outputs["TaskRoleArn"],
        OrganizationId=ORGANIZATION,
        ScannerExternalId=EXTERNAL_ID,
        RoleRegion=REGION,
    )
    assert the_spoke.outputs["SpokeRoleArn"] == f"arn:aws:iam::{SPOKE}:role/scanhub-spoke"
    assert the_hub.outputs["TaskRoleArn"] == f"arn:aws:iam::{HUB}:role/scanhub-worker"
