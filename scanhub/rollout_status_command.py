"""`scanhub rollout status`: what stands of hub and spokes."""

import json
import sys
from typing import Annotated

import typer
from rich.text import Text

from infra.rollout import status
from scanhub import rollout_options, terminal
from scanhub.option_groups import taking
from scanhub.rollout_options import SiteFinder
from scanhub.rollout_tables import status_document, status_lines


@taking(site=rollout_options.site)
def show(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
    site: SiteFinder,
) -> None:
    """Show what stands, and what is missing where; exit 1 if something is missing or has failed."""
    found = status.look(site())
    if as_json:
        sys.stdout.write(json.dumps(status_document(found), indent=2) + "\n")
    else:
        console = terminal.wide()
        for line in status_lines(found):
            console.print(line, soft_wrap=isinstance(line, Text))
    if not found.is_complete:
        raise typer.Exit(1)
