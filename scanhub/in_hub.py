"""A command of this command line, run as a task in the hub instead of here."""

import asyncio
import os
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from hub.caller import caller_arn
from infra import hub_task
from infra.rollout.sessions import Sessions
from scanhub import terminal
from scanhub.wiring import aws_session
from spoke.clients import Clients

InHub = Annotated[
    bool, typer.Option("--in-hub", help="Run it as a task in the hub, from where member accounts can be entered.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is done.")]

LONGEST = 24 * 3600.0
"""Seconds that a task is waited for."""


def run_in_hub(arguments: Sequence[str], *, wait: bool) -> int:
    """Start the command as a task; it writes to the hub's log group.

    Args:
        arguments: What follows the word `scanhub`.
        wait: Until it has ended.

    Returns:
        Its exit code; 0 where nobody waits.

    Raises:
        Misconfigured: There is no hub with a service here, or these credentials may not start a task in it.
        ScanhubError: It could not be started now, or has not ended within a day.
    """
    console = terminal.console()
    ecs = Sessions(region=os.environ.get("AWS_REGION")).client("ecs")
    task = hub_task.start(ecs, arguments, by=asyncio.run(_caller()))
    console.print(Text(f"task  {task.arn}"), soft_wrap=True)
    console.print(Text(f"log   {hub_task.LOG_GROUP} {task.log}"), soft_wrap=True)
    if not wait:
        return 0
    seen: list[str] = []

    def looked(status: str) -> None:
        if seen[-1:] != [status]:
            seen.append(status)
            console.print(Text(f"      {status.lower()}", style="dim"))

    try:
        return hub_task.ended(ecs, task, patience=LONGEST, looked=looked)
    except KeyboardInterrupt:
        stop = f"aws ecs stop-task --cluster {hub_task.CLUSTER} --task {task.arn}"
        terminal.console(stderr=True).print(Text(f"the task goes on; to stop it: {stop}"), soft_wrap=True)
        raise


async def _caller() -> str:
    async with Clients(session=aws_session(os.environ)) as clients:
        arn = await caller_arn(await clients.get("sts"))
    return arn.rpartition(":")[2]
