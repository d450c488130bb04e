"""The member accounts behind the worker's port `Spoke`, on AWS."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import structlog

from spoke.arn import FunctionArn
from spoke.aws_errors import translated
from spoke.clients import Clients
from spoke.credentials import SessionCredentials
from spoke.errors import Gone, NoAccess, SessionRefused
from spoke.functions import snapshot_of
from spoke.roles import Roles
from spoke.snapshot import FunctionSnapshot
from spoke.tags import changed

if TYPE_CHECKING:
    from types_aiobotocore_lambda import LambdaClient

log = structlog.get_logger()

Answer = TypeVar("Answer")


async def describe(client: "LambdaClient", function: FunctionArn) -> FunctionSnapshot:
    """GetFunction of the unpublished code.

    Raises:
        Gone: There is no such function.
        NoAccess: The role may not read it.
        SessionRefused: The client's session has ended.
        Throttled, Unavailable: Lambda could not answer.
    """
    arn = str(function.unqualified)
    # The whole ARN: whatever account or region the client has, it can only answer for this function.
    with translated(f"describing {arn}", denied=NoAccess, absent=Gone, refused=SessionRefused):
        return snapshot_of(function, await client.get_function(FunctionName=arn))


async def write_tags(
    client: "LambdaClient", function: FunctionArn, tags: Mapping[str, str], *, present: Mapping[str, str] | None
) -> bool:
    """TagResource with those tags that differ from the ones `present` (None: unknown, write all).

    Returns:
        Whether a call was made.

    Raises:
        ValueError: A key is none of `spoke.tags.TAG_KEYS`.
        Gone, NoAccess, SessionRefused, Throttled, Unavailable: As `describe`.
    """
    differing = changed(tags, present)
    if not differing:
        return False
    arn = str(function.unqualified)
    with translated(f"tagging {arn}", denied=NoAccess, absent=Gone, refused=SessionRefused):
        await client.tag_resource(Resource=arn, Tags=differing)
    return True


class AwsSpoke:
    """Every member account, each through its own role.

    Args:
        clients: Open for as long as this is used.
        roles: Give the sessions.
    """

    def __init__(self, clients: Clients, roles: Roles) -> None:
        self._clients = clients
        self._roles = roles

    async def describe(self, function: FunctionArn) -> FunctionSnapshot:
        """See `describe`; also `NoAccess` if the role cannot be assumed."""
        return await self._in_spoke(function, lambda client: describe(client, function))

    async def scan_credentials(self, snapshot: FunctionSnapshot) -> SessionCredentials:
        """See `spoke.roles.Roles.scan_session`."""
        return await self._roles.scan_session(snapshot)

    async def tag(self, function: FunctionArn, tags: Mapping[str, str], *, present: Mapping[str, str] | None) -> bool:
        """See `write_tags`; also `NoAccess` if the role cannot be assumed."""
        if not changed(tags, present):
            return False
        return await self._in_spoke(function, lambda client: write_tags(client, function, tags, present=present))

    async def _in_spoke(self, function: FunctionArn, call: Callable[["LambdaClient"], Awaitable[Answer]]) -> Answer:
        """Make the call under the account's role, and once more under a new session if the one at hand is refused."""
        session = await self._roles.worker_session(function.account, function.partition)
        try:
            return await self._under(session, function, call)
        except SessionRefused as error:
            log.info("session refused, making a new one", account=function.account, reason=error.text)
            self._roles.forget(session)
        session = await self._roles.worker_session(function.account, function.partition)
        return await self._under(session, function, call)

    async def _under(
        self, session: SessionCredentials, function: FunctionArn, call: Callable[["LambdaClient"], Awaitable[Answer]]
    ) -> Answer:
        async with self._clients.borrow("lambda", region=function.region, credentials=session) as client:
            return await call(client)
