from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local import stacks
from infra.local.cloud import EmbeddedCloud
from infra.local.stacks import bring_up
from spoke.errors import Misconfigured, Unavailable


class Stacks:
    """CloudFormation with one stack, in the states given one after the other; None: it is not there."""

    def __init__(self, *states: str | None, refusal: str = "", events: bool = True) -> None:
        self._states = list(states)
        self._refusal = refusal
        self._events = events
        self.calls: list[str] = []

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        if state is None:
            message = "Stack with id hub does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": state}]}

    def create_stack(self, **_: str) -> None:
        self.calls.append("create")

    def update_stack(self, **_: str) -> None:
        self.calls.append("update")
        if self._refusal:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": self._refusal}}, "UpdateStack")

    def describe_stack_events(self, **_: str) -> dict[str, Any]:
        if not self._events:
            return {"StackEvents": []}
        return {
            "StackEvents": [
                {"LogicalResourceId": "Hub", "ResourceStatus": "ROLLBACK_COMPLETE"},
                {"LogicalResourceId": "Bus", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "cancelled"},
                {"LogicalResourceId": "Key", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "over limit"},
            ]
        }


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "_PAUSE", 0)


def test_a_stack_is_created_where_there_is_none_and_updated_where_there_is_one() -> None:
    new, old = Stacks(None, "CREATE_IN_PROGRESS", "CREATE_COMPLETE"), Stacks("UPDATE_COMPLETE")
    for client in (new, old):
        assert bring_up(client, "hub", "hub.yaml", {}) == {}
    assert (new.calls, old.calls) == (["create"], ["update"])


def test_a_rollback_is_told_by_its_first_reason() -> None:
    failing = Stacks("ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE")
    with pytest.raises(Misconfigured, match="the stack hub ended as ROLLBACK_COMPLETE: Key: over limit"):
        bring_up(failing, "hub", "hub.yaml", {})


def test_a_rollback_without_events_is_told_all_the_same() -> None:
    with pytest.raises(Misconfigured, match="ended as ROLLBACK_COMPLETE: no reason was given"):
        bring_up(Stacks("ROLLBACK_COMPLETE", events=False), "hub", "hub.yaml", {})


def test_nothing_to_update_is_no_error_and_any_other_refusal_is_one() -> None:
    unchanged = Stacks("CREATE_COMPLETE", refusal="No updates are to be performed.")
    assert bring_up(unchanged, "hub", "hub.yaml", {}) == {}
    with pytest.raises(Misconfigured, match=r"deploying the stack hub of hub\.yaml: .*is in DELETE_IN_PROGRESS"):
        bring_up(Stacks("CREATE_COMPLETE", refusal="Stack is in DELETE_IN_PROGRESS"), "hub", "hub.yaml", {})


def test_a_stack_that_may_not_be_seen_is_not_taken_for_a_missing_one() -> None:
    class Closed(Stacks):
        def describe_stacks(self, **_: str) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "DescribeStacks")

    client = Closed("CREATE_COMPLETE")
    with pytest.raises(Misconfigured, match=r"not authorized"):
        bring_up(client, "hub", "hub.yaml", {})
    assert client.calls == []


def test_a_stack_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "_PATIENCE", 0.01)
    with pytest.raises(Unavailable, match=r"the stack hub is not done after 0\.01 seconds"):
        bring_up(Stacks(None, "CREATE_IN_PROGRESS"), "hub", "hub.yaml", {})


def test_a_stack_that_somebody_deletes_meanwhile_is_said() -> None:
    with pytest.raises(Misconfigured, match="the stack hub was deleted"):
        bring_up(Stacks("CREATE_COMPLETE", None), "hub", "hub.yaml", {})


def test_what_cloudformation_refuses_is_said() -> None:
    with EmbeddedCloud() as cloud:
        client = boto3.client("cloudformation", endpoint_url=cloud.endpoint)
        with pytest.raises(Misconfigured, match=r"deploying the stack incomplete of spoke\.yaml: .*HubBusArn"):
            bring_up(client, "incomplete", "spoke.yaml", {})
