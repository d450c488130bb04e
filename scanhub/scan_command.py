"""`scanhub scan`: ask for scans, and wait for them if wanted."""

import asyncio
import os
from typing import Annotated

import typer
from tenacity import AsyncRetrying, RetryError, retry_if_result, stop_after_delay, wait_fixed

from hub.coverage import Coverage, CoverageState
from hub.message import Source
from hub.scans import PolicyVerdict
from hub.settings import load
from scanhub import functions, terminal
from scanhub.tables import coverage_table
from scanhub.wiring import Hub, open_hub
from spoke.arn import FunctionArn
from spoke.errors import ScanhubError
from spoke.events import scan_request

POLL_SECONDS = 2
POLICY_DENY = 42
POLICY_NOT_EVALUATED = 43
UNSETTLED = {CoverageState.PENDING, CoverageState.SCANNING}
SCANNED = {CoverageState.COVERED, CoverageState.PARTIAL}
GOOD = SCANNED | {CoverageState.EXCLUDED, CoverageState.GONE}


def scan(
    arns: Annotated[list[str], typer.Argument(metavar="FUNCTION...", help="Function ARNs.")],
    force: Annotated[bool, typer.Option("--force", help="Scan although a fresh result is there.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until each has its result.")] = False,
    timeout: Annotated[int, typer.Option(min=1, help="Seconds to wait at the most.")] = 900,
) -> None:
    """Ask for a scan of these functions; the worker does it."""
    wanted = [functions.parse(arn) for arn in arns]
    console = terminal.console()
    if not wait:
        asyncio.run(_ask(wanted, force=force))
        console.print(f"{len(wanted)} scan{'s' if len(wanted) > 1 else ''} asked for.")
        return
    coverages = asyncio.run(_ask_and_wait(wanted, force=force, patience=timeout))
    console.print(coverage_table(coverages))
    raise typer.Exit(exit_code(coverages))


def exit_code(coverages: list[Coverage]) -> int:
    """0, or the worst of what was found out: 1 failed, 42 policy DENY, 43 no policy evaluated."""
    if any(coverage.state not in GOOD for coverage in coverages):
        return 1
    # A verdict on a function that is gone or excluded by now is of an earlier day.
    scanned = [coverage for coverage in coverages if coverage.state in SCANNED]
    verdicts = {coverage.last_good.policy for coverage in scanned if coverage.last_good is not None}
    if PolicyVerdict.DENY in verdicts:
        return POLICY_DENY
    return POLICY_NOT_EVALUATED if PolicyVerdict.AUDIT in verdicts else 0


async def _ask(wanted: list[FunctionArn], *, force: bool) -> None:
    async with open_hub(load(), os.environ) as hub:
        for function in wanted:
            await _send(function, hub, force=force)


async def _ask_and_wait(wanted: list[FunctionArn], *, force: bool, patience: int) -> list[Coverage]:
    async with open_hub(load(), os.environ) as hub:
        before = {function: await hub.ledger.coverage(function) for function in wanted}
        for function in wanted:
            await _send(function, hub, force=force)
        return list(await asyncio.gather(*(_settled(function, before[function], hub, patience) for function in wanted)))


async def _send(function: FunctionArn, hub: Hub, *, force: bool) -> None:
    body = scan_request(function, reason="manual", force=force)
    await hub.queues[Source.CHANGES].send(body, group=function.account)


async def _settled(function: FunctionArn, before: Coverage | None, hub: Hub, patience: int) -> Coverage:
    """The function's state once the worker has written a new one that will not change by itself."""

    def unsettled(coverage: Coverage | None) -> bool:
        return coverage is None or coverage.state in UNSETTLED or (before is not None and coverage.at == before.at)

    asking = AsyncRetrying(
        retry=retry_if_result(unsettled), wait=wait_fixed(POLL_SECONDS), stop=stop_after_delay(patience)
    )
    try:
        coverage: Coverage = await asking(hub.ledger.coverage, function)
    except RetryError:
        raise ScanhubError(f"{function}: no result within {patience} s; is a worker running?") from None
    return coverage
