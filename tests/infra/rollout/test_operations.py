from datetime import UTC, datetime
from typing import Any

import pytest

from infra.rollout.operations import OperationFailed, Operations, Result, failure
from spoke.errors import Misconfigured, Unavailable
from tests.infra.rollout.recording import Pauses, Recording
from tests.infra.script import Script, refusal

OPERATION = "7e1c2d3b-0f5a-4f0f-9a51-3f6f3b1f6d11"
AT = datetime(2026, 11, 22, tzinfo=UTC)


def state(status: str, reason: str = "") -> dict[str, Any]:
    own = {"OperationId": OPERATION, "Action": "CREATE", "Status": status, "CreationTimestamp": AT}
    return {"StackSetOperation": {**own, **({"StatusReason": reason} if reason else {})}}


def results(*rows: tuple[str, str, str], more: bool = False) -> dict[str, Any]:
    listed = [
        {"Account": account, "Region": "eu-central-1", "Status": status, **({"StatusReason": reason} if reason else {})}
        for account, status, reason in rows
    ]
    return {"Summaries": listed, **({"NextToken": "more"} if more else {})}


def script() -> Script:
    return Script("cloudformation").on("CreateStackInstances", {"OperationId": OPERATION})


def operations(prepared: Script, operator: Recording, pauses: Pauses) -> Operations:
    return Operations(
        client=prepared.client, name="scanhub-spoke", call_as="DELEGATED_ADMIN", operator=operator, sleep=pauses
    )


def run(prepared: Script, operator: Recording, pauses: Pauses) -> tuple[Result, ...]:
    return operations(prepared, operator, pauses).run(
        "deploying", "create_stack_instances", Regions=["eu-central-1"], Accounts=["210000000001"]
    )


def test_each_account_is_told_as_it_moves_and_only_then() -> None:
    prepared, operator, pauses = script(), Recording(), Pauses()
    prepared.on("DescribeStackSetOperation", state("QUEUED"), state("RUNNING"), state("RUNNING"), state("SUCCEEDED"))
    done = results(("210000000001", "SUCCEEDED", ""), ("210000000002", "SUCCEEDED", ""))
    prepared.on(
        "ListStackSetOperationResults",
        results(),
        results(("210000000001", "RUNNING", ""), ("210000000002", "PENDING", "")),
        results(("210000000001", "RUNNING", ""), more=True),
        results(("210000000002", "RUNNING", "")),
        done,
    )
    run(prepared, operator, pauses)
    assert [(step.where, step.status) for step in operator.steps] == [
        ("210000000001 eu-central-1", "RUNNING"),
        ("210000000002 eu-central-1", "RUNNING"),
        ("210000000001 eu-central-1", "SUCCEEDED"),
        ("210000000002 eu-central-1", "SUCCEEDED"),
    ]
    assert len(pauses) == 3
    assert min(pauses) >= 5
    assert all(call["CallAs"] == "DELEGATED_ADMIN" for calls in prepared.calls.values() for call in calls)


def test_a_failure_names_the_account_the_reason_and_what_to_do() -> None:
    prepared, operator = script(), Recording()
    prepared.on("DescribeStackSetOperation", state("FAILED"))
    reason = (
        "ResourceLogicalId:SpokeRole, ResourceType:AWS::IAM::Role, "
        "ResourceStatusReason:Role with name scanhub-spoke already exists."
    )
    prepared.on(
        "ListStackSetOperationResults",
        results(
            ("210000000001", "CANCELLED", "Cancelled since failure tolerance has exceeded"),
            ("210000000002", "FAILED", reason),
            ("210000000003", "SUCCEEDED", ""),
        ),
    )
    with pytest.raises(OperationFailed) as caught:
        run(prepared, operator, Pauses())
    assert (
        "deploying ended as FAILED; 210000000002 eu-central-1: FAILED: ResourceLogicalId:SpokeRole" in caught.value.text
    )
    assert "(and 1 more)" in caught.value.text
    lines = caught.value.detail.splitlines()
    assert [line.split()[0] for line in lines] == ["210000000002", "210000000001"]
    assert "delete or rename it" in lines[0]
    assert "--failure-tolerance" in lines[1]


def test_a_failure_within_the_tolerance_is_handed_back_and_stops_nothing() -> None:
    operator = Recording()
    prepared = script().on("DescribeStackSetOperation", state("SUCCEEDED"))
    prepared.on(
        "ListStackSetOperationResults",
        results(("210000000001", "FAILED", "Account 210000000001 is suspended"), ("210000000002", "SUCCEEDED", "")),
    )
    [failed] = run(prepared, operator, Pauses())
    assert (failed.account, failed.status) == ("210000000001", "FAILED")
    assert operator.lines[-1] == "stack set scanhub-spoke: deploying: SUCCEEDED, but for 1 accounts and regions"


def test_many_failures_are_counted_and_the_first_ones_told() -> None:
    many = [
        Result(account=f"2100{number:08}", region="eu-central-1", status="FAILED", reason="x") for number in range(25)
    ]
    error = failure("not all were reached", many)
    assert error.text == "not all were reached; 210000000000 eu-central-1: FAILED: x (and 24 more)"
    assert len(error.detail.splitlines()) == 11
    assert error.detail.endswith("and 15 more: scanhub rollout status names them")


@pytest.mark.parametrize("busy", ["OperationInProgressException", "StaleRequestException"])
def test_what_somebody_else_begins_in_between_is_awaited_and_ours_is_begun_again(busy: str) -> None:
    other = "11111111-0f5a-4f0f-9a51-3f6f3b1f6d11"
    prepared = Script("cloudformation")
    prepared.on("CreateStackInstances", refusal(busy, "Another Operation"), {"OperationId": OPERATION})
    prepared.on("ListStackSetOperations", {"Summaries": [{"OperationId": other, "Status": "RUNNING"}]})
    prepared.on("DescribeStackSetOperation", state("SUCCEEDED"))
    prepared.on("ListStackSetOperationResults", results())
    assert run(prepared, Recording(), Pauses()) == ()
    awaited = [call["OperationId"] for call in prepared.calls["DescribeStackSetOperation"]]
    assert awaited == [other, OPERATION]
    assert len(prepared.calls["CreateStackInstances"]) == 2


def test_who_never_gets_a_turn_says_so() -> None:
    prepared, pauses = Script("cloudformation"), Pauses()
    prepared.on("CreateStackInstances", refusal("OperationInProgressException", "Another Operation"))
    prepared.on("ListStackSetOperations", {"Summaries": []})
    with pytest.raises(Unavailable, match="others keep working on it"):
        run(prepared, Recording(), pauses)
    assert len(pauses) == 5


def test_the_waiting_outlives_a_moment_in_which_aws_cannot_be_reached() -> None:
    prepared = script().on(
        "DescribeStackSetOperation",
        state("RUNNING"),
        refusal("ServiceUnavailable", "Service is unavailable"),
        refusal("Throttling", "Rate exceeded"),
        state("SUCCEEDED"),
    )
    prepared.on("ListStackSetOperationResults", results(("210000000001", "SUCCEEDED", "")))
    assert run(prepared, Recording(), Pauses()) == ()


def test_who_may_not_look_does_not_wait_for_a_day() -> None:
    prepared = script().on("DescribeStackSetOperation", refusal("ExpiredToken", "The security token is expired"))
    with pytest.raises(Misconfigured, match="ExpiredToken"):
        run(prepared, Recording(), Pauses())


def test_an_operation_that_reached_nobody_tells_aws_s_own_reason() -> None:
    prepared = script().on("DescribeStackSetOperation", state("STOPPED", "stopped by a user"))
    prepared.on("ListStackSetOperationResults", results())
    with pytest.raises(OperationFailed, match="ended as STOPPED; stopped by a user"):
        run(prepared, Recording(), Pauses())


def test_an_operation_that_an_interruption_left_running_is_awaited_first() -> None:
    other = "11111111-0f5a-4f0f-9a51-3f6f3b1f6d11"
    prepared, operator = script(), Recording()
    prepared.on(
        "ListStackSetOperations",
        {"Summaries": [{"OperationId": OPERATION, "Status": "SUCCEEDED"}], "NextToken": "more"},
        {"Summaries": [{"OperationId": other, "Status": "RUNNING"}]},
    )
    prepared.on("DescribeStackSetOperation", state("RUNNING"), state("FAILED"))
    prepared.on("ListStackSetOperationResults", results(("210000000001", "RUNNING", "")))
    assert operations(prepared, operator, Pauses()).settle()
    assert [call["OperationId"] for call in prepared.calls["DescribeStackSetOperation"]] == [other, other]
    assert operator.lines == [f"stack set scanhub-spoke: the operation {other} runs already; waiting until it ends"]


def test_what_aws_refuses_is_said() -> None:
    prepared = script().on("CreateStackInstances", refusal("StackSetNotFoundException", "StackSet not found"))
    with pytest.raises(Misconfigured, match="deploying of the stack set scanhub-spoke: StackSetNotFoundException"):
        run(prepared, Recording(), Pauses())


def test_many_results_are_looked_at_less_often() -> None:
    prepared, pauses = script(), Pauses()
    many = results(*((f"2100{number:08}", "RUNNING", "") for number in range(4000)))
    prepared.on("ListStackSetOperationResults", many)
    prepared.on("DescribeStackSetOperation", state("RUNNING"), state("RUNNING"), state("STOPPED"))
    with pytest.raises(OperationFailed):
        run(prepared, Recording(), pauses)
    assert pauses == [45, 45]


def test_a_result_is_ordered_by_its_place() -> None:
    one, two = (Result(account=account, region="eu-central-1", status="FAILED") for account in ("1", "2"))
    assert sorted([two, one]) == [one, two]
