import boto3
import pytest

from infra.local import stacks
from infra.local.cloud import EmbeddedCloud
from infra.local.stacks import bring_up
from spoke.errors import Misconfigured, Unavailable
from tests.infra.script import Script, refusal
from tests.infra.test_stacks import ABSENT, FAILED_UPDATE, described


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "_PAUSE", 0.001)


def script() -> Script:
    created = {"StackId": described("CREATE_COMPLETE")["Stacks"][0]["StackId"]}
    return Script("cloudformation").on("CreateStack", created).on("UpdateStack", created)


def test_a_stack_is_created_where_there_is_none_and_updated_where_there_is_one() -> None:
    done = described("CREATE_COMPLETE", Outputs=[{"OutputKey": "BusArn", "OutputValue": "arn:bus"}])
    new = script().on("DescribeStacks", ABSENT, described("CREATE_IN_PROGRESS"), done)
    old = script().on("DescribeStacks", described("UPDATE_COMPLETE"))
    assert bring_up(new.client, "scanhub-hub", "hub.yaml", {"OrganizationId": "o-a"}) == {"BusArn": "arn:bus"}
    assert bring_up(old.client, "scanhub-hub", "hub.yaml", {}) == {}
    [call] = new.calls["CreateStack"]
    assert call["Parameters"] == [{"ParameterKey": "OrganizationId", "ParameterValue": "o-a"}]
    assert (len(new.calls["UpdateStack"]), len(old.calls["CreateStack"]), len(old.calls["UpdateStack"])) == (0, 0, 1)


def test_a_rollback_is_told_by_its_first_reason() -> None:
    failing = script().on("DescribeStacks", described("UPDATE_COMPLETE"), described("UPDATE_ROLLBACK_COMPLETE"))
    failing.on("DescribeStackEvents", {"StackEvents": FAILED_UPDATE})
    with pytest.raises(Misconfigured, match=r"ended as UPDATE_ROLLBACK_COMPLETE: Bus .*events:TagResource"):
        bring_up(failing.client, "scanhub-hub", "hub.yaml", {})


def test_a_rollback_without_events_is_told_all_the_same() -> None:
    failing = (
        script().on("DescribeStacks", described("ROLLBACK_COMPLETE")).on("DescribeStackEvents", {"StackEvents": []})
    )
    with pytest.raises(Misconfigured, match="ended as ROLLBACK_COMPLETE: no reason was given"):
        bring_up(failing.client, "scanhub-hub", "hub.yaml", {})


def test_nothing_to_update_is_no_error_and_any_other_refusal_is_one() -> None:
    there = described("CREATE_COMPLETE")
    unchanged = script().on("DescribeStacks", there)
    unchanged.on("UpdateStack", refusal("ValidationError", "No updates are to be performed."))
    assert bring_up(unchanged.client, "scanhub-hub", "hub.yaml", {}) == {}
    refused = script().on("DescribeStacks", there)
    refused.on("UpdateStack", refusal("ValidationError", "Stack is in DELETE_IN_PROGRESS"))
    with pytest.raises(
        Misconfigured, match=r"deploying the stack scanhub-hub of hub\.yaml: .*is in DELETE_IN_PROGRESS"
    ):
        bring_up(refused.client, "scanhub-hub", "hub.yaml", {})


def test_a_stack_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "_PATIENCE", 0.003)
    with pytest.raises(Unavailable, match=r"the stack scanhub-hub is not done after 0\.003 seconds"):
        bring_up(
            script().on("DescribeStacks", ABSENT, described("CREATE_IN_PROGRESS")).client, "scanhub-hub", "hub.yaml", {}
        )


def test_a_stack_that_somebody_deletes_meanwhile_is_said() -> None:
    with pytest.raises(Misconfigured, match="the stack scanhub-hub was deleted"):
        bring_up(
            script().on("DescribeStacks", described("CREATE_COMPLETE"), ABSENT).client, "scanhub-hub", "hub.yaml", {}
        )


def test_what_cloudformation_refuses_is_said() -> None:
    with EmbeddedCloud() as cloud:
        client = boto3.client("cloudformation", endpoint_url=cloud.endpoint)
        with pytest.raises(Misconfigured, match=r"deploying the stack incomplete of spoke\.yaml: .*HubBusArn"):
            bring_up(client, "incomplete", "spoke.yaml", {})
