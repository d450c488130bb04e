"""The parts of the hub that a worker stands on, each asked as the worker asks it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Protocol

import aiohttp

from hub.diagnosis import Kind
from hub.ecs_agent import PATH, TIME_OUT, UNREACHED
from hub.inquiry import Inquiry
from hub.settings import Settings
from infra.doctor.kinds import QUALYS_SECRET
from spoke.errors import Unavailable

GROUP = "worker"

SETTINGS = Kind(
    name="settings",
    group=GROUP,
    asks="are the worker's settings complete and right?",
    wrong="The worker does not start.",
    fix="set what is named (docs/settings.md); on ECS the task definition sets all of it: run `scanhub rollout hub`",
)
EXTERNAL_ID = Kind(
    name="external-id-secret",
    group="secrets",
    asks="does the secret of the external id hold one?",
    wrong="The worker does not start, for it cannot enter any account.",
    fix="run `scanhub rollout hub`, which makes one, then `scanhub rollout spokes`, which hands it on",
)
QUEUE = Kind(
    name="reach-queues",
    group=GROUP,
    asks="does the worker reach each queue and its dead-letter queue?",
    wrong="The worker does not start.",
    fix="compare the task role with docs/iam.md, and the subnets' way to SQS: an endpoint or a NAT gateway",
)
LEDGER = Kind(
    name="reach-ledger",
    group=GROUP,
    asks="does the worker reach the ledger's table, and is it one?",
    wrong="The worker does not start.",
    fix="compare the task role with docs/iam.md, and the subnets' way to DynamoDB",
)
BUCKET = Kind(
    name="reach-bucket",
    group=GROUP,
    asks="does the worker reach the results' bucket?",
    wrong="The worker does not start.",
    fix="compare the task role with docs/iam.md, and the subnets' way to S3",
)
PROTECTION = Kind(
    name="task-protection",
    group=GROUP,
    asks="does the ECS agent answer, by which a task that scans is protected?",
    wrong="Scaling in or a deployment may end a scan half-way; its message comes again.",
    fix="let the service run on Fargate with platform version 1.4 or later",
)
KINDS = (SETTINGS, QUALYS_SECRET, EXTERNAL_ID, QUEUE, LEDGER, BUCKET, PROTECTION)


class Checkable(Protocol):
    """A part of the hub that can be asked one cheap question."""

    async def check(self) -> None:
        """Raises `ScanhubError` if it is not usable."""
        ...


def inquiries(
    settings: Settings, *, queues: Mapping[str, Checkable], ledger: Checkable, results: Checkable
) -> Iterator[Inquiry]:
    """The questions to the hub's adapters.

    Args:
        settings: For the names.
        queues: By name.
        ledger: The table.
        results: The bucket.
    """
    for name, queue in queues.items():
        yield Inquiry(QUEUE, name, _reached(queue))
    yield Inquiry(LEDGER, settings.ledger_table, _reached(ledger))
    yield Inquiry(BUCKET, settings.results_bucket, _reached(results))


def _reached(part: Checkable) -> Callable[[], Awaitable[str]]:
    async def ask() -> str:
        await part.check()
        return "reached"

    return ask


def protection(agent_uri: str) -> Inquiry:
    """A question to the agent that changes nothing: a scan of this very task keeps its protection.

    Any answer of ECS shows that the way is open, also that this task belongs to no service, or that the role may not
    read the protection, which it need not.

    Args:
        agent_uri: `ECS_AGENT_URI`.
    """

    async def ask() -> str:
        url = agent_uri.rstrip("/") + PATH
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(url, timeout=TIME_OUT, allow_redirects=False) as response,
            ):
                answer = await response.json(content_type=None)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise Unavailable(f"asking for the task's protection: {type(error).__name__}: {error}") from error
        parts = answer if isinstance(answer, dict) else {}
        code = (parts.get("error") or {}).get("Code")
        if code in UNREACHED or not parts.keys() & {"protection", "failure", "error"}:
            raise Unavailable(f"asking for the task's protection: {code or 'an answer that is not known'}")
        return "the agent answers"

    return Inquiry(PROTECTION, "ECS agent", ask)
