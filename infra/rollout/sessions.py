"""Clients for AWS: with the operator's own credentials, and through a role in other accounts."""

import threading
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import ClientError

from infra.calls import AwsClient, calling
from spoke.aws_errors import DENIED, error_code
from spoke.errors import Misconfigured, Unavailable

ADMIN_ROLE = "OrganizationAccountAccessRole"
"""The role that AWS Organizations makes in each account that it creates, for the management account to enter by."""

# A rollout makes many calls to one service: it slows down by itself when AWS asks for patience.
_CONFIG = Config(
    retries={"mode": "adaptive", "total_max_attempts": 8},
    connect_timeout=10,
    read_timeout=60,
    user_agent_extra="scanhub-rollout",
)


# The first call tells of a wrong region or a broken network: nobody shall wait for that.
_FIRST = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 3}))


class Sessions:
    """Makes clients (see `infra.clients.Clients`). Other accounts are entered once; their sessions renew themselves.

    Args:
        region: None takes that of the environment or profile.
        profile: A profile of the AWS configuration; None takes the default credentials.
        through_role: The role by which other accounts are entered.

    Raises:
        Misconfigured: No credentials, no region, no such profile, or AWS refuses the credentials.
        Throttled, Unavailable: AWS cannot be asked now.
    """

    def __init__(
        self, *, region: str | None = None, profile: str | None = None, through_role: str = ADMIN_ROLE
    ) -> None:
        self._role = through_role
        # Neither a session nor the map of them may be used by several threads at once.
        self._lock = threading.Lock()
        with calling("opening an AWS session"):
            core = botocore.session.get_session()
            own = boto3.Session(region_name=region, profile_name=profile, botocore_session=core)
            if not own.region_name:
                raise Misconfigured("no AWS region is set: name the hub's by --region or AWS_REGION")
            self.region = str(own.region_name)
            self._own = own
            # Asked for when the profile is known: it may name further folders of models.
            self._models = core.get_component("data_loader")
            self._entered: dict[str, boto3.Session] = {}
            # Made once: a client takes tens of milliseconds, and may be shared by threads.
            self._clients: dict[tuple[str, str | None, str], AwsClient] = {}
        identity = self._identity()
        self.account = str(identity["Account"])
        self.partition = str(identity["Arn"]).split(":")[1]

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> AwsClient:
        """See `infra.clients.Clients`. AWS is asked for the role with the first call of the client.

        Raises:
            Misconfigured: boto3 knows no such service or region.
        """
        with self._lock, calling(f"making a client for {service}"):
            key = (service, None if account == self.account else account, region or self.region)
            if key not in self._clients:
                session = self._own if key[1] is None else self._session_in(key[1])
                self._clients[key] = self._make(session, service, key[2])
            return self._clients[key]

    def _identity(self) -> dict[str, Any]:
        try:
            with calling("asking AWS who we are"):
                answer: dict[str, Any] = self._make(self._own, "sts", self.region, _FIRST).get_caller_identity()
                return answer
        except Unavailable as error:
            # A region that opened after this botocore was made is unknown to it too: it cannot be refused at once.
            if any(
                self.region in self._own.get_available_regions("sts", one)
                for one in self._own.get_available_partitions()
            ):
                raise
            raise Misconfigured(f"{error.text}; is there a region {self.region}?") from error

    def _make(self, session: boto3.Session, service: str, region: str, config: Config = _CONFIG) -> AwsClient:
        make: Any = session.client
        return make(service, region_name=region, config=config)

    def _session_in(self, account: str) -> boto3.Session:
        if account not in self._entered:
            core = botocore.session.get_session()
            # A loader of its own would read the endpoints of all regions anew, a tenth of a second for each account.
            core.register_component("data_loader", self._models)
            core.register_component("credential_provider", CredentialResolver([self._provider(account)]))
            self._entered[account] = boto3.Session(region_name=self.region, botocore_session=core)
        return self._entered[account]

    def _provider(self, account: str) -> "_ThroughRole":
        source = self._own.get_credentials()
        if source is None:
            raise Misconfigured("no AWS credentials were found; use a role or a profile")
        role = f"arn:{self.partition}:iam::{account}:role/{self._role}"
        return _ThroughRole(self._own, source, role, self.region)


class _ThroughRole(CredentialProvider):
    """Enters an account by a role, and does so again before the session ends."""

    METHOD = "scanhub-through-role"

    def __init__(self, session: boto3.Session, source: Credentials, role: str, region: str) -> None:
        super().__init__()
        self._session = session
        self._source = source
        self._role = role
        self._region = region

    def load(self) -> DeferredRefreshableCredentials:
        """The credentials; AWS is asked when they are used."""

        def sts(service: str, **arguments: Any) -> AwsClient:
            make: Any = self._session.client
            keys = {name: value for name, value in arguments.items() if name.startswith("aws_")}
            return make(service, region_name=self._region, config=_CONFIG, **keys)

        fetcher = AssumeRoleCredentialFetcher(
            client_creator=sts,
            source_credentials=self._source,
            role_arn=self._role,
            extra_args={"RoleSessionName": "scanhub-rollout"},
        )

        def fetched() -> dict[str, Any]:
            try:
                keys: dict[str, Any] = fetcher.fetch_credentials()
            except ClientError as error:
                if error_code(error) not in DENIED:
                    raise
                raise Misconfigured(
                    f"the account cannot be entered by {self._role}: there is no such role, or it does not let these "
                    "credentials in; name another one by --through-role, or the right account by --hub-account"
                ) from error
            return keys

        return DeferredRefreshableCredentials(method=self.METHOD, refresh_using=fetched)
