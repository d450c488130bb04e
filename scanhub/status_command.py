"""`scanhub status`: the state of every function."""

import asyncio
import json
import os
import sys
from collections import Counter
from typing import Annotated

import typer

from hub.coverage import Coverage
from hub.settings import load
from scanhub import terminal
from scanhub.documents import SCHEMA_VERSION, coverage_document
from scanhub.tables import coverage_table
from scanhub.wiring import open_hub


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")] = False,
) -> None:
    """Show the state of every function that was ever seen."""
    coverages = asyncio.run(_coverages())
    states = Counter(coverage.state.value for coverage in coverages)
    if as_json:
        document = {
            "schemaVersion": SCHEMA_VERSION,
            "states": dict(sorted(states.items())),
            "functions": [coverage_document(coverage) for coverage in coverages],
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    console = terminal.console()
    if not coverages:
        console.print("No function was seen yet.")
        return
    console.print(coverage_table(coverages))
    console.print()
    console.print(", ".join(f"{count} {state}" for state, count in sorted(states.items())))


async def _coverages() -> list[Coverage]:
    async with open_hub(load(), os.environ) as hub:
        coverages = [coverage async for coverage in hub.ledger.coverages()]
    return sorted(coverages, key=lambda coverage: coverage.function)
