import json
from typing import Any

import pytest

from infra.permissions import templates
from infra.permissions.statements import Kind, statements, statements_of


def role(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    policy = {"PolicyName": "one", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(found)}}
    trust = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    }
    properties = {"AssumeRolePolicyDocument": trust, "Policies": [policy], **more}
    return {"Resources": {"Worker": {"Type": "AWS::IAM::Role", "Condition": "Runs", "Properties": properties}}}


def test_trust_and_grants_are_told_apart_and_each_has_a_place() -> None:
    put = {"Sid": "Store", "Effect": "Allow", "Action": ["s3:PutObject"], "Resource": {"Fn::GetAtt": "Results.Arn"}}
    bare = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    trust, store, second = statements_of("hub.yaml", role(put, bare))
    assert (trust.kind, trust.place, trust.principals) == (
        Kind.TRUST,
        "hub.yaml Worker trust 1",
        ("ecs-tasks.amazonaws.com",),
    )
    assert (store.kind, store.place, store.guards) == (Kind.GRANT, "hub.yaml Worker Store", ("Runs",))
    assert store.resources == (("${Results.Arn}", ()),)
    assert second.place == "hub.yaml Worker grant 2"


def test_a_statement_that_is_there_by_parameter_is_found_with_its_condition() -> None:
    tag = {
        "Sid": "Tag",
        "Effect": "Allow",
        "Action": "lambda:TagResource",
        "Resource": {"Fn::If": ["Named", "arn:a", "arn:b"]},
        "Condition": {"Null": {"aws:TagKeys": "false"}},
    }
    by_parameter = role({"Fn::If": ["EnablesTagging", tag, {"Ref": "AWS::NoValue"}]})
    _, found = statements_of("spoke.yaml", by_parameter)
    assert found.guards == ("Runs", "EnablesTagging")
    assert found.resources == (("arn:a", ("Named",)), ("arn:b", ("not Named",)))
    assert found.conditions == (("Null", "aws:TagKeys", (("false", ()),)),)


@pytest.mark.parametrize("hidden", ["NotAction", "NotResource", "NotPrincipal"])
def test_what_allows_all_but_something_is_refused(hidden: str) -> None:
    with pytest.raises(ValueError, match=hidden):
        list(statements_of("hub.yaml", role({"Effect": "Allow", "Action": "s3:*", hidden: "s3:Delete*"})))


def test_a_managed_policy_is_refused() -> None:
    """Its statements would be in no table."""
    with pytest.raises(ValueError, match="managed"):
        list(statements_of("hub.yaml", role(ManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"])))


def test_a_bus_policy_has_its_name_beside_the_statement() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}
    policy = {
        "Type": "AWS::Events::EventBusPolicy",
        "Properties": {"StatementId": "Organization", "Statement": statement},
    }
    (found,) = statements_of("hub.yaml", {"Resources": {"BusPolicy": policy}})
    assert (found.kind, found.sid, found.principals) == (Kind.RESOURCE, "Organization", ("*",))


def test_no_statement_of_any_template_is_left_out() -> None:
    """Counted in the text, which knows nothing of where a type of resource keeps its policy."""
    for name in templates.names():
        effects = json.dumps(templates.read(name)["Resources"]).count('"Effect": ')
        assert len(list(statements((name,)))) == effects, name
