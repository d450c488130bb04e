"""StackSets and single accounts as AWS answers for them, where the embedded cloud does not."""

from typing import Any

from botocore.stub import ANY

from hub.diagnosis import Verdict
from infra.doctor import spokes
from tests.infra.doctor.looking import ACCOUNT, REGION, CannedClients, canned, look, stack, told


def organization(clients: CannedClients, *, account: str = ACCOUNT, times: int = 1) -> None:
    for _ in range(times):
        clients.answer(
            "sts", "get_caller_identity", {"Account": account, "Arn": f"arn:aws:sts::{account}:assumed-role/Audit/me"}
        )
        clients.answer(
            "organizations",
            "describe_organization",
            {"Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": "111111111111", "FeatureSet": "ALL"}},
        )
        clients.answer(
            "organizations",
            "list_delegated_administrators",
            {"DelegatedAdministrators": [{"Id": ACCOUNT}]},
        )


def instance(account: str, region: str = REGION, **changes: Any) -> dict[str, Any]:
    return {
        "StackSetId": "scanhub-spoke:1f",
        "Account": account,
        "Region": region,
        "Status": "CURRENT",
        "StackInstanceStatus": {"DetailedStatus": "SUCCEEDED"},
        **changes,
    }


def no_own_spoke(clients: CannedClients) -> None:
    clients.refuse("cloudformation", "describe_stacks", "ValidationError", "Stack with id scanhub-spoke does not exist")


def stack_set_instances(clients: CannedClients, primary: list[Any], others: list[Any] | None = None) -> None:
    for name, summaries in (("scanhub-spoke", primary), ("scanhub-spoke-regions", others)):
        asked = {"StackSetName": name, "CallAs": "DELEGATED_ADMIN", "MaxResults": ANY}
        if summaries is None:
            clients.refuse("cloudformation", "list_stack_instances", "StackSetNotFoundException")
        else:
            clients.answer("cloudformation", "list_stack_instances", {"Summaries": summaries}, asked=asked)


def test_spokes_that_are_current_are_asked_for_once() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    stack_set_instances(
        clients, [instance("210000000001"), instance("210000000002")], [instance("210000000002", "us-east-1")]
    )
    hub = canned(clients)
    assert told(hub, "spoke-stacks") == [("ok", "2 accounts in eu-central-1, us-east-1")]
    assert spokes.targets(hub) == (("210000000001", "210000000002"), (REGION, "us-east-1"))
    clients.all_asked()


def test_a_spoke_that_is_behind_is_told_with_its_reason_also_in_the_other_regions() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    reason = "ResourceLogicalId:ForwardRule, ResourceStatusReason: explicit deny in a service control policy"
    behind = instance("210000000002", "us-east-1", Status="OUTDATED", StatusReason=reason)
    lame = instance("210000000002", "us-west-2", Status="INOPERABLE", StatusReason="User: nobody")
    stack_set_instances(clients, [instance("210000000001"), instance("210000000002")], [behind, lame])
    [check] = look(canned(clients), "spoke-stacks")
    assert (check.verdict, check.subject) == (Verdict.FAILED, "210000000002")
    assert check.reason == f"OUTDATED in us-east-1, us-west-2: {reason}"
    assert check.evidence == ("us-west-2: INOPERABLE User: nobody",)


def test_a_suspended_account_is_no_fault_and_one_under_way_a_warning() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    suspended: dict[str, Any] = {
        "Status": "OUTDATED",
        "StackInstanceStatus": {"DetailedStatus": "SKIPPED_SUSPENDED_ACCOUNT"},
    }
    stack_set_instances(clients, [instance("210000000001"), instance("210000000002", **suspended)])
    hub = canned(clients)
    assert told(hub, "spoke-stacks") == [("ok", f"2 accounts in {REGION}; 1 of them suspended")]
    assert spokes.targets(hub) == (("210000000001",), (REGION,))
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    running: dict[str, Any] = {"Status": "OUTDATED", "StackInstanceStatus": {"DetailedStatus": "RUNNING"}}
    stack_set_instances(clients, [instance("210000000001", **running)])
    assert told(canned(clients), "spoke-stacks") == [("warning", f"being deployed in {REGION}")]


def test_no_stack_set_and_one_that_may_not_be_seen() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    clients.refuse("cloudformation", "list_stack_instances", "StackSetNotFoundException")
    clients.refuse("cloudformation", "list_stack_instances", "StackSetNotFoundException")
    assert told(canned(clients), "spoke-stacks")[0][0] == "failed"
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    clients.refuse("cloudformation", "list_stack_instances", "ValidationError", "You must be a delegated admin")
    [(verdict, reason)] = told(canned(clients), "spoke-stacks")
    assert (verdict, "You must be a delegated admin" in reason) == ("unknown", True)


def test_a_single_account_needs_no_stack_set() -> None:
    clients = CannedClients()
    clients.answer("cloudformation", "describe_stacks", {"Stacks": [stack("scanhub-spoke")]})
    organization(clients)
    for _ in spokes.STACK_SETS:
        clients.refuse("cloudformation", "list_stack_instances", "StackSetNotFoundException")
    hub = canned(clients)
    [check] = look(hub, "spoke-stacks")
    assert (check.verdict, check.subject) == (Verdict.OK, "scanhub-spoke")
    assert told(hub, "spoke-accounts") == [("ok", "hub and spoke share this account; there is no StackSet")]
    assert spokes.targets(hub) == ((ACCOUNT,), (REGION,))


def test_a_single_account_that_may_not_ask_for_stack_sets_needs_none_either() -> None:
    clients = CannedClients()
    broken = stack("scanhub-spoke", StackStatus="UPDATE_ROLLBACK_FAILED", StackStatusReason="no")
    clients.answer("cloudformation", "describe_stacks", {"Stacks": [broken]})
    organization(clients)
    # What was refused is asked again, the organization is not.
    for _ in range(3):
        clients.refuse("cloudformation", "list_stack_instances", "ValidationError", "You must be a delegated admin")
    hub = canned(clients)
    assert told(hub, "spoke-stacks") == [("failed", "UPDATE_ROLLBACK_FAILED: no")]
    assert told(hub, "spoke-accounts")[0][0] == "ok"
    assert spokes.targets(hub) == ((ACCOUNT,), (REGION,))
    clients.all_asked()


def test_an_account_without_a_spoke_and_one_without_a_region() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    stack_set_instances(
        clients, [instance("210000000001"), instance("210000000004")], [instance("210000000001", "us-east-1")]
    )
    accounts = [
        {"Id": one, "Name": name, "Status": status}
        for one, name, status in (
            ("111111111111", "management", "ACTIVE"),
            ("210000000001", "shop", "ACTIVE"),
            ("210000000002", "billing", "ACTIVE"),
            ("210000000003", "closed", "SUSPENDED"),
            ("210000000004", "joined", "ACTIVE"),
        )
    ]
    clients.answer("organizations", "list_accounts", {"Accounts": accounts})
    checks = look(canned(clients), "spoke-accounts")
    assert [(check.verdict, check.subject, check.reason) for check in checks] == [
        (Verdict.WARNING, "210000000002", "billing has no spoke"),
        (Verdict.WARNING, "210000000004", "joined has no spoke in us-east-1"),
    ]
