"""What a spoke is told of its hub: looked up, so that nobody copies a value by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra import stacks
from infra.rollout import credentials, parameters
from infra.rollout.credentials import ExternalId
from infra.rollout.parameters import Declared
from infra.rollout.site import HUB_STACK, Site
from infra.rollout.spokes_plan import ROLE_REGION, SECRET_PARAMETER
from spoke.errors import Misconfigured

TEMPLATE = "spoke.yaml"

_LOOKED_UP = "is looked up"
_RESERVED = {
    "HubBusArn": _LOOKED_UP,
    "HubTaskRoleArn": _LOOKED_UP,
    "OrganizationId": _LOOKED_UP,
    SECRET_PARAMETER: "is read from its secret in the hub",
    "SpokeRoleName": "is the hub's: give it to scanhub rollout hub",
    "SpokeRolePath": "is the hub's: give it to scanhub rollout hub",
    ROLE_REGION: "use --primary-region",
}


@dataclass(frozen=True, kw_only=True)
class SpokeParameters:
    """The template of the spokes, and its values.

    Attributes:
        text: The template's.
        declared: Its parameters.
        values: All that is known; without the external id and the primary region.
        external_id: The external id.
    """

    text: str = field(repr=False)
    declared: Mapping[str, Declared] = field(repr=False)
    values: Mapping[str, str]
    external_id: ExternalId

    def with_role_region(self, region: str) -> dict[str, str]:
        """The values for spokes whose roles are made in this region."""
        return {**self.values, ROLE_REGION: region}

    def with_secret(self, region: str) -> dict[str, str]:
        """The same and the external id: for CloudFormation, and for nobody's eyes."""
        return {**self.with_role_region(region), SECRET_PARAMETER: self.external_id.value.get_secret_value()}


def look_up(site: Site, given: Mapping[str, str]) -> SpokeParameters:
    """What the hub's stack says, and what the operator gave.

    Args:
        site: Where the hub is.
        given: Parameters of spoke.yaml, by name.

    Raises:
        Misconfigured: There is no hub, it cannot be read, or a parameter is wrong.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    client = site.hub("cloudformation")
    text = stacks.template_text(TEMPLATE)
    known = parameters.declared(client, text)
    parameters.check(given, known, reserved=_RESERVED)
    hub = stacks.describe(client, HUB_STACK)
    if hub is None or "TaskRoleArn" not in hub.outputs:
        raise Misconfigured(
            f"there is no complete hub (stack {HUB_STACK}) in {site.hub_account}, {site.region}: run scanhub rollout "
            "hub first, or name its region by --region"
        )
    values = {
        "HubBusArn": hub.outputs["BusArn"],
        "HubTaskRoleArn": hub.outputs["TaskRoleArn"],
        "OrganizationId": hub.parameters["OrganizationId"],
        "SpokeRoleName": hub.outputs["SpokeRoleName"],
        "SpokeRolePath": hub.outputs.get("SpokeRolePath", "/"),
        # A worker that may not tag must not be told to, and the other way round.
        "EnableTagging": hub.parameters.get("EnableTagging", "true"),
        **given,
    }
    return SpokeParameters(
        text=text,
        declared=known,
        values={key: value for key, value in values.items() if key in known},
        external_id=credentials.external_id(site.hub("secretsmanager"), hub.outputs["ExternalIdSecretArn"]),
    )
