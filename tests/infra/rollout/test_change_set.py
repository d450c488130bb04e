from datetime import UTC, datetime
from typing import Any

import pytest

from infra import stacks
from infra.rollout import change_set
from infra.rollout.change_set import HIDDEN, ParameterChange, ResourceChange
from infra.rollout.parameters import Declared
from infra.stacks import Stack
from spoke.errors import Misconfigured, Unavailable
from tests.infra.rollout.recording import Pauses
from tests.infra.script import Script, refusal
from tests.infra.test_stacks import ID, described

CHANGE_SET = "arn:aws:cloudformation:eu-central-1:123456789012:changeSet/scanhub-1f/0d6f"
CANARY = "canary0external0id0canary0external0id0"
DECLARED = {
    "OrganizationId": Declared(),
    "LogLevel": Declared(default="INFO"),
    "ScannerExternalId": Declared(is_hidden=True),
}
UNCHANGED = "The submitted information didn't contain changes. Submit different information to create a change set."


def change(action: str, resource: str, kind: str, replacement: str = "") -> dict[str, Any]:
    detail = {"Action": action, "LogicalResourceId": resource, "ResourceType": kind}
    return {"Type": "Resource", "ResourceChange": {**detail, **({"Replacement": replacement} if replacement else {})}}


def made(
    status: str = "CREATE_COMPLETE", reason: str = "", *changes: dict[str, Any], more: bool = False
) -> dict[str, Any]:
    """An answer of DescribeChangeSet."""
    return {
        "ChangeSetName": "scanhub-1f",
        "ChangeSetId": CHANGE_SET,
        "StackId": ID,
        "StackName": "scanhub-hub",
        "CreationTime": datetime(2026, 11, 22, tzinfo=UTC),
        "ExecutionStatus": "AVAILABLE",
        "Status": status,
        "Changes": list(changes),
        **({"StatusReason": reason} if reason else {}),
        **({"NextToken": "more"} if more else {}),
    }


def script(*answers: Any) -> Script:
    prepared = Script("cloudformation").on("CreateChangeSet", {"Id": CHANGE_SET, "StackId": ID})
    prepared.on("DescribeChangeSet", *answers)
    prepared.on("DescribeStacks", described("REVIEW_IN_PROGRESS"))
    return prepared.on("DeleteChangeSet", {}).on("DeleteStack", {}).on("ExecuteChangeSet", {})


def existing(status: str = "UPDATE_COMPLETE", **parameters: str) -> Stack:
    listed = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    client = Script("cloudformation").on("DescribeStacks", described(status, Parameters=listed)).client
    found = stacks.describe(client, "scanhub-hub")
    assert found is not None
    return found


def propose(prepared: Script, given: dict[str, str], before: Stack | None = None) -> change_set.ChangeSet | None:
    return change_set.propose(
        prepared.client,
        name="scanhub-hub",
        template="Resources: {}",
        declared=DECLARED,
        given=given,
        before=before,
        sleep=Pauses(),
    )


def test_a_new_stack_is_proposed_with_what_would_be_made() -> None:
    pages = (
        made("CREATE_IN_PROGRESS"),
        made("CREATE_COMPLETE"),
        made("CREATE_COMPLETE", "", change("Add", "Topic", "AWS::SNS::Topic"), more=True),
        made("CREATE_COMPLETE", "", change("Add", "Bus", "AWS::Events::EventBus")),
    )
    prepared = script(*pages)
    proposed = propose(prepared, {"OrganizationId": "o-a1b2c3d4e5"})
    assert proposed is not None
    assert (proposed.is_new, proposed.account, proposed.region) == (True, "123456789012", "eu-central-1")
    assert [one.resource for one in proposed.resources] == ["Bus", "Topic"]
    assert proposed.parameters == (ParameterChange(name="OrganizationId", before=None, after="o-a1b2c3d4e5"),)
    [call] = prepared.calls["CreateChangeSet"]
    assert call["ChangeSetType"] == "CREATE"
    assert call["Capabilities"] == ["CAPABILITY_NAMED_IAM"]


def test_what_is_not_given_keeps_its_value_and_what_is_new_takes_its_default() -> None:
    prepared = script(made())
    before = existing(OrganizationId="o-a1b2c3d4e5", ScannerExternalId="****", DesiredCount="1")
    proposed = propose(prepared, {"LogLevel": "DEBUG"}, before)
    assert proposed is not None
    assert proposed.parameters == (ParameterChange(name="LogLevel", before=None, after="DEBUG"),)
    [call] = prepared.calls["CreateChangeSet"]
    assert call["ChangeSetType"] == "UPDATE"
    # DesiredCount is no parameter of the template any more: CloudFormation would refuse it.
    assert call["Parameters"] == [
        {"ParameterKey": "LogLevel", "ParameterValue": "DEBUG"},
        {"ParameterKey": "OrganizationId", "UsePreviousValue": True},
        {"ParameterKey": "ScannerExternalId", "UsePreviousValue": True},
    ]


def test_a_hidden_parameter_is_handed_on_and_never_shown() -> None:
    prepared = script(made())
    before = existing(OrganizationId="o-a1b2c3d4e5", ScannerExternalId="****")
    proposed = propose(prepared, {"OrganizationId": "o-a1b2c3d4e5", "ScannerExternalId": CANARY}, before)
    assert proposed is not None
    assert proposed.parameters == (ParameterChange(name="ScannerExternalId", before=HIDDEN, after=HIDDEN),)
    assert CANARY not in repr(proposed)
    assert {"ParameterKey": "ScannerExternalId", "ParameterValue": CANARY} in prepared.calls["CreateChangeSet"][0][
        "Parameters"
    ]


@pytest.mark.parametrize("reason", [UNCHANGED, "No updates are to be performed."])
def test_no_changes_are_nothing_to_do_and_leave_no_change_set_behind(reason: str) -> None:
    prepared = script(made("FAILED", reason))
    assert propose(prepared, {}, existing()) is None
    assert prepared.calls["DeleteChangeSet"] == [{"ChangeSetName": CHANGE_SET, "StackName": ID}]
    assert prepared.calls["DeleteStack"] == []


def test_a_change_set_that_cannot_be_made_says_why_and_leaves_no_shell_behind() -> None:
    prepared = script(made("FAILED", "Parameter LogLevel failed\nto satisfy constraint"))
    with pytest.raises(Misconfigured, match="scanhub-hub cannot be changed: Parameter LogLevel failed to satisfy"):
        propose(prepared, {"LogLevel": "LOUD"})
    assert len(prepared.calls["DeleteChangeSet"]) == 1
    assert prepared.calls["DeleteStack"] == [{"StackName": ID}]


def test_a_shell_that_an_interruption_left_behind_is_created_not_updated() -> None:
    prepared = script(made())
    proposed = propose(prepared, {}, existing("REVIEW_IN_PROGRESS"))
    assert proposed is not None
    assert proposed.is_new
    assert prepared.calls["CreateChangeSet"][0]["ChangeSetType"] == "CREATE"


@pytest.mark.parametrize(("before", "deleted"), [(None, 1), (existing(), 0)])
def test_discarding_takes_the_shell_of_a_new_stack_along_and_nothing_else(before: Stack | None, deleted: int) -> None:
    prepared = script(made())
    proposed = propose(prepared, {}, before)
    assert proposed is not None
    change_set.discard(prepared.client, proposed)
    assert len(prepared.calls["DeleteChangeSet"]) == 1
    assert len(prepared.calls["DeleteStack"]) == deleted


def test_a_stack_that_somebody_else_makes_of_the_same_shell_meanwhile_is_not_deleted() -> None:
    prepared = script(made()).on("DescribeStacks", described("CREATE_IN_PROGRESS"))
    # CloudFormation deletes all other change sets when one is run.
    prepared.on("DeleteChangeSet", refusal("ChangeSetNotFound", f"ChangeSet [{CHANGE_SET}] does not exist"))
    proposed = propose(prepared, {})
    assert proposed is not None
    change_set.discard(prepared.client, proposed)
    assert prepared.calls["DeleteStack"] == []


def test_a_change_set_that_may_not_be_deleted_is_told() -> None:
    prepared = script(made()).on("DeleteChangeSet", refusal("AccessDenied", "not authorized"))
    proposed = propose(prepared, {})
    assert proposed is not None
    with pytest.raises(Misconfigured, match="deleting the change set for the stack scanhub-hub: AccessDenied"):
        change_set.discard(prepared.client, proposed)


def test_a_change_set_that_is_never_made_is_given_up() -> None:
    with pytest.raises(Unavailable, match="not made after 600 seconds"):
        propose(script(made("CREATE_IN_PROGRESS")), {})


def test_what_takes_something_away_is_told_apart() -> None:
    def one(action: str, replaces: str = "") -> bool:
        return ResourceChange(action=action, resource="Ledger", type="t", replaces=replaces).is_destructive

    assert [one("Add"), one("Modify", "False"), one("Dynamic")] == [False, False, False]
    assert [one("Remove"), one("Modify", "True"), one("Modify", "Conditional")] == [True, True, True]
    pages = made("CREATE_COMPLETE", "", change("Modify", "Ledger", "AWS::DynamoDB::Table", "Conditional"))
    proposed = propose(script(pages), {}, existing())
    assert proposed is not None
    assert proposed.resources[0].replaces == "Conditional"
