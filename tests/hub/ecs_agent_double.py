"""The ECS agent's task protection endpoint, as its documentation shows it, on a free loopback port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TASK = "arn:aws:ecs:eu-central-1:123456789012:task/scanhub/0b69d5c0d655425c9c15f1a0c4d1ea6f"


@dataclass
class Agent:
    """What it was asked, and how it answers.

    Attributes:
        uri: What ECS puts into `ECS_AGENT_URI`.
        minutes: Of the protection in force; None without one.
        requests: The bodies, in order.
        answer: Instead of doing what is asked: a status and a body.
        content_type: Of that answer.
        hangs: Whether it answers before it is shut down.
    """

    uri: str = ""
    minutes: int | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    answer: tuple[int, str] | None = None
    content_type: str = "application/json"
    hangs: bool = False
    shut_down: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        body = await request.json()
        self.requests.append(body)
        if self.hangs:
            await self.shut_down.wait()
        if self.answer is not None:
            return web.Response(status=self.answer[0], text=self.answer[1], content_type=self.content_type)
        protection = {"ExpirationDate": None, "ProtectionEnabled": body["ProtectionEnabled"], "TaskArn": TASK}
        if body["ProtectionEnabled"]:
            assert isinstance(body["ExpiresInMinutes"], int)
            assert 1 <= body["ExpiresInMinutes"] <= 2880
            protection["ExpirationDate"] = "2026-11-22T02:29:16Z"
        else:
            assert "ExpiresInMinutes" not in body
        self.minutes = body.get("ExpiresInMinutes")
        return web.json_response({"protection": protection})


@asynccontextmanager
async def agent() -> AsyncIterator[Agent]:
    """A running agent."""
    one = Agent()
    app = web.Application()
    app.router.add_put("/api/4f2c-task/task-protection/v1/state", one.put)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    one.uri = f"http://{host}:{port}/api/4f2c-task"
    try:
        yield one
    finally:
        one.shut_down.set()
        await runner.cleanup()
