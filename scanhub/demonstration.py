"""The main job on a local cloud, from the events in the spokes to the findings in the hub."""

import asyncio
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TextIO

from rich.console import Console

from hub import logs
from hub.redaction import Redactor
from hub.settings import Settings, load
from hub.sweep.report import SweepReport
from hub.sweeps import SweepScope
from infra import roster
from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy
from infra.local.scenario import play
from scanhub.demo_report import Ended, Report, gather
from scanhub.local_extra import stand_in
from scanhub.progress import Progress, live
from scanhub.sweep_wiring import open_sweep
from scanhub.wiring import open_worker
from spoke.clock import SystemClock
from worker.tally import Tally
from worker.trip import Observer


def demonstrate(output: Path, console: Console, *, live_table: bool) -> Report:
    """Run the whole path once, on AWS_ENDPOINT_URL or else on an embedded cloud that ends with it.

    Args:
        output: Where the results and the worker's log are left.
        console: Is told each step.
        live_table: Whether the worker's progress is drawn there.
    """
    with ExitStack() as stack:
        # An endpoint of the user's own stays in the environment, where those of single services may stand beside it.
        endpoint = None if os.environ.get("AWS_ENDPOINT_URL") else stack.enter_context(_embedded(console))
        return _run(endpoint, output, console, stack, live_table=live_table)


@contextmanager
def _embedded(console: Console) -> Iterator[str]:
    console.print("[bold]1[/]  Starting the embedded cloud (moto's server, in this process)")
    with EmbeddedCloud() as cloud:
        yield cloud.endpoint


def _run(endpoint: str | None, output: Path, console: Console, stack: ExitStack, *, live_table: bool) -> Report:
    output.mkdir(parents=True, exist_ok=True)
    begun = SystemClock().now()

    def tell(line: str) -> None:
        console.print(f"   {line}", style="dim")

    console.print("[bold]2[/]  Deploying hub and spokes from infra/hub.yaml and infra/spoke.yaml")
    deployment = deploy(endpoint, progress=tell)
    console.print("[bold]3[/]  Publishing sample functions and sending their events through EventBridge")
    scenario = play(deployment, progress=tell)
    console.print("[bold]4[/]  Running the worker until the queue is empty")
    work_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="scanhub-demo-"))
    if endpoint is not None:
        stack.enter_context(_environment({"AWS_ENDPOINT_URL": endpoint}))
    stack.enter_context(_environment(_variables(deployment, Path(work_dir))))
    settings = load()
    progress = Progress()
    log = stack.enter_context((output / "worker.log").open("w"))
    with live(progress, console) if live_table else nullcontext():
        tally = asyncio.run(_work(settings, log, progress))
    console.print("[bold]5[/]  Sweeping: listing what really exists, and queueing what no event has told of")
    swept = asyncio.run(_sweep(settings, deployment))
    tell(f"{swept.counts.functions} functions in {swept.counts.accounts} accounts, {swept.counts.due} queued")
    with live(progress, console) if live_table else nullcontext():
        after = asyncio.run(_work(settings, log, progress))
    ended = Ended(events=tally, sweep=swept, swept=after)
    return asyncio.run(gather(settings, deployment, scenario, ended, output, since=begun))


def _variables(deployment: Deployment, work_dir: Path) -> dict[str, str]:
    """A worker's environment on this deployment."""
    return {
        "AWS_REGION": deployment.hub_region,
        "AWS_DEFAULT_REGION": deployment.hub_region,
        # A local cloud asks for credentials and believes any.
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        "SCANHUB_QSCANNER_PATH": str(stand_in()),
        "SCANHUB_WORK_DIR": str(work_dir),
        **deployment.settings,
    }


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The process's environment with these; as it was, afterwards."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


async def _sweep(settings: Settings, deployment: Deployment) -> SweepReport:
    async with open_sweep(settings, os.environ, observer=None, redactor=Redactor()) as ready:
        accounts = roster.of_names(deployment.spokes).accounts
        scope = SweepScope(accounts=accounts, regions=deployment.regions, profile_id=ready.profile.id)
        return await ready.sweep.run(scope, accounts)


async def _work(settings: Settings, log: TextIO, observer: Observer) -> Tally:
    redactor = Redactor()
    logs.configure(settings.log_level, stream=log, redactor=redactor, terminal=False)
    async with open_worker(settings, os.environ, metrics=log, observer=observer, redactor=redactor) as service:
        return await service.run(drain=True)
