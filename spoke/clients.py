"""AWS clients, made once and shared: the hub's own, and one for each region, of all role sessions in the spokes."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session

from spoke.aws_errors import translated
from spoke.borrowed import NOBODY, BorrowedClient, adopt
from spoke.credentials import SessionCredentials
from spoke.single_flight import SingleFlight

if TYPE_CHECKING:
    from types_aiobotocore_cloudwatch import CloudWatchClient
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_ec2 import EC2Client
    from types_aiobotocore_ecs import ECSClient
    from types_aiobotocore_events import EventBridgeClient
    from types_aiobotocore_lambda import LambdaClient
    from types_aiobotocore_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_secretsmanager import SecretsManagerClient
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sts import STSClient

REGIONS_LIMIT = 80
"""Clients for role sessions kept at once, one for each service and region: a sweep asks two services in each of AWS's
regions, which are fewer than forty. A region comes out of an event,
and a made-up one gets a client too: 20 to 40 ms of CPU to make, 1 MB to keep."""

CONFIG = AioConfig(
    # A long poll of SQS lasts 20 s, so a read must be allowed longer.
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=50,
)


@dataclass(frozen=True, slots=True)
class _Key:
    """Which client: the hub's own, or the one that all role sessions of a region share."""

    service: str
    region: str | None
    shared: bool


@dataclass(slots=True)
class _Open:
    """An open client, and how many use it."""

    client: Any
    stack: AsyncExitStack
    users: int = 0


class Clients:
    """An async context manager; every client is closed at its end.

    Args:
        session: From which clients are made; by default a new one, which reads AWS's own variables and files.
        config: Time-outs, retries and pool size.
        user_agent: Goes to AWS with each call, such as `scanhub/0.1.0`.
        limit: So many clients for role sessions are kept; those in use are kept beyond it.
    """

    def __init__(
        self,
        *,
        session: AioSession | None = None,
        config: AioConfig = CONFIG,
        user_agent: str | None = None,
        limit: int = REGIONS_LIMIT,
    ) -> None:
        self._session = session or get_session()
        self._config = config.merge(AioConfig(user_agent_extra=user_agent)) if user_agent else config
        self._limit = limit
        self._open: OrderedDict[_Key, _Open] = OrderedDict()
        self._flights: SingleFlight[_Key, None] = SingleFlight()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closed = True
        await self._flights.cancel()
        async with AsyncExitStack() as stack:
            while self._open:
                stack.push_async_callback(self._open.popitem()[1].stack.aclose)

    @overload
    async def get(self, service: Literal["cloudwatch"], *, region: str | None = None) -> "CloudWatchClient": ...
    @overload
    async def get(self, service: Literal["dynamodb"], *, region: str | None = None) -> "DynamoDBClient": ...
    @overload
    async def get(self, service: Literal["ec2"], *, region: str | None = None) -> "EC2Client": ...
    @overload
    async def get(self, service: Literal["ecs"], *, region: str | None = None) -> "ECSClient": ...
    @overload
    async def get(self, service: Literal["events"], *, region: str | None = None) -> "EventBridgeClient": ...
    @overload
    async def get(self, service: Literal["lambda"], *, region: str | None = None) -> "LambdaClient": ...
    @overload
    async def get(self, service: Literal["s3"], *, region: str | None = None) -> "S3Client": ...
    @overload
    async def get(self, service: Literal["secretsmanager"], *, region: str | None = None) -> "SecretsManagerClient": ...
    @overload
    async def get(self, service: Literal["sns"], *, region: str | None = None) -> "SNSClient": ...
    @overload
    async def get(self, service: Literal["sqs"], *, region: str | None = None) -> "SQSClient": ...
    @overload
    async def get(self, service: Literal["sts"], *, region: str | None = None) -> "STSClient": ...

    async def get(self, service: str, *, region: str | None = None) -> Any:
        """A client with the process's own credentials. It stays open until the end.

        Args:
            service: `sqs`, `dynamodb`, ...
            region: By default the process's.

        Raises:
            Misconfigured: No region is set, or AWS's configuration is broken.
        """
        return (await self._opened(_Key(service, region, shared=False))).client

    @overload
    def borrow(
        self, service: Literal["ec2"], *, region: str, credentials: SessionCredentials
    ) -> "AbstractAsyncContextManager[EC2Client]": ...
    @overload
    def borrow(
        self, service: Literal["lambda"], *, region: str, credentials: SessionCredentials
    ) -> "AbstractAsyncContextManager[LambdaClient]": ...
    @overload
    def borrow(
        self, service: Literal["resourcegroupstaggingapi"], *, region: str, credentials: SessionCredentials
    ) -> "AbstractAsyncContextManager[ResourceGroupsTaggingAPIClient]": ...
    @overload
    def borrow(
        self, service: Literal["sts"], *, region: str, credentials: SessionCredentials
    ) -> "AbstractAsyncContextManager[STSClient]": ...

    @asynccontextmanager
    async def borrow(self, service: str, *, region: str, credentials: SessionCredentials) -> AsyncIterator[Any]:
        """A client of a role session, for the time of the context; afterwards it makes no call any more.

        All sessions share one client for each region, with its models, its connections and its store of retries; only
        the signature is the session's (see `BorrowedClient`). When there are too many, one that nobody uses is closed.

        Raises:
            Misconfigured: AWS's configuration is broken.
        """
        opened = await self._opened(_Key(service, region, shared=True))
        opened.users += 1
        client = BorrowedClient(opened.client, credentials)
        try:
            yield client
        finally:
            client.end()
            opened.users -= 1

    async def _opened(self, key: _Key) -> _Open:
        while True:
            if self._closed:
                raise RuntimeError("the clients are closed")
            # Looked up again after each wait: what was just opened may have been closed to make room.
            opened = self._open.get(key)
            if opened is not None:
                self._open.move_to_end(key)
                return opened
            await self._flights.join(key, lambda: self._make(key))

    async def _make(self, key: _Key) -> None:
        await self._make_room()
        session: Any = self._session  # its overloads know service names as literals only
        stack = AsyncExitStack()
        with translated(f"making a client of {key.service}"):
            client = await stack.enter_async_context(
                session.create_client(
                    key.service, region_name=key.region, config=self._config, **(NOBODY if key.shared else {})
                )
            )
        if key.shared:
            adopt(client)
        self._open[key] = _Open(client, stack)

    async def _make_room(self) -> None:
        """Close the longest unused beyond the limit."""
        shared = [key for key in self._open if key.shared]
        idle = [key for key in shared if not self._open[key].users]
        doomed = [self._open.pop(key) for key in idle[: max(0, len(shared) + 1 - self._limit)]]
        for opened in doomed:
            await opened.stack.aclose()
