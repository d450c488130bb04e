"""`scanhub demo`: the main job on a local cloud."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from scanhub import terminal
from scanhub.local_extra import needed
from spoke.errors import ScanhubError


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")] = False,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the results and the worker's log are left.")
    ] = Path(".demo"),
) -> None:
    """Run the whole path on the embedded local cloud (or AWS_ENDPOINT_URL): no AWS account, no Docker."""
    begun = time.monotonic()
    with needed():
        from scanhub.demo_report import told  # noqa: PLC0415  # the worker's image has no local cloud
        from scanhub.demonstration import demonstrate  # noqa: PLC0415  # the worker's image has no local cloud
    console = terminal.console(stderr=as_json)
    report = demonstrate(output, console, live_table=not as_json)
    if as_json:
        sys.stdout.write(json.dumps(report.document(), indent=2) + "\n")
    else:
        told(report, console)
        console.print(f"\nIt took {time.monotonic() - begun:.0f} s.")
    if report.faults:
        raise ScanhubError("the demo did not end as it should: " + "; ".join(report.faults))
