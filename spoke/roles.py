"""The spoke role: one session per account for the worker's own calls, and one of its own for each scan."""

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from pydantic import SecretStr

from spoke.aws_errors import translated
from spoke.clock import Clock
from spoke.credentials import SessionCredentials
from spoke.errors import NoAccess, ScanhubError
from spoke.session_policy import session_name, session_policy
from spoke.single_flight import SingleFlight
from spoke.snapshot import FunctionSnapshot

if TYPE_CHECKING:
    from types_aiobotocore_sts import STSClient
    from types_aiobotocore_sts.type_defs import AssumeRoleRequestTypeDef

DURATION = timedelta(hours=1)
"""All that role chaining allows, whatever the role's own maximum (IAM user guide, "Role chaining").

The worker's task role is itself a role, so every session here is a chained one.
"""

MARGIN = timedelta(minutes=5)
"""A session this close to its end is not handed out any more: a call and its retries may take minutes."""

WORKER_SESSION = "scanhub-worker"


class Roles:
    """Sessions of the role that every spoke account has under the same name.

    The role's trust policy must allow `sts:AssumeRole` and `sts:SetSourceIdentity` to the hub's task role, and the task
    role must be allowed both. Role ARNs are built here from the settings and a guarded account, never taken from a
    message.

    Args:
        sts: The hub's STS client.
        role_name: The same in every spoke.
        external_id: What the trust policy asks for. It never appears in an error.
        clock: Tells when a session ends.
        role_path: The role's IAM path, with a slash at both ends; the same in every spoke.
        source_identity: Shows in the spoke's CloudTrail on every call of the session, also through chaining.
    """

    def __init__(
        self,
        sts: "STSClient",
        *,
        role_name: str,
        external_id: SecretStr,
        clock: Clock,
        role_path: str = "/",
        source_identity: str = "scanhub",
    ) -> None:
        self._sts = sts
        self._role = f"role{role_path}{role_name}"
        self._external_id = external_id
        self._clock = clock
        self._source_identity = source_identity
        self._sessions: dict[tuple[str, str], SessionCredentials] = {}
        self._flights: SingleFlight[tuple[str, str], SessionCredentials] = SingleFlight()

    async def worker_session(self, account: str, partition: str = "aws") -> SessionCredentials:
        """The session for the worker's own calls in an account, kept until five minutes before it ends.

        However many ask at once, one call is made, and all get its result or its error.

        Raises:
            NoAccess: The role is not there, or does not let us in.
            Misconfigured: The hub's own credentials are refused.
            Throttled, Unavailable: STS could not answer.
        """
        key = (partition, account)
        session = self._sessions.get(key)
        if session is not None and session.expires_at - self._clock.now() > MARGIN:
            return session
        return await self._flights.join(key, lambda: self._renewed(key))

    def forget(self, credentials: SessionCredentials) -> None:
        """Hand this session out no more: a service refuses it. A newer one of the same account stays."""
        for key, session in list(self._sessions.items()):
            if session.access_key_id == credentials.access_key_id:
                del self._sessions[key]

    async def scan_session(self, snapshot: FunctionSnapshot) -> SessionCredentials:
        """A session for one scan, which can read that one function and nothing else.

        It lasts an hour from now and cannot be renewed from within: ask for it at the scan's very start. A scan that
        runs longer keeps what it has read by then; what it reads later is refused. The scanner reads the package at its
        start, so this concerns a download that alone takes an hour.

        Raises:
            As `worker_session`.
        """
        function = snapshot.arn
        return await self._assume(
            function.account, function.partition, session_name(function), policy=session_policy(snapshot)
        )

    async def _renewed(self, key: tuple[str, str]) -> SessionCredentials:
        partition, account = key
        session = self._sessions[key] = await self._assume(account, partition, WORKER_SESSION)
        return session

    async def _assume(
        self, account: str, partition: str, session: str, *, policy: str | None = None
    ) -> SessionCredentials:
        arn = f"arn:{partition}:iam::{account}:{self._role}"
        request: AssumeRoleRequestTypeDef = {
            "RoleArn": arn,
            "RoleSessionName": session,
            "DurationSeconds": int(DURATION.total_seconds()),
            "ExternalId": self._external_id.get_secret_value(),
            "SourceIdentity": self._source_identity,
        }
        if policy is not None:
            request["Policy"] = policy
        try:
            with translated(f"assuming the role {arn} in account {account}", denied=NoAccess, absent=NoAccess):
                answer = await self._sts.assume_role(**request)
        except ScanhubError as error:
            fault = self._redacted(error)
        else:
            given = answer["Credentials"]
            return SessionCredentials(
                access_key_id=given["AccessKeyId"],
                secret_access_key=SecretStr(given["SecretAccessKey"]),
                session_token=SecretStr(given["SessionToken"]),
                expires_at=given["Expiration"].astimezone(UTC),
            )
        # Raised out here, so that botocore's error, which may quote the request, does not hang on it.
        raise fault

    def _redacted(self, error: ScanhubError) -> ScanhubError:
        return type(error)(error.text.replace(self._external_id.get_secret_value(), "***"))
