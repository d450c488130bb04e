"""The way into a member account: a call under its role's session, and once more where that session is refused."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import structlog

from spoke.arn import partition_of
from spoke.clients import Clients
from spoke.credentials import SessionCredentials
from spoke.errors import SessionRefused
from spoke.roles import Roles

if TYPE_CHECKING:
    from types_aiobotocore_ec2 import EC2Client
    from types_aiobotocore_lambda import LambdaClient
    from types_aiobotocore_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient

log = structlog.get_logger()

Answer = TypeVar("Answer")

REMEMBERED = 900.0
"""Seconds for which a region that refused a new session, too, is taken to refuse every one."""

MAX_REFUSING = 4096
"""Places remembered at once; the oldest are forgotten first."""


class Entry:
    """Calls in the member accounts, each under its account's own role.

    A region that an account has not enabled refuses its sessions as it would refuse forged ones. That is not the
    session's fault: one that was made anew for it and refused again is kept, and such a region costs no other.

    Args:
        clients: Open for as long as this is used.
        roles: Give the sessions.
    """

    def __init__(self, clients: Clients, roles: Roles) -> None:
        self._clients = clients
        self._roles = roles
        self._refusing: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    @overload
    async def call(
        self,
        service: Literal["lambda"],
        account: str,
        region: str,
        call: Callable[["LambdaClient"], Awaitable[Answer]],
        *,
        partition: str | None = None,
    ) -> Answer: ...
    @overload
    async def call(
        self,
        service: Literal["ec2"],
        account: str,
        region: str,
        call: Callable[["EC2Client"], Awaitable[Answer]],
        *,
        partition: str | None = None,
    ) -> Answer: ...
    @overload
    async def call(
        self,
        service: Literal["resourcegroupstaggingapi"],
        account: str,
        region: str,
        call: Callable[["ResourceGroupsTaggingAPIClient"], Awaitable[Answer]],
        *,
        partition: str | None = None,
    ) -> Answer: ...

    async def call(
        self,
        service: str,
        account: str,
        region: str,
        call: Callable[[Any], Awaitable[Answer]],
        *,
        partition: str | None = None,
    ) -> Answer:
        """Make the call under the account's role, and once more under a new session if the one at hand is refused.

        Args:
            service: As botocore names it.
            account: Whose role.
            region: Where the service is asked.
            call: Is given the client, and raises `SessionRefused` where its credentials are refused.
            partition: By default the region's.

        Raises:
            NoAccess: The role cannot be assumed.
            SessionRefused: A new session is refused, too; perhaps the account has not enabled the region.
            ScanhubError: Whatever `call` raises.
        """
        partition = partition or partition_of(region)
        place = (service, account, region)
        session = await self._roles.worker_session(account, partition)
        try:
            return await self._under(session, place, call)
        except SessionRefused as error:
            if self._refuses_all(place):
                raise
            log.info("session refused, making a new one", account=account, region=region, reason=error.text)
            self._roles.forget(session)
        session = await self._roles.worker_session(account, partition)
        try:
            return await self._under(session, place, call)
        except SessionRefused:
            self._remember(place)
            raise

    async def _under(
        self, session: SessionCredentials, place: tuple[str, str, str], call: Callable[[Any], Awaitable[Answer]]
    ) -> Answer:
        service, _, region = place
        clients: Any = self._clients  # its overloads know service names as literals only
        async with clients.borrow(service, region=region, credentials=session) as client:
            answer = await call(client)
        self._refusing.pop(place, None)
        return answer

    def _refuses_all(self, place: tuple[str, str, str]) -> bool:
        at = self._refusing.get(place)
        return at is not None and asyncio.get_running_loop().time() - at < REMEMBERED

    def _remember(self, place: tuple[str, str, str]) -> None:
        self._refusing[place] = asyncio.get_running_loop().time()
        self._refusing.move_to_end(place)
        while len(self._refusing) > MAX_REFUSING:
            self._refusing.popitem(last=False)
