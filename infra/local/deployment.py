"""Hub and spokes on a local cloud, by the very templates that go to AWS."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from botocore.exceptions import ClientError

from infra.calls import AwsClient, calling
from infra.hub_settings import environment
from infra.local.accounts import Accounts, spoke_accounts
from infra.local.stacks import bring_up
from infra.rollout import monitoring
from infra.rollout.site import HUB_STACK, MONITORING_STACK, NETWORK_STACK, SPOKE_STACK
from spoke.aws_errors import ABSENT, error_code
from spoke.errors import Misconfigured

ORGANIZATION = "o-scanhublocal"

_IMAGE = "scanhub/worker:local"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What stands on a local cloud.

    Attributes:
        settings: The environment variables `SCANHUB_*` of a worker, from the hub's outputs.
        outputs: All outputs of the hub's stack.
        spokes: Account ids of the members, without the hub.
        regions: Where each spoke is watched.
        hub_account: Twelve digits.
        hub_region: Where the hub stands.
        organization: The organization's id.
        endpoint: The URL that was deployed to.
        accounts: Clients for each account.
    """

    settings: Mapping[str, str]
    outputs: Mapping[str, str]
    spokes: tuple[str, ...]
    regions: tuple[str, ...]
    hub_account: str
    hub_region: str
    organization: str
    endpoint: str
    accounts: Accounts = field(repr=False, compare=False)

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> AwsClient:
        """A boto3 client in an account and region; None is the hub's."""
        return self.accounts.client(service, account=account, region=region)


def _silent(_line: str) -> None:
    """Nobody listens."""


def deploy(
    endpoint: str | None = None,
    *,
    spokes: int = 3,
    regions: Sequence[str] = ("eu-central-1", "us-east-1"),
    hub_region: str = "eu-central-1",
    organization: str = ORGANIZATION,
    hub_too: bool = False,
    parameters: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    progress: Callable[[str], None] = _silent,
) -> Deployment:
    """Deploy hub and spokes, or bring them up to date. What is there already keeps its secrets.

    Args:
        endpoint: Of the local cloud; None leaves it to `AWS_ENDPOINT_URL` and its relatives for single services.
        spokes: How many member accounts.
        regions: Where each of them is watched; the first one is the primary, whose stacks make the roles.
        hub_region: Where the hub stands.
        organization: The id that the templates are given.
        hub_too: Whether the hub's account gets a spoke as well, as StackSets would give it one.
        parameters: By template (`hub.yaml`): what is to be otherwise than a local cloud has it.
        progress: Is told each step, in one line.

    Raises:
        Misconfigured: The endpoint is AWS itself, or a stack failed.
        Unavailable: Nothing answers at the endpoint.
    """
    accounts = Accounts(endpoint, hub_region)
    progress(f"hub {accounts.hub} in {hub_region}")
    stacks = accounts.client("cloudformation")
    # A ledger that refuses to be deleted is no use in a cloud that is thrown away.
    given = {"OrganizationId": organization, "DeletionProtection": "false"}
    given |= _service_parameters(accounts, stacks, parameters)
    outputs = _bring_up(stacks, HUB_STACK, "hub.yaml", given, parameters)
    _bring_up(stacks, MONITORING_STACK, monitoring.TEMPLATE, monitoring.from_the_hub(outputs), parameters)
    external_id = _provide_secrets(accounts, outputs)
    given = _spoke_parameters(outputs, organization, external_id, regions[0])
    members = spoke_accounts(spokes)
    for account in (*members, accounts.hub) if hub_too else members:
        for region in regions:
            progress(f"spoke {account} in {region}")
            stacks = accounts.client("cloudformation", account=account, region=region)
            _bring_up(stacks, SPOKE_STACK, "spoke.yaml", given, parameters)
    return Deployment(
        settings=MappingProxyType(environment(outputs)),
        outputs=MappingProxyType(dict(outputs)),
        spokes=members,
        regions=tuple(regions),
        hub_account=accounts.hub,
        hub_region=hub_region,
        organization=organization,
        endpoint=accounts.endpoint,
        accounts=accounts,
    )


def _bring_up(
    stacks: AwsClient,
    name: str,
    template: str,
    given: Mapping[str, str],
    parameters: Mapping[str, Mapping[str, str]],
) -> Mapping[str, str]:
    return bring_up(stacks, name, template, {**given, **parameters.get(template, {})})


def _service_parameters(
    accounts: Accounts, stacks: AwsClient, parameters: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """What makes the template create the ECS service too, where the cloud that serves CloudFormation has ECS."""
    try:
        accounts.client("ecs", endpoint=stacks.meta.endpoint_url).list_clusters()
    except ClientError:
        return {}
    network = _bring_up(stacks, NETWORK_STACK, "hub-network.yaml", {}, parameters)
    return {"ScannerImageUri": _IMAGE, "VpcId": network["VpcId"], "SubnetIds": network["SubnetIds"]}


def _spoke_parameters(
    outputs: Mapping[str, str], organization: str, external_id: str, primary_region: str
) -> dict[str, str]:
    return {
        "HubBusArn": outputs["BusArn"],
        "HubTaskRoleArn": outputs["TaskRoleArn"],
        "OrganizationId": organization,
        "ScannerExternalId": external_id,
        "SpokeRoleName": outputs["SpokeRoleName"],
        "SpokeRolePath": outputs["SpokeRolePath"],
        "RoleRegion": primary_region,
    }


def _provide_secrets(accounts: Accounts, outputs: Mapping[str, str]) -> str:
    """Fill the Qualys secret, unless it has a value; returns the external id that the template generated."""
    client = accounts.client("secretsmanager")
    with calling("reading the secrets of the hub"):
        if not _secret_value(client, outputs["QualysSecretArn"]):
            value = {"qualys_pod": "US1", "qualys_access_token": secrets.token_urlsafe(32)}
            client.put_secret_value(SecretId=outputs["QualysSecretArn"], SecretString=json.dumps(value))
        external_id = _secret_value(client, outputs["ExternalIdSecretArn"])
    if not external_id:
        raise Misconfigured(f"the secret {outputs['ExternalIdSecretArn']} has no value: the cloud did not generate one")
    return external_id


def _secret_value(client: AwsClient, arn: str) -> str:
    try:
        return str(client.get_secret_value(SecretId=arn).get("SecretString", ""))
    except ClientError as error:
        if error_code(error) in ABSENT:
            return ""
        raise
