"""A StackSet of the organization: what it says of itself and of its instances."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from botocore.exceptions import ClientError

from infra.calls import AwsClient, calling
from infra.organization import Organization
from infra.words import one_line
from spoke.aws_errors import error_code

CallAs = Literal["SELF", "DELEGATED_ADMIN"]
"""On whose behalf StackSets are asked (`CallAs` of CloudFormation's API)."""

ABSENT = "StackSetNotFoundException"

PAGE = 100
"""Instances or results in one answer, the most that there may be (`MaxResults` in CloudFormation's API reference)."""


@dataclass(frozen=True, kw_only=True, order=True)
class Instance:
    """One account and region that a StackSet covers, or should.

    Attributes:
        account: Twelve digits.
        region: Such as `eu-central-1`.
        status: `CURRENT`, `OUTDATED` or `INOPERABLE`.
        detailed_status: `PENDING`, `RUNNING`, `SUCCEEDED`, `FAILED`, `CANCELLED`, `SKIPPED_SUSPENDED_ACCOUNT`, ...;
            empty where AWS gives none.
        reason: AWS's words for why it is not current; empty where it is.
        organizational_unit: The one through which it is targeted; empty where AWS gives none.
    """

    account: str
    region: str
    status: str
    detailed_status: str = ""
    reason: str = ""
    organizational_unit: str = ""

    @property
    def is_current(self) -> bool:
        """Whether its stack is as the StackSet wants it."""
        return self.status == "CURRENT"


@dataclass(frozen=True, kw_only=True)
class StackSet:
    """A StackSet's definition.

    Attributes:
        name: Unique among the StackSets of who is asked.
        arn: What names it to others.
        description: In words.
        template: Its template's text.
        parameters: Values; those that are not echoed read `****`.
        tags: Its own, which its stacks carry too.
        organizational_units: The targets; empty before the first instances.
        regions: In which instances are; empty where AWS gives none.
        is_service_managed: Whether AWS Organizations gives it access, rather than roles of one's own.
        auto_deploys: Whether accounts that join are covered.
        is_managed_execution: Whether operations that conflict are queued.
    """

    name: str
    arn: str
    description: str
    template: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    organizational_units: tuple[str, ...]
    regions: tuple[str, ...]
    is_service_managed: bool
    auto_deploys: bool
    is_managed_execution: bool


def call_as(organization: Organization) -> CallAs:
    """`SELF` in the management account; anyone else has to be a delegated administrator, or is refused."""
    return "SELF" if organization.is_management else "DELEGATED_ADMIN"


def describe(client: AwsClient, name: str, call_as: CallAs) -> StackSet | None:
    """The StackSet, or None if there is none of that name.

    Args:
        client: A boto3 CloudFormation client of the region that the StackSet was made in.
        name: The StackSet's.
        call_as: See `call_as`.

    Raises:
        Misconfigured: The caller is not a delegated administrator, or may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"describing the stack set {name}"):
        try:
            answer = client.describe_stack_set(StackSetName=name, CallAs=call_as)["StackSet"]
        except ClientError as error:
            if error_code(error) == ABSENT:
                return None
            raise
    auto: Mapping[str, Any] = answer.get("AutoDeployment", {})
    return StackSet(
        name=answer["StackSetName"],
        arn=answer.get("StackSetARN", ""),
        description=answer.get("Description", ""),
        template=answer.get("TemplateBody", ""),
        parameters=MappingProxyType(
            {one["ParameterKey"]: one["ParameterValue"] for one in answer.get("Parameters", [])}
        ),
        tags=MappingProxyType({one["Key"]: one["Value"] for one in answer.get("Tags", [])}),
        organizational_units=tuple(answer.get("OrganizationalUnitIds", ())),
        regions=tuple(answer.get("Regions", ())),
        is_service_managed=answer.get("PermissionModel") == "SERVICE_MANAGED",
        auto_deploys=bool(auto.get("Enabled")),
        is_managed_execution=bool(answer.get("ManagedExecution", {}).get("Active")),
    )


def instances(client: AwsClient, name: str, call_as: CallAs) -> tuple[Instance, ...]:
    """Every account and region of the StackSet, in order; none if there is no such StackSet.

    Args:
        client: A boto3 CloudFormation client of the region that the StackSet was made in.
        name: The StackSet's.
        call_as: See `call_as`.

    Raises:
        Misconfigured: The caller is not a delegated administrator, or may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"listing the instances of the stack set {name}"):
        try:
            listed = client.get_paginator("list_stack_instances").paginate(
                StackSetName=name, CallAs=call_as, PaginationConfig={"PageSize": PAGE}
            )
            pages = list(listed)
        except ClientError as error:
            if error_code(error) == ABSENT:
                return ()
            raise
    return tuple(sorted(_instance(one) for page in pages for one in page.get("Summaries", [])))


def _instance(answer: Mapping[str, Any]) -> Instance:
    return Instance(
        account=answer["Account"],
        region=answer["Region"],
        status=answer.get("Status", ""),
        detailed_status=answer.get("StackInstanceStatus", {}).get("DetailedStatus", ""),
        reason=one_line(answer.get("StatusReason")),
        organizational_unit=answer.get("OrganizationalUnitId", ""),
    )
