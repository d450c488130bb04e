from datetime import UTC, datetime
from typing import Any

import pytest

from infra import stacks
from infra.stacks import Failure
from spoke.errors import Misconfigured, Unavailable
from tests.infra.rollout.recording import Pauses
from tests.infra.script import Script, refusal

ID = "arn:aws:cloudformation:eu-central-1:123456789012:stack/scanhub-hub/6e3b1c00-c8a1-11f0-9d3c-0a5f7c1b2d3e"
ABSENT = refusal("ValidationError", "Stack with id scanhub-hub does not exist")


def described(status: str, **more: Any) -> dict[str, Any]:
    """An answer of DescribeStacks."""
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return {"Stacks": [{"StackId": ID, "StackName": "scanhub-hub", "CreationTime": at, "StackStatus": status, **more}]}


def event(number: int, resource: str, kind: str, status: str, reason: str = "") -> dict[str, Any]:
    """An event as DescribeStackEvents shows it."""
    own = kind == "AWS::CloudFormation::Stack"
    return {
        "StackId": ID,
        "EventId": f"{resource}-{number}",
        "StackName": "scanhub-hub",
        "LogicalResourceId": resource,
        "PhysicalResourceId": ID if own else "",
        "ResourceType": kind,
        "Timestamp": datetime(2026, 11, 22, 4, 0, number, tzinfo=UTC),
        "ResourceStatus": status,
        **({"ResourceStatusReason": reason} if reason else {}),
    }


STACK = "AWS::CloudFormation::Stack"
FAILED_UPDATE = [
    event(9, "scanhub-hub", STACK, "UPDATE_ROLLBACK_COMPLETE"),
    event(
        8, "scanhub-hub", STACK, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Bus]. "
    ),
    event(7, "Topic", "AWS::SNS::Topic", "UPDATE_FAILED", "Resource update cancelled"),
    event(6, "Bus", "AWS::Events::EventBus", "UPDATE_FAILED", "User is not authorized\nto perform: events:TagResource"),
    event(5, "Bus", "AWS::Events::EventBus", "UPDATE_IN_PROGRESS"),
    event(4, "scanhub-hub", STACK, "UPDATE_IN_PROGRESS", "User Initiated"),
    event(3, "scanhub-hub", STACK, "CREATE_COMPLETE"),
    event(2, "Role", "AWS::IAM::Role", "CREATE_FAILED", "of an earlier day"),
    event(1, "scanhub-hub", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
]
SUCCEEDED = [
    event(3, "scanhub-hub", STACK, "CREATE_COMPLETE"),
    event(2, "Role", "AWS::IAM::Role", "CREATE_COMPLETE"),
    event(1, "scanhub-hub", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
]


def test_a_stack_is_described_with_what_it_says_of_itself() -> None:
    answer = described(
        "UPDATE_COMPLETE",
        Outputs=[{"OutputKey": "BusArn", "OutputValue": "arn:bus"}],
        Parameters=[{"ParameterKey": "ScannerExternalId", "ParameterValue": "****"}],
        Tags=[{"Key": "team", "Value": "security"}],
        EnableTerminationProtection=True,
    )
    client = Script("cloudformation").on("DescribeStacks", answer).client
    stack = stacks.describe(client, "scanhub-hub")
    assert stack is not None
    assert (stack.id, stack.name, stack.status, stack.reason) == (ID, "scanhub-hub", "UPDATE_COMPLETE", "")
    assert dict(stack.outputs) == {"BusArn": "arn:bus"}
    assert dict(stack.parameters) == {"ScannerExternalId": "****"}
    assert dict(stack.tags) == {"team": "security"}
    assert stack.is_protected
    assert stacks.outputs(client, "scanhub-hub") == stack.outputs


def test_a_stack_that_is_not_there_is_none_and_one_that_may_not_be_seen_is_refused() -> None:
    client = Script("cloudformation").on("DescribeStacks", ABSENT).client
    assert stacks.describe(client, "scanhub-hub") is None
    assert stacks.outputs(client, "scanhub-hub") is None
    denied = refusal("AccessDenied", "User: arn:aws:iam::123456789012:user/x is not authorized")
    with pytest.raises(Misconfigured, match=r"describing the stack scanhub-hub: AccessDenied: .* not authorized"):
        stacks.describe(Script("cloudformation").on("DescribeStacks", denied).client, "scanhub-hub")


def test_the_first_failure_is_of_the_latest_operation_and_not_one_that_followed_from_it() -> None:
    # Two pages: AWS sends the newest first.
    pages: list[dict[str, Any]] = [
        {"StackEvents": FAILED_UPDATE[:3], "NextToken": "more"},
        {"StackEvents": FAILED_UPDATE[3:]},
    ]
    client = Script("cloudformation").on("DescribeStackEvents", *pages).client
    first = stacks.first_failure(client, ID)
    assert first == Failure(
        resource="Bus", type="AWS::Events::EventBus", reason="User is not authorized to perform: events:TagResource"
    )
    assert str(first) == "Bus (AWS::Events::EventBus): User is not authorized to perform: events:TagResource"


def test_a_stack_without_a_failure_has_none() -> None:
    client = Script("cloudformation").on("DescribeStackEvents", {"StackEvents": SUCCEEDED}).client
    assert stacks.first_failure(client, ID) is None


def test_a_stack_in_progress_is_looked_at_until_it_is_done() -> None:
    pauses, looks = Pauses(), []
    states = ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE")
    client = Script("cloudformation").on("DescribeStacks", *map(described, states)).client
    stack = stacks.finished(client, ID, patience=60, pause=3, sleep=pauses, progress=lambda: looks.append(1))
    assert stack is not None
    assert stack.status == "UPDATE_COMPLETE"
    assert pauses == [3, 3]
    assert len(looks) == 3


def test_a_shell_of_a_stack_is_not_in_progress_and_a_deleted_one_is_none() -> None:
    shell = Script("cloudformation").on("DescribeStacks", described("REVIEW_IN_PROGRESS")).client
    stack = stacks.finished(shell, ID, patience=60, pause=3, sleep=Pauses())
    assert stack is not None
    assert stack.status == "REVIEW_IN_PROGRESS"
    gone = Script("cloudformation").on("DescribeStacks", described("DELETE_IN_PROGRESS"), ABSENT).client
    assert stacks.finished(gone, ID, patience=60, pause=3, sleep=Pauses()) is None


def test_a_stack_that_never_ends_is_given_up_and_goes_on_by_itself() -> None:
    pauses = Pauses()
    client = Script("cloudformation").on("DescribeStacks", described("CREATE_IN_PROGRESS")).client
    with pytest.raises(Unavailable, match=r"not done after 60 seconds; it goes on by itself"):
        stacks.finished(client, "scanhub-hub", patience=60, pause=3, sleep=pauses)
    assert len(pauses) == 19


def test_the_templates_are_where_the_package_is() -> None:
    for name in ("hub.yaml", "hub-network.yaml", "hub-monitoring.yaml", "spoke.yaml"):
        text = stacks.template_text(name)
        assert text.startswith("AWSTemplateFormatVersion")
        # What CloudFormation takes as TemplateBody.
        assert len(text.encode()) <= 51_200


def test_what_was_cancelled_in_the_same_moment_is_not_the_reason() -> None:
    listed = [
        event(6, "Bus", "AWS::Events::EventBus", "CREATE_FAILED", "over limit"),
        event(6, "Topic", "AWS::SNS::Topic", "CREATE_FAILED", "Resource creation cancelled"),
        event(4, "scanhub-hub", STACK, "CREATE_IN_PROGRESS", "User Initiated"),
    ]
    client = Script("cloudformation").on("DescribeStackEvents", {"StackEvents": listed}).client
    assert str(stacks.first_failure(client, ID)) == "Bus (AWS::Events::EventBus): over limit"
