"""The way into the member accounts, put together from the settings."""

from pydantic import SecretStr

from hub.credentials import SecretReader
from hub.redaction import Redactor
from hub.settings import Settings
from spoke.clients import Clients
from spoke.clock import Clock
from spoke.estate import AwsEstate
from spoke.roles import Roles


async def spoke_roles(settings: Settings, clients: Clients, clock: Clock, redactor: Redactor) -> Roles:
    """The roles of the member accounts.

    Args:
        settings: Name the role, and hold the external id or name its secret.
        clients: Of the hub.
        clock: Tells when a session ends.
        redactor: Learns the external id.

    Raises:
        Misconfigured: The secret cannot be read.
        Throttled, Unavailable: Secrets Manager cannot be asked now.
    """
    external_id = await _external_id(settings, clients)
    redactor.add(external_id.get_secret_value())
    return Roles(
        await clients.get("sts"),
        role_name=settings.spoke_role_name,
        role_path=settings.spoke_role_path,
        external_id=external_id,
        clock=clock,
    )


async def estate(settings: Settings, clients: Clients, clock: Clock, redactor: Redactor) -> AwsEstate:
    """What the member accounts have; see `spoke_roles`."""
    roles = await spoke_roles(settings, clients, clock, redactor)
    region = (await clients.get("sts")).meta.region_name
    return AwsEstate(clients, roles, region=region, calls_per_second=settings.sweep_calls_per_second)


async def _external_id(settings: Settings, clients: Clients) -> SecretStr:
    if settings.external_id is not None:
        return settings.external_id
    if settings.external_id_secret_arn is None:
        raise AssertionError("the settings hold exactly one of the two")
    secrets = SecretReader(await clients.get("secretsmanager"))
    return await secrets.external_id(settings.external_id_secret_arn)
