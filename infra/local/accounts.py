"""The accounts of a local organization, as their administrator enters them."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config

from infra.calls import AwsClient, calling
from spoke.errors import Misconfigured

ADMIN_ROLE = "OrganizationAccountAccessRole"
"""The role that AWS Organizations creates in each member account for the management account."""

_FIRST_SPOKE = 210_000_000_001
_ANY: Mapping[str, str] = MappingProxyType({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"})
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=60)


def spoke_accounts(number: int) -> tuple[str, ...]:
    """The account ids of that many spokes: always the same ones."""
    return tuple(str(_FIRST_SPOKE + index) for index in range(number))


class Accounts:
    """Clients for the hub account and, through its administrators' role, for every other.

    Args:
        endpoint: Of the local cloud; None leaves it to `AWS_ENDPOINT_URL` and its relatives for single services.
        region: Of the hub.

    Attributes:
        endpoint: That serves STS.
        hub: The hub's account, twelve digits.
        invented: Credentials that were made up for the want of any, now or before, as environment variables; nothing
            where there are others.

    Raises:
        Misconfigured: There is no local endpoint: this would reach AWS itself.
        Unavailable: Nothing answers there.
    """

    def __init__(self, endpoint: str | None, region: str) -> None:
        self._endpoint = endpoint
        self._region = region
        # A session is not safe to be used by several threads at once.
        self._lock = threading.Lock()
        # Made once: a client takes tens of milliseconds, and may be shared by threads.
        self._clients: dict[tuple[str, str | None, str, str | None], AwsClient] = {}
        core = botocore.session.get_session()
        # Asking the instance for its role costs a second wherever there is none, and is never wanted here.
        core.get_component("credential_provider").remove("iam-role")
        self._session = boto3.Session(region_name=region, botocore_session=core)
        # A local cloud asks for credentials and believes any.
        self.invented = _invented(self._session)
        own = {name.lower(): value for name, value in self.invented.items()}
        self._credentials: dict[str | None, Mapping[str, str]] = {None: own}
        sts = self._make("sts", None, region)
        self.endpoint = str(sts.meta.endpoint_url)
        if _is_aws(self.endpoint):
            raise Misconfigured(
                f"this would reach AWS itself ({self.endpoint}); set AWS_ENDPOINT_URL to a local cloud's address"
            )
        with calling(f"asking the local cloud at {self.endpoint} who we are"):
            self.hub = str(sts.get_caller_identity()["Account"])

    def client(
        self, service: str, *, account: str | None = None, region: str | None = None, endpoint: str | None = None
    ) -> AwsClient:
        """A boto3 client.

        Args:
            service: Such as `lambda`.
            account: None for the hub.
            region: None for the hub's.
            endpoint: Instead of the one that serves this service otherwise.
        """
        account = None if account == self.hub else account
        if account is not None and account not in self._credentials:
            self._credentials[account] = self._enter(account)
        return self._make(service, account, region or self._region, endpoint)

    def acting_as(self, account: str) -> "ActingAccount":
        """Clients for which `account` is the caller's own, and its administrators enter the others."""
        return ActingAccount(self, account)

    def _enter(self, account: str) -> Mapping[str, str]:
        role = f"arn:aws:iam::{account}:role/{ADMIN_ROLE}"
        with calling(f"entering the account {account} as its administrator"):
            session = self.client("sts").assume_role(RoleArn=role, RoleSessionName="scanhub-local")["Credentials"]
        return {
            "aws_access_key_id": session["AccessKeyId"],
            "aws_secret_access_key": session["SecretAccessKey"],
            "aws_session_token": session["SessionToken"],
        }

    def _make(self, service: str, account: str | None, region: str, endpoint: str | None = None) -> AwsClient:
        with self._lock, calling(f"making a client for {service}"):
            key = (service, account, region, endpoint or self._endpoint)
            if key not in self._clients:
                make: Any = self._session.client
                credentials = self._credentials[account]
                try:
                    self._clients[key] = make(
                        service, region_name=region, endpoint_url=key[3], config=_CONFIG, **credentials
                    )
                except ValueError as error:
                    raise Misconfigured(f"no client for {service} can be made: {error}") from error
            return self._clients[key]


@dataclass(frozen=True, slots=True)
class ActingAccount:
    """Clients as the administrators of one account have them.

    Attributes:
        accounts: Of the whole local organization.
        account: The caller's own.
    """

    accounts: Accounts
    account: str

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> AwsClient:
        """As `Accounts.client`; None is the caller's own account."""
        return self.accounts.client(service, account=account or self.account, region=region)


def _invented(session: boto3.Session) -> Mapping[str, str]:
    found = session.get_credentials()
    # Those of the environment alone: to look at others may mean to ask for them.
    made_up = found is None or (found.method == "env" and [found.access_key, found.secret_key] == [*_ANY.values()])
    return _ANY if made_up else {}


def _is_aws(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonaws.eu"))
