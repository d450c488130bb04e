"""AWS clients, made once and shared: the hub's own, and those of role sessions in the spokes."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session

from spoke.aws_errors import translated
from spoke.clock import Clock, SystemClock
from spoke.credentials import SessionCredentials
from spoke.single_flight import SingleFlight

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient
    from types_aiobotocore_lambda import LambdaClient
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_secretsmanager import SecretsManagerClient
    from types_aiobotocore_sns import SNSClient
    from types_aiobotocore_sqs import SQSClient
    from types_aiobotocore_sts import STSClient

BORROWED_LIMIT = 256
"""Clients of role sessions kept at once. One costs about 2 ms to make and 0.2 MB to keep."""

CONFIG = AioConfig(
    # A long poll of SQS lasts 20 s, so a read must be allowed longer.
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=50,
)

_Key = tuple[str, str | None, str | None]


@dataclass(slots=True)
class _Open:
    """An open client, who uses it, and until when it can be of use."""

    client: Any
    stack: AsyncExitStack
    expires_at: datetime | None = None
    users: int = 0


class Clients:
    """An async context manager; every client is closed at its end.

    Args:
        session: From which clients are made; by default a new one, which reads AWS's own variables and files.
        config: Time-outs, retries and pool size.
        user_agent: Goes to AWS with each call, such as `scanhub/0.1.0`.
        limit: So many clients of role sessions are kept; those in use are kept beyond it.
        clock: Tells when a session has ended.
    """

    def __init__(
        self,
        *,
        session: AioSession | None = None,
        config: AioConfig = CONFIG,
        user_agent: str | None = None,
        limit: int = BORROWED_LIMIT,
        clock: Clock | None = None,
    ) -> None:
        self._session = session or get_session()
        self._config = config.merge(AioConfig(user_agent_extra=user_agent)) if user_agent else config
        self._limit = limit
        self._clock = clock or SystemClock()
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
    async def get(self, service: Literal["dynamodb"], *, region: str | None = None) -> "DynamoDBClient": ...
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
        return (await self._opened(service, region, None)).client

    @overload
    def borrow(
        self, service: Literal["lambda"], *, region: str, credentials: SessionCredentials
    ) -> "AbstractAsyncContextManager[LambdaClient]": ...
    @overload
    def borrow(
        self, service: Literal["sts"], *, region: str, credentials: SessionCredentials
    ) -> "AbstractAsyncContextManager[STSClient]": ...

    @asynccontextmanager
    async def borrow(self, service: str, *, region: str, credentials: SessionCredentials) -> AsyncIterator[Any]:
        """A client of a role session, for the time of the context.

        Afterwards it is kept for the next one who asks with the same session. When there are too many, or its session
        has ended, it is closed; never while somebody uses it.
        """
        opened = await self._opened(service, region, credentials)
        opened.users += 1
        try:
            yield opened.client
        finally:
            opened.users -= 1

    async def _opened(self, service: str, region: str | None, credentials: SessionCredentials | None) -> _Open:
        key = (service, region, credentials.access_key_id if credentials is not None else None)
        while True:
            if self._closed:
                raise RuntimeError("the clients are closed")
            # Looked up again after each wait: what was just opened may have been closed to make room.
            opened = self._open.get(key)
            if opened is not None:
                self._open.move_to_end(key)
                return opened
            await self._flights.join(key, lambda: self._make(key, credentials))

    async def _make(self, key: _Key, credentials: SessionCredentials | None) -> None:
        await self._make_room()
        service, region, _ = key
        secrets: dict[str, str] = {}
        if credentials is not None:
            secrets = {
                "aws_access_key_id": credentials.access_key_id,
                "aws_secret_access_key": credentials.secret_access_key.get_secret_value(),
                "aws_session_token": credentials.session_token.get_secret_value(),
            }
        session: Any = self._session  # its overloads know service names as literals only
        stack = AsyncExitStack()
        with translated(f"making a client of {service}"):
            client = await stack.enter_async_context(
                session.create_client(service, region_name=region, config=self._config, **secrets)
            )
        self._open[key] = _Open(client, stack, credentials.expires_at if credentials is not None else None)

    async def _make_room(self) -> None:
        """Close what nobody uses and what is of no use: ended sessions, then the longest unused beyond the limit."""
        now = self._clock.now()
        ends = {key: opened.expires_at for key, opened in self._open.items() if opened.expires_at is not None}
        ended = {key for key, expires_at in ends.items() if expires_at <= now}
        surplus = len(ends) + 1 - self._limit
        doomed = []
        for key in sorted(ends, key=lambda key: key not in ended):
            if not self._open[key].users and (key in ended or surplus > 0):
                doomed.append(self._open.pop(key))
                surplus -= 1
        for opened in doomed:
            await opened.stack.aclose()
