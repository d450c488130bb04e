"""What becomes of stacks in states that the embedded cloud does not show."""

from typing import Any

import pytest

from infra import stacks
from infra.rollout.deployment import Deployment, StackFailed
from infra.rollout.operator import Declined
from spoke.errors import Misconfigured
from tests.infra.rollout.recording import Pauses, Recording
from tests.infra.rollout.test_change_set import CHANGE_SET, change, made
from tests.infra.script import Script, refusal
from tests.infra.test_stacks import ABSENT, FAILED_UPDATE, ID, STACK, described, event

FAILED_CREATION = [
    event(9, "scanhub-hub", STACK, "ROLLBACK_COMPLETE"),
    event(5, "TaskRole", "AWS::IAM::Role", "CREATE_FAILED", "Role with name scanhub-worker already exists."),
    event(1, "scanhub-hub", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
]


def script(*states: dict[str, Any] | Exception) -> Script:
    """CloudFormation with a stack that goes through these states, and a change set for it."""
    prepared = Script("cloudformation").on("DescribeStacks", *states)
    prepared.on("DescribeStackEvents", {"StackEvents": []})
    prepared.on("GetTemplateSummary", {"Parameters": [{"ParameterKey": "OrganizationId", "NoEcho": False}]})
    prepared.on("CreateChangeSet", {"Id": CHANGE_SET, "StackId": ID})
    prepared.on("DescribeChangeSet", made("CREATE_COMPLETE", "", change("Modify", "Bus", "AWS::Events::EventBus")))
    for operation in ("ExecuteChangeSet", "DeleteChangeSet", "DeleteStack"):
        prepared.on(operation, {})
    return prepared.on("UpdateTerminationProtection", {"StackId": ID})


def deploy(
    prepared: Script, operator: Recording | None = None, *, dry_run: bool = False, protect: bool = False
) -> None:
    deployment = Deployment(operator=operator or Recording(), dry_run=dry_run, sleep=Pauses())
    deployment.stack(prepared.client, "scanhub-hub", "hub.yaml", {"OrganizationId": "o-a"}, protect=protect)


def test_a_failed_update_tells_the_first_reason_and_what_to_do() -> None:
    prepared = script(described("UPDATE_COMPLETE"), described("UPDATE_COMPLETE"), described("UPDATE_ROLLBACK_COMPLETE"))
    prepared.on("DescribeStackEvents", {"StackEvents": FAILED_UPDATE[6:]}, {"StackEvents": FAILED_UPDATE})
    operator = Recording()
    with pytest.raises(StackFailed) as caught:
        deploy(prepared, operator)
    assert caught.value.text == (
        "the stack scanhub-hub ended as UPDATE_ROLLBACK_COMPLETE: Bus (AWS::Events::EventBus): User is not authorized "
        "to perform: events:TagResource; whoever deploys lacks this permission: docs/rollout.md lists what is needed"
    )
    # Every event of this operation once, the oldest first, and none of an earlier day.
    assert [step.status for step in operator.steps] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        "UPDATE_FAILED",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert [step.has_failed for step in operator.steps] == [False, False, True, True, False, False]


# UPDATE_FAILED: somebody has updated it by hand, and switched the rollback off.
@pytest.mark.parametrize("state", ["UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "IMPORT_ROLLBACK_COMPLETE"])
def test_a_stack_whose_update_failed_is_updated_again(state: str) -> None:
    prepared = script(described(state), described(state), described("UPDATE_COMPLETE"))
    deploy(prepared)
    assert len(prepared.calls["ExecuteChangeSet"]) == 1


def test_a_stack_that_is_being_changed_is_awaited_first() -> None:
    prepared = script(described("UPDATE_IN_PROGRESS"), described("UPDATE_IN_PROGRESS"), described("UPDATE_COMPLETE"))
    operator = Recording()
    deploy(prepared, operator)
    assert operator.lines[0] == "stack scanhub-hub: UPDATE_IN_PROGRESS; waiting until that has ended"
    assert prepared.calls["CreateChangeSet"][0]["ChangeSetType"] == "UPDATE"


def test_the_waiting_outlives_a_moment_in_which_aws_cannot_be_reached() -> None:
    prepared = script(
        described("UPDATE_COMPLETE"),
        described("UPDATE_COMPLETE"),
        refusal("ServiceUnavailable", "Service is unavailable"),
        refusal("Throttling", "Rate exceeded"),
        described("UPDATE_COMPLETE"),
    )
    operator = Recording()
    deploy(prepared, operator)
    assert operator.lines == ["stack scanhub-hub: UPDATE_COMPLETE"]
    assert len(prepared.calls["DescribeStacks"]) == 5


def test_what_is_left_of_a_failed_creation_is_deleted_once_agreed_to() -> None:
    prepared = script(
        described("ROLLBACK_COMPLETE"), ABSENT, described("REVIEW_IN_PROGRESS"), described("CREATE_COMPLETE")
    )
    prepared.on("DescribeStackEvents", {"StackEvents": FAILED_CREATION})
    operator = Recording()
    deploy(prepared, operator)
    assert "TaskRole (AWS::IAM::Role): Role with name scanhub-worker already exists." in operator.warnings[0]
    assert operator.questions[0] == "Delete what is left of the stack scanhub-hub?"
    assert prepared.calls["DeleteStack"] == [{"StackName": ID}]
    assert prepared.calls["CreateChangeSet"][0]["ChangeSetType"] == "CREATE"


def test_what_is_left_of_a_failed_creation_stays_unless_agreed_to() -> None:
    prepared = script(described("ROLLBACK_COMPLETE")).on("DescribeStackEvents", {"StackEvents": FAILED_CREATION})
    with pytest.raises(Declined):
        deploy(prepared, Recording(agreeing=False))
    with pytest.raises(Misconfigured, match="has to be deleted before anything can be shown"):
        deploy(prepared, dry_run=True)
    assert prepared.calls["DeleteStack"] == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (
            "UPDATE_ROLLBACK_FAILED",
            "continue-update-rollback --stack-name scanhub-hub --region eu-central-1",
        ),
        ("DELETE_FAILED", "in the state DELETE_FAILED .* scanhub rollout remove"),
        ("IMPORT_ROLLBACK_FAILED", "scanhub rollout remove"),
    ],
)
def test_a_stack_that_a_person_must_mend_is_left_alone(state: str, words: str) -> None:
    prepared = script(described(state, StackStatusReason="Bus is in use"))
    with pytest.raises(Misconfigured, match=words) as caught:
        deploy(prepared)
    assert "Bus is in use" in caught.value.text
    assert prepared.calls["CreateChangeSet"] == []


def test_a_stack_is_protected_once() -> None:
    prepared = script(described("UPDATE_COMPLETE"))
    deploy(prepared, protect=True)
    assert prepared.calls["UpdateTerminationProtection"] == [
        {"StackName": "scanhub-hub", "EnableTerminationProtection": True}
    ]
    protected = script(described("UPDATE_COMPLETE", EnableTerminationProtection=True))
    deploy(protected, protect=True)
    deploy(script(described("UPDATE_COMPLETE")), dry_run=True, protect=True)
    assert protected.calls["UpdateTerminationProtection"] == []


def test_a_stack_that_cannot_be_deleted_tells_why() -> None:
    prepared = script(described("UPDATE_COMPLETE"), described("DELETE_FAILED"))
    prepared.on(
        "DescribeStackEvents",
        {"StackEvents": []},
        {"StackEvents": [event(7, "Vpc", "AWS::EC2::VPC", "DELETE_FAILED", "The vpc has dependencies")]},
    )
    stack = stacks.describe(prepared.client, "scanhub-hub")
    assert stack is not None
    deployment = Deployment(operator=Recording(), sleep=Pauses())
    with pytest.raises(StackFailed, match=r"ended as DELETE_FAILED: Vpc \(AWS::EC2::VPC\): The vpc has dependencies"):
        deployment.delete(prepared.client, stack)


def test_a_stack_deleted_by_its_id_is_gone_when_cloudformation_says_so() -> None:
    prepared = script(described("UPDATE_COMPLETE"), described("DELETE_IN_PROGRESS"), described("DELETE_COMPLETE"))
    stack = stacks.describe(prepared.client, "scanhub-hub")
    assert stack is not None
    Deployment(operator=Recording(), sleep=Pauses()).delete(prepared.client, stack)
    assert prepared.calls["DeleteStack"] == [{"StackName": ID}]


def test_a_stack_that_somebody_deletes_meanwhile_is_said() -> None:
    with pytest.raises(Misconfigured, match="was deleted while it was deployed"):
        deploy(script(described("UPDATE_COMPLETE"), described("UPDATE_COMPLETE"), ABSENT))


def test_progress_that_cannot_be_read_does_not_stop_the_rollout() -> None:
    prepared = script(described("UPDATE_COMPLETE"))
    prepared.on("DescribeStackEvents", {"StackEvents": []}, refusal("Throttling", "Rate exceeded"))
    operator = Recording()
    deploy(prepared, operator)
    assert operator.lines[-1] == "stack scanhub-hub: UPDATE_COMPLETE"
