from typing import Any

import pytest

from infra import stack_sets
from infra.organization import Organization
from infra.stack_sets import Instance
from spoke.errors import Misconfigured
from tests.infra.script import Script, refusal

ABSENT = refusal("StackSetNotFoundException", "StackSet scanhub-spoke not found")
ARN = "arn:aws:cloudformation:eu-central-1:111111111111:stackset/scanhub-spoke:0f5a1d0e-6f0d-4f0f-9a51-3f6f3b1f6d11"


def described(**more: Any) -> dict[str, Any]:
    """An answer of DescribeStackSet."""
    own = {
        "StackSetName": "scanhub-spoke",
        "StackSetId": "scanhub-spoke:0f5a1d0e-6f0d-4f0f-9a51-3f6f3b1f6d11",
        "StackSetARN": ARN,
        "Description": "scanhub, the spokes (external id 11111111-aaaa)",
        "Status": "ACTIVE",
        "TemplateBody": "Resources: {}",
        "Parameters": [
            {"ParameterKey": "RoleRegion", "ParameterValue": "eu-central-1"},
            {"ParameterKey": "ScannerExternalId", "ParameterValue": "****"},
        ],
        "Tags": [],
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "OrganizationalUnitIds": ["r-ab12"],
        "ManagedExecution": {"Active": True},
        "Regions": ["eu-central-1"],
    }
    return {"StackSet": {**own, **more}}


def summary(
    account: str, region: str, status: str = "CURRENT", detailed: str = "SUCCEEDED", reason: str = ""
) -> dict[str, Any]:
    """An instance as ListStackInstances shows it."""
    return {
        "StackSetId": "scanhub-spoke:0f5a1d0e",
        "Account": account,
        "Region": region,
        "StackId": f"arn:aws:cloudformation:{region}:{account}:stack/StackSet-scanhub-spoke-1f/2e",
        "Status": status,
        "StackInstanceStatus": {"DetailedStatus": detailed},
        "OrganizationalUnitId": "ou-ab12-cd34ef56",
        **({"StatusReason": reason} if reason else {}),
    }


def test_a_stack_set_is_described_with_what_it_says_of_itself() -> None:
    script = Script("cloudformation").on("DescribeStackSet", described())
    found = stack_sets.describe(script.client, "scanhub-spoke", "DELEGATED_ADMIN")
    assert found is not None
    assert (found.name, found.arn, found.organizational_units) == ("scanhub-spoke", ARN, ("r-ab12",))
    assert dict(found.parameters) == {"RoleRegion": "eu-central-1", "ScannerExternalId": "****"}
    assert (found.regions, found.is_service_managed, found.auto_deploys, found.is_managed_execution) == (
        ("eu-central-1",),
        True,
        True,
        True,
    )
    assert script.calls["DescribeStackSet"] == [{"StackSetName": "scanhub-spoke", "CallAs": "DELEGATED_ADMIN"}]


def test_one_that_is_not_there_is_none_and_one_that_may_not_be_seen_is_refused() -> None:
    gone = Script("cloudformation").on("DescribeStackSet", ABSENT).on("ListStackInstances", ABSENT).client
    assert stack_sets.describe(gone, "scanhub-spoke", "SELF") is None
    assert stack_sets.instances(gone, "scanhub-spoke", "SELF") == ()
    words = "You must be the management account or delegated admin account of an organization"
    denied = refusal("ValidationError", words)
    closed = Script("cloudformation").on("DescribeStackSet", denied).on("ListStackInstances", denied).client
    with pytest.raises(Misconfigured, match=r"describing the stack set scanhub-spoke: .*delegated admin"):
        stack_sets.describe(closed, "scanhub-spoke", "DELEGATED_ADMIN")
    with pytest.raises(Misconfigured, match=r"listing the instances of the stack set scanhub-spoke: .*delegated admin"):
        stack_sets.instances(closed, "scanhub-spoke", "DELEGATED_ADMIN")


def test_instances_of_all_pages_come_in_order_with_their_reasons() -> None:
    failed = summary("210000000002", "eu-central-1", "OUTDATED", "FAILED", "ResourceStatusReason: already\n exists")
    pages: list[dict[str, Any]] = [
        {"Summaries": [summary("210000000003", "eu-central-1"), failed], "NextToken": "more"},
        {"Summaries": [summary("210000000001", "us-east-1"), summary("210000000001", "eu-central-1")]},
    ]
    script = Script("cloudformation").on("ListStackInstances", *pages)
    found = stack_sets.instances(script.client, "scanhub-spoke", "SELF")
    assert [(one.account[-1], one.region) for one in found] == [
        ("1", "eu-central-1"),
        ("1", "us-east-1"),
        ("2", "eu-central-1"),
        ("3", "eu-central-1"),
    ]
    assert found[2] == Instance(
        account="210000000002",
        region="eu-central-1",
        status="OUTDATED",
        detailed_status="FAILED",
        reason="ResourceStatusReason: already exists",
        organizational_unit="ou-ab12-cd34ef56",
    )
    assert [one.is_current for one in found] == [True, True, False, True]


@pytest.mark.parametrize(("account", "expected"), [("111111111111", "SELF"), ("123456789012", "DELEGATED_ADMIN")])
def test_the_management_account_speaks_for_itself(account: str, expected: str) -> None:
    there = Organization(id="o-a1b2c3d4e5", management_account="111111111111", account=account, partition="aws")
    assert stack_sets.call_as(there) == expected
