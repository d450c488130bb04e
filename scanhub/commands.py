"""Which commands there are, and the command line of some of them."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from scanhub import __version__


@dataclass(frozen=True, slots=True)
class Command:
    """One command of the table.

    Attributes:
        place: The module in this package, and what in it is the command.
        summary: Its help's first paragraph, which the list of commands shows without importing the module.
    """

    place: str
    summary: str


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "demo": Command(
            "demo_command:demo",
            "Run the whole path on the embedded local cloud (or AWS_ENDPOINT_URL): no AWS account, no Docker.",
        ),
        "worker": Command(
            "worker_command:worker",
            "Scan what changes, until stopped: SIGTERM or SIGINT ends it in good order, a second one at once.",
        ),
        "sweep": Command(
            "sweep_command:sweep",
            "List every function of the organization, and queue those without a fresh result.",
        ),
        "scan": Command("scan_command:scan", "Ask for a scan of these functions; the worker does it."),
        "coverage": Command(
            "coverage_command:coverage",
            "Show how many functions have a fresh result, and which have none for what reason.",
        ),
        "show": Command(
            "show_command:show", "Show the state of one function, its last good result and the findings in it."
        ),
        "status": Command(
            "status_command:status",
            "Show how the service is: queues, workers and their versions, breaker, pause, last sweep.",
        ),
        "pause": Command(
            "pause_command:pause",
            "Stop the service from taking work; scans that have begun end, messages wait in their queues.",
        ),
        "resume": Command("pause_command:resume", "Let the service take work again."),
        "dlq": Command("dlq_command:app", "Messages that could not be handled: see them, send them back, drop them."),
        "replay": Command("replay_command:app", "Put archived events on the bus again; or see and cancel replays."),
        "plan": Command(
            "plan_command:plan",
            "Say what an organization needs: time, tasks, dollars, and which limit binds; also for ten times as much.",
        ),
        "doctor": Command(
            "doctor_command:doctor",
            "Say check by check what is wrong with the hub and the spokes, why, and what to do; 1 when something is.",
        ),
        "rollout": Command("rollout_command:app", "Deploy hub and spokes to AWS, see what is missing, take them away."),
        "local": Command("local_command:app", "The embedded local cloud: for trying out and testing."),
    }
)
"""By name, in the order of the help."""


class _Listed(TyperGroup):
    """All commands as the table has them; the one that is run, or whose options are completed, is imported."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:  # noqa: ANN401  # typer's own copy of click has no public names
        name, listed, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, listed, rest
        group: Any = typer.main.get_command(build((name,)))
        return name, group.commands[name], rest


def listed() -> typer.Typer:
    """The command line of all commands. To import all of them takes a second of CPU: each waits for its turn."""
    app = _empty(_Listed)
    for name, command in COMMANDS.items():
        app.command(name, help=command.summary)(_nothing)
    return app


def build(names: Iterable[str]) -> typer.Typer:
    """A command line of these commands, whose modules are imported now."""
    app = _empty(TyperGroup)
    for name in names:
        module, _, attribute = COMMANDS[name].place.partition(":")
        command = getattr(import_module(f"scanhub.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _empty(kind: type[TyperGroup]) -> typer.Typer:
    app = typer.Typer(
        name="scanhub",
        cls=kind,
        help="Keeps every AWS Lambda function of an organization scanned, from one security account.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    return app


def _nothing() -> None:
    """In the place of a command that was not imported; never run."""


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
