"""Which commands there are, and the command line of some of them."""

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Annotated

import typer

from scanhub import __version__

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "demo_command:demo",
        "worker": "worker_command:worker",
        "sweep": "sweep_command:sweep",
        "scan": "scan_command:scan",
        "coverage": "coverage_command:coverage",
        "show": "show_command:show",
        "status": "status_command:status",
        "pause": "pause_command:pause",
        "resume": "pause_command:resume",
        "dlq": "dlq_command:app",
        "replay": "replay_command:app",
        "plan": "plan_command:plan",
        "doctor": "doctor_command:doctor",
        "rollout": "rollout_command:app",
        "local": "local_command:app",
    }
)
"""By name, in the order of the help: the module in this package, and what in it is the command."""


def build(names: Iterable[str]) -> typer.Typer:
    """A command line of these commands. Only their modules are imported: all of them take a second of CPU."""
    app = typer.Typer(
        name="scanhub",
        help="Keeps every AWS Lambda function of an organization scanned, from one security account.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in names:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(f"scanhub.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"scanhub {__version__}\n")
        raise typer.Exit


def _root(
    version: Annotated[  # read by its callback; a flag
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Keeps every AWS Lambda function of an organization scanned, from one security account."""
