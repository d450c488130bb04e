"""The hub's template, as its tests look at it."""

from typing import Any

from tests.infra.template import INFRA, of_type

HUB = "hub.yaml"
DOCS = INFRA.parent / "docs"
OWN_ACCOUNT = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
ALARMS = {"Fn::Sub": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:scanhub-*"}
RULE = {"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${EventBusName}/scanhub-changes"}


def only(kind: str) -> dict[str, Any]:
    (one,) = of_type(HUB, kind).values()
    return one


def policy_of(kind: str) -> dict[str, dict[str, Any]]:
    """The statements of the one policy of a type, by their Sid."""
    document = only(kind)["PolicyDocument"]
    assert document["Version"] == "2012-10-17"
    return {statement["Sid"]: statement for statement in document["Statement"]}


def task(family: str) -> dict[str, Any]:
    (one,) = [one for one in of_type(HUB, "AWS::ECS::TaskDefinition").values() if one["Family"] == family]
    return one


def container(family: str) -> dict[str, Any]:
    (one,) = task(family)["ContainerDefinitions"]
    found: dict[str, Any] = one
    return found


def environment(family: str) -> dict[str, Any]:
    pairs = container(family)["Environment"]
    given = {pair["Name"]: pair["Value"] for pair in pairs}
    assert len(given) == len(pairs)
    return given
