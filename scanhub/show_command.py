"""`scanhub show`: one function, its last result and what was found in it."""

import asyncio
import json
import os
import sys
from typing import Annotated

import typer
from rich.text import Text

from hub.coverage import Coverage
from hub.findings import Finding, finding_document
from hub.settings import load
from hub.stored_results import StoredResults
from scanhub import functions, terminal
from scanhub.documents import SCHEMA_VERSION, coverage_document
from scanhub.tables import counts, findings_table, state
from scanhub.wiring import open_hub
from spoke.arn import FunctionArn
from spoke.errors import ScanhubError


def show(
    function: Annotated[str, typer.Argument(help="The function's ARN.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
) -> None:
    """Show the state of one function, its last good result and the findings in it."""
    coverage, findings = asyncio.run(_read(functions.parse(function)))
    if as_json:
        document = {
            "schemaVersion": SCHEMA_VERSION,
            **coverage_document(coverage),
            "findings": [finding_document(finding) for finding in findings],
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    _tell(coverage, findings)


async def _read(function: FunctionArn) -> tuple[Coverage, list[Finding]]:
    async with open_hub(load(), os.environ) as hub:
        coverage = await hub.ledger.coverage(function)
        if coverage is None:
            raise ScanhubError(f"{function} was never seen; ask for a scan with: scanhub scan {function}")
        if coverage.last_good is None:
            return coverage, []
        return coverage, await StoredResults(hub.objects).findings_under(coverage.last_good.manifest_key)


def _tell(coverage: Coverage, findings: list[Finding]) -> None:
    console = terminal.wide()
    console.print(Text(str(coverage.function), style="bold"), soft_wrap=True)
    reason = f" ({coverage.reason})" if coverage.reason else ""
    since = f"{reason}, since {coverage.at:%Y-%m-%d %H:%M:%S} UTC"
    console.print(Text("state     ") + state(coverage) + Text(since), soft_wrap=True)
    summary = coverage.last_good
    if summary is None:
        console.print("result    none yet")
        return
    console.print(Text(f"result    {summary.status.value}, {summary.completed_at:%Y-%m-%d %H:%M:%S} UTC"))
    console.print(Text("found     ") + counts(summary) + Text(f" in {summary.packages} packages"))
    console.print(Text(f"files     {summary.manifest_key.rpartition('/')[0]}/"), soft_wrap=True)
    if findings:
        console.print()
        console.print(findings_table(findings))
