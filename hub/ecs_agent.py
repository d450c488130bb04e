"""ECS task scale-in protection, asked of the agent beside the container.

The endpoint, its requests and answers:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
The agent calls UpdateTaskProtection with the credentials of the task role.
"""

import math
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp

from spoke.aws_errors import THROTTLING, TRANSIENT
from spoke.errors import Retry, Throttled, Unavailable

PATH = "/task-protection/v1/state"

MOST_MINUTES = 2880
"""Minutes of one protection at the most (48 hours); one at the least."""

TIME_OUT = aiohttp.ClientTimeout(total=5)
"""The agent is on this machine; it gives ECS about four seconds itself."""

UNREACHED = frozenset({"RequestCanceled", "RequestError", "RequestTimeout"})
"""The agent's words for an ECS that it cannot reach; what was asked may have been done all the same."""


class EcsTaskProtection:
    """Protects the task that this process runs in; implements `worker.ports.Protection`.

    Args:
        session: It must not heed proxy variables (aiohttp's default): the agent has a link-local address.
        agent_uri: `ECS_AGENT_URI`, which ECS puts into every container.
    """

    def __init__(self, session: aiohttp.ClientSession, agent_uri: str) -> None:
        self._session = session
        self._url = agent_uri.rstrip("/") + PATH

    async def protect(self, span: timedelta) -> None:
        """Let ECS not end this task, to scale in or to deploy, within `span`: rounded up to minutes, 48 hours at most.

        Raises:
            Throttled: ECS asks for patience.
            Unavailable: The agent or ECS does not answer: the task may be protected or not.
            Retry: ECS refuses: the task belongs to no service, the role may not, too many tasks are protected.
        """
        minutes = min(max(1, math.ceil(span / timedelta(minutes=1))), MOST_MINUTES)
        await self._put({"ProtectionEnabled": True, "ExpiresInMinutes": minutes})

    async def release(self) -> None:
        """Let ECS end this task when it wants to. A task that is not protected is no error.

        Raises:
            Throttled, Unavailable, Retry: As in `protect`.
        """
        await self._put({"ProtectionEnabled": False})

    async def _put(self, request: Mapping[str, Any]) -> None:
        try:
            async with self._session.put(self._url, json=request, timeout=TIME_OUT, allow_redirects=False) as response:
                # An error comes with a status of 4xx or 5xx, a failure with 200; the body tells them apart.
                answer, status = await response.json(content_type=None), response.status
        except TimeoutError as error:
            raise Unavailable(f"setting task protection: no answer within {TIME_OUT.total:.0f} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"setting task protection: {type(error).__name__}: {error}") from error
        except ValueError as error:
            raise Unavailable("setting task protection: the agent's answer is no JSON") from error
        _read(answer, status, wanted=request["ProtectionEnabled"])


def _read(answer: object, status: int, *, wanted: bool) -> None:
    parts = answer if isinstance(answer, dict) else {}
    match parts:
        case {"error": {"Code": str(code), **rest}}:
            raise _kind(code, status)(f"setting task protection: {code}: {_one_line(rest.get('Message'))}")
        case {"failure": {"Reason": str(reason), **rest}}:
            raise Retry(f"setting task protection: {reason}: {_one_line(rest.get('Detail'))}".removesuffix(": "))
        case {"protection": {"ProtectionEnabled": bool(enabled)}} if enabled is wanted:
            return
    raise Unavailable(f"setting task protection: an answer that is not known (HTTP {status})")


def _kind(code: str, status: int) -> type[Retry]:
    if code in THROTTLING or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled
    if code in UNREACHED or code in TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable
    return Retry


def _one_line(text: object) -> str:
    return " ".join(str(text or "").split())[:500]
