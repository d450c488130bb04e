"""What must be so before anything is deployed, each with what to do about it."""

from botocore.exceptions import ClientError

from infra.calls import calling
from infra.organization import STACK_SETS
from infra.rollout.operator import Operator
from infra.rollout.site import Site
from spoke.aws_errors import DENIED, error_code
from spoke.errors import Misconfigured


def for_hub(site: Site, operator: Operator) -> None:
    """The hub needs little; what will be missed later is told now.

    Raises:
        Throttled, Unavailable: AWS cannot be asked now.
        Misconfigured: The caller may not ask.
    """
    organization = site.organization
    if not (organization.is_management or organization.is_delegated_administrator):
        operator.warn(
            f"the account {organization.account} does not administer StackSets: before `scanhub rollout spokes`, run "
            "with the management account's credentials: aws organizations register-delegated-administrator "
            f"--account-id {organization.account} --service-principal {STACK_SETS}"
        )
    warn_without_trail(site, operator)


def for_spokes(site: Site) -> None:
    """StackSets must be able to reach the organization.

    Raises:
        Misconfigured: With the first that is not so, and what to do.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    organization = site.organization
    if organization.partition == "aws-cn":
        raise Misconfigured(
            "AWS has no service-managed StackSets in China: deploy infra/spoke.yaml to each account as a stack"
        )
    if not organization.has_all_features:
        raise Misconfigured(
            f"the organization {organization.id} serves consolidated billing alone: StackSets need all features; with "
            "the management account's credentials: aws organizations enable-all-features"
        )
    if not (organization.is_management or organization.is_delegated_administrator):
        raise Misconfigured(
            f"the account {organization.account} may not deploy to the organization; with the management account's "
            "credentials run either this command, or once: aws organizations register-delegated-administrator "
            f"--account-id {organization.account} --service-principal {STACK_SETS}"
        )
    if _access(site) != "ENABLED":
        raise Misconfigured(
            "trusted access of CloudFormation StackSets to the organization is off; with the management account's "
            "credentials: aws cloudformation activate-organizations-access"
        )


def warn_without_trail(site: Site, operator: Operator) -> None:
    """Without a trail that logs management events, EventBridge is told of no change.

    Raises:
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling("looking for the organization's trail"):
        try:
            # Organization trails show in member accounts as shadows.
            trails = site.hub("cloudtrail").describe_trails(includeShadowTrails=True)["trailList"]
        except ClientError as error:
            if error_code(error) not in DENIED:
                raise
            operator.warn("whether the organization has a trail cannot be told: cloudtrail:DescribeTrails is denied")
            return
    if not any(trail.get("IsOrganizationTrail") and trail.get("IsMultiRegionTrail") for trail in trails):
        operator.warn(
            "no organization trail for all regions is seen: accounts and regions without a trail of their own send no "
            "change events; create one in CloudTrail (management events, write-only is enough)"
        )


def _access(site: Site) -> str:
    with calling("asking whether StackSets may reach the organization"):
        answer = site.own("cloudformation").describe_organizations_access(CallAs=site.call_as)
    return str(answer["Status"])
