"""The AWS adapters, put together from the settings."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TextIO
from urllib.parse import urlsplit

import aiohttp
from aiobotocore.session import AioSession, get_session

from hub.credentials import SecretReader
from hub.dead_letters.queue import DeadLetters
from hub.ecs_agent import EcsTaskProtection
from hub.ledger import DynamoLedger
from hub.message import Source
from hub.metrics import EmbeddedMetrics
from hub.objects import S3Objects
from hub.qualys import QualysCredentials
from hub.queue import SqsQueue
from hub.redaction import Redactor
from hub.register import DynamoRegister
from hub.results import Results
from hub.settings import Settings
from hub.topic import Silence, SnsNotifier
from scanhub import __version__
from scanhub.call_count import CallCount
from scanhub.spoke_wiring import spoke_roles
from spoke.clients import Clients
from spoke.clock import SystemClock
from spoke.errors import Misconfigured
from spoke.gateway import AwsSpoke
from worker.health import Condition, Unwatched
from worker.ports import Clock, Notifier, Protection
from worker.protection import Unprotected
from worker.scanner.driver import prepare
from worker.service import Service
from worker.trip import Observer
from worker.world import World


@dataclass(frozen=True, kw_only=True)
class Hub:
    """What the security account owns, ready for use."""

    settings: Settings
    clients: Clients
    clock: Clock
    queues: Mapping[Source, SqsQueue]
    dead_letters: Mapping[Source, DeadLetters]
    ledger: DynamoLedger
    register: DynamoRegister
    objects: S3Objects
    results: Results
    calls: CallCount

    async def check(self) -> None:
        """Ask each part one cheap question, so that a wrong name shows at the start and not at the first message.

        Raises:
            Misconfigured: A queue, the table or the bucket is not there, or may not be used.
            Unavailable: The endpoint does not answer.
        """
        for queue in self.queues.values():
            await queue.check()
        await self.ledger.check()
        await self.results.check()


def aws_session(environ: Mapping[str, str]) -> AioSession:
    """A session in the region of the environment.

    botocore reads `AWS_DEFAULT_REGION` alone; `AWS_REGION` is what Fargate sets and what every other SDK reads first.

    Raises:
        Misconfigured: An endpoint is no URL; botocore would tell so by a traceback.
    """
    for name, value in environ.items():
        if name.startswith("AWS_ENDPOINT_URL") and value and not _is_url(value):
            raise Misconfigured(f"{name} is no URL: {value}; it looks like http://127.0.0.1:4566")
    session = get_session()
    region = environ.get("AWS_REGION")
    if region:
        session.set_config_variable("region", region)
    return session


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


@asynccontextmanager
async def open_hub(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[Hub]:
    """The hub's adapters; their connections are closed at the end."""
    clock = SystemClock()
    session = aws_session(environ)
    calls = CallCount(session)
    async with Clients(session=session, user_agent=f"scanhub/{__version__}") as clients:
        sqs, visibility = await clients.get("sqs"), timedelta(seconds=settings.visibility_timeout)
        # Each queue's, and that of its dead-letter queue.
        urls = {
            Source.CHANGES: (settings.changes_queue_url, settings.changes_dlq_url),
            Source.SWEEP: (settings.sweep_queue_url, settings.sweep_dlq_url),
        }
        objects = S3Objects(await clients.get("s3"), settings.results_bucket, kms_key_arn=settings.results_kms_key_arn)
        yield Hub(
            settings=settings,
            clients=clients,
            clock=clock,
            queues={
                source: SqsQueue(sqs, url=url, dlq_url=dlq_url, source=source, clock=clock, visibility=visibility)
                for source, (url, dlq_url) in urls.items()
                if url is not None and dlq_url is not None
            },
            dead_letters={
                source: DeadLetters(sqs, url=dlq_url, source=source, clock=clock)
                for source, (_, dlq_url) in urls.items()
                if dlq_url is not None
            },
            ledger=DynamoLedger(await clients.get("dynamodb"), settings.ledger_table),
            register=DynamoRegister(await clients.get("dynamodb"), settings.ledger_table, clock=clock),
            objects=objects,
            results=Results(objects),
            calls=calls,
        )


class CurrentCredentials:
    """The Qualys credentials in force, and the way to read them anew."""

    def __init__(self, secrets: SecretReader, arn: str, redactor: Redactor) -> None:
        self._secrets = secrets
        self._arn = arn
        self._redactor = redactor
        self._current: QualysCredentials | None = None

    async def renew(self) -> None:
        """Read the secret; from here on its values are removed from whatever is logged or stored."""
        self._current = await self._secrets.qualys(self._arn)
        self._redactor.add(*self._current.secret_values())

    def __call__(self) -> QualysCredentials:
        """What the next scan signs in with."""
        if self._current is None:
            raise AssertionError("renewed before the first scan")
        return self._current


@asynccontextmanager
async def open_worker(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    metrics: TextIO,
    observer: Observer,
    redactor: Redactor,
    health: Condition | None = None,
) -> AsyncIterator[Service]:
    """A worker that is ready to run: everything it stands on was asked once.

    Args:
        settings: The settings.
        environ: The environment: what the scanner gets is picked from it, and ECS names its agent there.
        metrics: Where embedded metrics are written.
        observer: Who watches the journeys.
        redactor: Learns the secrets, and removes them.
        health: Is told when the worker cannot go on; by default nobody is.

    Raises:
        Misconfigured: A setting, a secret, the scanner or one of the hub's parts is not usable.
        Unavailable: The endpoint does not answer.
    """
    async with open_hub(settings, environ) as hub, _protection(environ) as protection:
        await hub.check()
        secrets = SecretReader(await hub.clients.get("secretsmanager"))
        credentials = CurrentCredentials(secrets, settings.qualys_secret_arn, redactor)
        await credentials.renew()
        roles = await spoke_roles(settings, hub.clients, hub.clock, redactor)
        scanner = await prepare(settings, credentials=credentials, redactor=redactor, environ=environ, clock=hub.clock)
        world = World(
            settings=settings,
            clock=hub.clock,
            spoke=AwsSpoke(hub.clients, roles),
            ledger=hub.ledger,
            results=hub.results,
            scanner=scanner,
            notifier=await _notifier(settings, hub.clients),
            metrics=EmbeddedMetrics(metrics),
            register=hub.register,
            version=__version__,
            observer=observer,
            protection=protection,
            health=health or Unwatched(),
        )
        yield Service(hub.queues, world, renew_credentials=credentials.renew)


@asynccontextmanager
async def _protection(environ: Mapping[str, str]) -> AsyncIterator[Protection]:
    agent_uri = environ.get("ECS_AGENT_URI")
    if not agent_uri:
        yield Unprotected()
        return
    async with aiohttp.ClientSession() as session:
        yield EcsTaskProtection(session, agent_uri)


async def _notifier(settings: Settings, clients: Clients) -> Notifier:
    if settings.topic_arn is None:
        return Silence()
    return SnsNotifier(await clients.get("sns"), settings.topic_arn)
