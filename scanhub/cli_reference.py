"""Writes `docs/cli.md`: every command and option, as the command line itself knows them (`make cli`)."""

import re
import sys
from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click

from scanhub.command_line import app

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "cli.md"

_TITLE = "Command line"
_INTRODUCTION = """\
Written by `make cli` from the commands themselves; a test holds it to be current.

Commands that ask the hub read [settings](settings.md) from the environment; how to print those of a hub:
`eval "$(scanhub rollout settings)"`. With `--json` a command prints one document on stdout, with a `schemaVersion` and
times in ISO 8601 (UTC), and nothing else there.

| exit code | |
|---|---|
| 0 | done |
| 1 | failed: one line on stderr says what |
| 2 | wrong usage or settings |
| 3 | done in part: what failed is listed |
| 42, 43 | `scan --wait`: the policy says DENY; no policy was evaluated |
| 130 | interrupted |
| 143 | ended by SIGTERM: a sweep, with which the next one of its scope goes on, or a worker that was not ready yet |
"""


def reference() -> str:
    """The document."""
    command = typer.main.get_command(app)
    _shorten(command)
    context = typer.Context(command, info_name="scanhub")
    with context:
        text: str = get_docs_for_click(obj=command, ctx=context, name="scanhub", title=_TITLE)
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{_INTRODUCTION}\n{rest.strip()}\n"


def _shorten(command: Any) -> None:  # noqa: ANN401  # typer brings a copy of click without names to import
    """In the lists of commands, say the first sentence of each: typer would cut it in the middle."""
    for one in getattr(command, "commands", {}).values():
        sentence = re.split(r"[.;]\s", " ".join((one.help or "").split("\n\n")[0].split()))[0]
        one.short_help = f"{sentence.rstrip('.')}."
        _shorten(one)


if __name__ == "__main__":
    DOCUMENT.write_text(reference())
    sys.stdout.write("docs/cli.md: written\n")
