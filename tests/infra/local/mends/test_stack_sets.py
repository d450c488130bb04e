"""Service-managed StackSets, from the management account and from its delegated administrator."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import organization
from infra.local.accounts import Accounts
from infra.local.organization import MANAGEMENT_ACCOUNT

NAME = "scanhub-spoke"
TEMPLATE = """
Parameters: {Wait: {Type: Number, Default: 0}, Secret: {Type: String, NoEcho: true, Default: hush}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: forwarded, ReceiveMessageWaitTimeSeconds: !Ref Wait}}
"""
EVERYBODY = {"123456789012", "210000000001", "210000000002", "210000000003"}
REGIONS = ["us-east-1", "eu-central-1"]


class StackSet:
    """One StackSet of an organization."""

    def __init__(self, accounts: Accounts, *, delegated: bool = True) -> None:
        self.accounts = accounts
        self.organization = organization.set_up(accounts)
        caller = accounts.hub if delegated else MANAGEMENT_ACCOUNT
        self.client = accounts.acting_as(caller).client("cloudformation")
        self.named = {"StackSetName": NAME, "CallAs": "DELEGATED_ADMIN" if delegated else "SELF"}

    def create(self, **more: Any) -> str:
        arguments = {
            "TemplateBody": TEMPLATE,
            "PermissionModel": "SERVICE_MANAGED",
            "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        }
        made: str = self.client.create_stack_set(**self.named, **(arguments | more))["StackSetId"]
        return made

    def deploy(
        self, *units: str, regions: list[str] = REGIONS, targets: dict[str, Any] | None = None, **preferences: Any
    ) -> dict[str, Any]:
        ids = [self.organization.units.get(unit, self.organization.root) for unit in units]
        operation = self.client.create_stack_instances(
            **self.named,
            DeploymentTargets={"OrganizationalUnitIds": ids, **(targets or {})},
            Regions=regions,
            OperationPreferences=preferences,
        )["OperationId"]
        return self.operation(operation)

    def operation(self, id_: str) -> dict[str, Any]:
        described: dict[str, Any] = self.client.describe_stack_set_operation(**self.named, OperationId=id_)[
            "StackSetOperation"
        ]
        return described

    def results(self, id_: str) -> list[tuple[str, str, str]]:
        pages = self.client.get_paginator("list_stack_set_operation_results").paginate(**self.named, OperationId=id_)
        found = [one for page in pages for one in page["Summaries"]]
        return [(one["Account"], one["Region"], one["Status"]) for one in found]

    def instances(self) -> dict[tuple[str, str], dict[str, Any]]:
        pages = self.client.get_paginator("list_stack_instances").paginate(**self.named)
        return {(one["Account"], one["Region"]): one for page in pages for one in page["Summaries"]}

    def wait_times(self) -> set[str]:
        found = set()
        for account, region in self.instances():
            queues = self.accounts.client("sqs", account=account, region=region)
            url = queues.get_queue_url(QueueName="forwarded")["QueueUrl"]
            attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            found.add(attributes["ReceiveMessageWaitTimeSeconds"])
        return found


@pytest.fixture
def stack_set(accounts: Accounts) -> StackSet:
    return StackSet(accounts)


@pytest.mark.parametrize("delegated", [True, False])
def test_every_member_of_the_root_gets_a_stack_but_the_management_account(
    accounts: Accounts, delegated: bool
) -> None:  # a parameter
    stack_set = StackSet(accounts, delegated=delegated)
    stack_set.create()
    operation = stack_set.deploy("root", RegionOrder=["eu-central-1"])
    assert (operation["Status"], operation["Action"]) == ("SUCCEEDED", "CREATE")
    instances = stack_set.instances()
    assert set(instances) == {(account, region) for account in EVERYBODY for region in REGIONS}
    for (account, region), instance in instances.items():
        assert (instance["Status"], instance["StackInstanceStatus"]["DetailedStatus"]) == ("CURRENT", "SUCCEEDED")
        (stack,) = accounts.client("cloudformation", account=account, region=region).describe_stacks()["Stacks"]
        assert stack["StackId"] == instance["StackId"]
        assert stack["StackName"].startswith(f"StackSet-{NAME}-")
    results = stack_set.results(operation["OperationId"])
    assert [region for _, region, _ in results] == ["eu-central-1"] * 4 + ["us-east-1"] * 4


def test_it_belongs_to_the_management_account_whoever_made_it(stack_set: StackSet) -> None:
    stack_set.create(Description="forwards", ManagedExecution={"Active": True})
    management = stack_set.accounts.client("cloudformation", account=MANAGEMENT_ACCOUNT)
    described = management.describe_stack_set(StackSetName=NAME)["StackSet"]
    assert (described["PermissionModel"], described["Description"]) == ("SERVICE_MANAGED", "forwards")
    assert described["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert described["ManagedExecution"] == {"Active": True}
    assert f":{MANAGEMENT_ACCOUNT}:stackset/" in described["StackSetARN"]
    shown = {one["ParameterKey"]: one["ParameterValue"] for one in described["Parameters"]}
    assert shown["Secret"] == "****"
    with pytest.raises(ClientError, match="NameAlreadyExists"):
        stack_set.create()


def test_who_is_nobody_may_do_nothing(stack_set: StackSet) -> None:
    member = stack_set.accounts.client("cloudformation", account="210000000001")
    with pytest.raises(ClientError, match="not a delegated administrator"):
        member.list_stack_sets(CallAs="DELEGATED_ADMIN")
    with pytest.raises(ClientError, match="You must be the management account or delegated admin account"):
        member.list_stack_sets()
    with pytest.raises(ClientError, match="You must be the management account or delegated admin account"):
        stack_set.accounts.client("cloudformation").list_stack_sets(CallAs="SELF")


def test_without_trusted_access_nothing_is_made(accounts: Accounts) -> None:
    organization.set_up(accounts, trusted_access=False)
    management = accounts.client("cloudformation", account=MANAGEMENT_ACCOUNT)
    assert management.describe_organizations_access()["Status"] == "DISABLED"
    arguments = {"PermissionModel": "SERVICE_MANAGED", "AutoDeployment": {"Enabled": True}, "TemplateBody": TEMPLATE}
    with pytest.raises(ClientError, match="You must enable organizations access"):
        management.create_stack_set(StackSetName=NAME, **arguments)
    management.activate_organizations_access()
    assert management.describe_organizations_access()["Status"] == "ENABLED"
    management.create_stack_set(StackSetName=NAME, **arguments)
    management.deactivate_organizations_access()
    assert management.describe_organizations_access()["Status"] == "DISABLED"


@pytest.mark.parametrize(
    ("units", "targets", "members"),
    [
        (["workloads"], {}, {"210000000001", "210000000002"}),
        (["workloads/production", "sandbox"], {}, {"210000000002", "210000000003"}),
        (["root"], {"Accounts": ["210000000003"], "AccountFilterType": "INTERSECTION"}, {"210000000003"}),
        (["root"], {"Accounts": ["123456789012"], "AccountFilterType": "DIFFERENCE"}, EVERYBODY - {"123456789012"}),
        (
            ["sandbox"],
            {"Accounts": ["210000000001"], "AccountFilterType": "UNION"},
            {"210000000001", "210000000003"},
        ),
    ],
)
def test_targets_mean_accounts(
    stack_set: StackSet, units: list[str], targets: dict[str, Any], members: set[str]
) -> None:
    stack_set.create()
    stack_set.deploy(*units, regions=["eu-central-1"], targets=targets)
    assert {account for account, _ in stack_set.instances()} == members


def test_an_update_changes_every_stack_and_a_second_deployment_makes_none_twice(stack_set: StackSet) -> None:
    stack_set.create()
    stack_set.deploy("workloads")
    before = {key: one["StackId"] for key, one in stack_set.instances().items()}
    stack_set.deploy("workloads")
    changed = TEMPLATE.replace("Default: 0", "Default: 5")
    operation = stack_set.client.update_stack_set(**stack_set.named, TemplateBody=changed)["OperationId"]
    assert len(stack_set.results(operation)) == 4
    assert stack_set.wait_times() == {"5"}
    previous = [{"ParameterKey": "Secret", "UsePreviousValue": True}, {"ParameterKey": "Wait", "ParameterValue": "7"}]
    stack_set.client.update_stack_set(**stack_set.named, UsePreviousTemplate=True, Parameters=previous)
    assert stack_set.wait_times() == {"7"}
    assert {key: one["StackId"] for key, one in stack_set.instances().items()} == before


def test_overrides_are_one_instances_own(stack_set: StackSet) -> None:
    stack_set.create()
    stack_set.deploy("workloads", regions=["eu-central-1"])
    stack_set.client.update_stack_instances(
        **stack_set.named,
        DeploymentTargets={"OrganizationalUnitIds": [stack_set.organization.units["workloads/production"]]},
        Regions=["eu-central-1"],
        ParameterOverrides=[{"ParameterKey": "Wait", "ParameterValue": "9"}],
    )
    assert stack_set.wait_times() == {"0", "9"}
    instance = stack_set.client.describe_stack_instance(
        **stack_set.named, StackInstanceAccount="210000000002", StackInstanceRegion="eu-central-1"
    )["StackInstance"]
    assert instance["ParameterOverrides"] == [{"ParameterKey": "Wait", "ParameterValue": "9"}]


def test_one_bad_account_fails_what_is_not_tolerated_and_is_told(stack_set: StackSet) -> None:
    stack_set.accounts.client("sqs", account="210000000001").create_queue(QueueName="forwarded")
    stack_set.create()
    operation = stack_set.deploy("root", RegionOrder=["eu-central-1"], FailureToleranceCount=0)
    assert operation["Status"] == "FAILED"
    failed = stack_set.instances()["210000000001", "eu-central-1"]
    assert (failed["Status"], failed["StackInstanceStatus"]["DetailedStatus"]) == ("OUTDATED", "FAILED")
    assert "forwarded already exists" in failed["StatusReason"]
    outcomes = {status for _, region, status in stack_set.results(operation["OperationId"]) if region == "us-east-1"}
    assert outcomes == {"CANCELLED"}
    tolerant = stack_set.deploy("root", FailureTolerancePercentage=50)
    assert tolerant["Status"] == "SUCCEEDED"
    assert stack_set.instances()["210000000003", "us-east-1"]["Status"] == "CURRENT"
    stack_set.accounts.client("sqs", account="210000000001").delete_queue(
        QueueUrl=stack_set.accounts.client("sqs", account="210000000001").get_queue_url(QueueName="forwarded")[
            "QueueUrl"
        ]
    )
    assert stack_set.deploy("root")["Status"] == "SUCCEEDED"
    assert {one["Status"] for one in stack_set.instances().values()} == {"CURRENT"}


def test_an_account_that_joins_gets_its_stacks_and_one_that_leaves_loses_them(stack_set: StackSet) -> None:
    def organize(action: str, **arguments: str) -> None:
        getattr(stack_set.accounts.client("organizations", account=MANAGEMENT_ACCOUNT), action)(**arguments)

    stack_set.create()
    stack_set.deploy("workloads")
    joined = "210000000009"
    units = stack_set.organization.units
    organization.join(stack_set.accounts, stack_set.organization, joined, "workloads/production")
    assert {region for account, region in stack_set.instances() if account == joined} == set(REGIONS)
    organize(
        "move_account",
        AccountId=joined,
        SourceParentId=units["workloads/production"],
        DestinationParentId=units["sandbox"],
    )
    assert joined not in {account for account, _ in stack_set.instances()}
    assert stack_set.accounts.client("cloudformation", account=joined).describe_stacks()["Stacks"] == []
    organize("remove_account_from_organization", AccountId="210000000001")
    assert {account for account, _ in stack_set.instances()} == {"210000000002"}


@pytest.mark.parametrize("retain", [True, False])
def test_instances_are_deleted_or_let_go(stack_set: StackSet, retain: bool) -> None:  # a parameter
    stack_set.create()
    stack_set.deploy("sandbox", regions=["eu-central-1"])
    with pytest.raises(ClientError, match="StackSetNotEmpty"):
        stack_set.client.delete_stack_set(**stack_set.named)
    operation = stack_set.client.delete_stack_instances(
        **stack_set.named,
        DeploymentTargets={"OrganizationalUnitIds": [stack_set.organization.units["sandbox"]]},
        Regions=["eu-central-1"],
        RetainStacks=retain,
    )["OperationId"]
    assert stack_set.operation(operation)["Action"] == "DELETE"
    assert stack_set.instances() == {}
    stacks = stack_set.accounts.client("cloudformation", account="210000000003").describe_stacks()["Stacks"]
    assert len(stacks) == int(retain)
    stack_set.client.delete_stack_set(**stack_set.named)
    assert stack_set.client.list_stack_sets(CallAs="DELEGATED_ADMIN", Status="ACTIVE")["Summaries"] == []


def test_a_unit_that_does_not_exist_is_said(stack_set: StackSet) -> None:
    stack_set.create()
    with pytest.raises(ClientError, match="does not exist"):
        stack_set.client.create_stack_instances(
            **stack_set.named,
            DeploymentTargets={"OrganizationalUnitIds": ["ou-abcd-12345678"]},
            Regions=["eu-central-1"],
        )
    with pytest.raises(ClientError, match="OperationNotFound"):
        stack_set.operation("none")
