"""The member accounts behind the worker's port `Spoke`, on AWS."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from spoke.arn import FunctionArn
from spoke.aws_errors import translated
from spoke.clients import Clients
from spoke.credentials import SessionCredentials
from spoke.entry import Entry
from spoke.errors import Gone, NoAccess, SessionRefused
from spoke.functions import snapshot_of
from spoke.roles import Roles
from spoke.snapshot import FunctionSnapshot
from spoke.tags import changed

if TYPE_CHECKING:
    from types_aiobotocore_lambda import LambdaClient

Answer = TypeVar("Answer")


async def describe(client: "LambdaClient", function: FunctionArn) -> FunctionSnapshot:
    """GetFunction of a published version, else of the unpublished code.

    Raises:
        Gone: There is no such function.
        NoAccess: The role may not read it.
        SessionRefused: The client's session has ended.
        Throttled, Unavailable: Lambda could not answer.
    """
    arn = str(function.content)
    # The whole ARN: whatever account or region the client has, it can only answer for this function.
    with translated(f"describing {arn}", denied=NoAccess, absent=Gone, refused=SessionRefused):
        return snapshot_of(function, await client.get_function(FunctionName=arn))


async def write_tags(
    client: "LambdaClient", function: FunctionArn, tags: Mapping[str, str], *, present: Mapping[str, str] | None
) -> bool:
    """TagResource with those tags that differ from the ones `present` (None: unknown, write all).

    A published version has no tags, and what is true of it is not true of its function: none are written for it.

    Returns:
        Whether a call was made.

    Raises:
        ValueError: A key is none of `spoke.tags.TAG_KEYS`.
        Gone, NoAccess, SessionRefused, Throttled, Unavailable: As `describe`.
    """
    differing = changed(tags, present)
    if not differing or function.is_version:
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
        self._entry = Entry(clients, roles)
        self._roles = roles

    async def describe(self, function: FunctionArn) -> FunctionSnapshot:
        """See `describe`; also `NoAccess` if the role cannot be assumed."""
        return await self._in_spoke(function, lambda client: describe(client, function))

    async def scan_credentials(self, snapshot: FunctionSnapshot) -> SessionCredentials:
        """See `spoke.roles.Roles.scan_session`."""
        return await self._roles.scan_session(snapshot)

    async def tag(self, function: FunctionArn, tags: Mapping[str, str], *, present: Mapping[str, str] | None) -> bool:
        """See `write_tags`; also `NoAccess` if the role cannot be assumed."""
        if not changed(tags, present) or function.is_version:
            return False
        return await self._in_spoke(function, lambda client: write_tags(client, function, tags, present=present))

    async def _in_spoke(self, function: FunctionArn, call: Callable[["LambdaClient"], Awaitable[Answer]]) -> Answer:
        return await self._entry.call("lambda", function.account, function.region, call, partition=function.partition)
