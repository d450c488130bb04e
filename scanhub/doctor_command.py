"""`scanhub doctor`: check by check, what is wrong with a hub and its spokes, and what to do."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from scanhub import functions, terminal

QUIET_DAYS = 14
"""As long as the hub's archive keeps events: what was lost within it can be replayed."""


def doctor(  # noqa: PLR0913, PLR0917  # each is an option of the command line
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 also for warnings and for what could not be asked.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Tell each check by itself, also many that are all well.")
    ] = False,
    inside: Annotated[
        bool, typer.Option("--inside", help="Only what the worker sees, asked here with the settings SCANHUB_*.")
    ] = False,
    no_task: Annotated[
        bool, typer.Option("--no-task", help="Run no ECS task: leave out what only the worker can see.")
    ] = False,
    accounts: Annotated[
        str | None, typer.Option(metavar="ID,ID", help="Accounts to enter; by default those of the StackSet.")
    ] = None,
    regions: Annotated[
        str | None, typer.Option(metavar="REGION,REGION", help="Their regions; by default those of the StackSet.")
    ] = None,
    quiet_days: Annotated[
        int, typer.Option(min=1, help="Days without an event after which an account and region is worth a warning.")
    ] = QUIET_DAYS,
    qscanner: Annotated[
        str | None,
        typer.Option(
            metavar="FUNCTION_ARN",
            help="Also try the scanner's undocumented points on this function; it is scanned about a dozen times.",
        ),
    ] = None,
    secret_rules: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Rules for secrets to try, with --inside.")
    ] = None,
    timeout: Annotated[int, typer.Option(min=1, help="Minutes that the task may take.")] = 15,
    region: Annotated[str | None, typer.Option(envvar="AWS_REGION", help="The hub's region.")] = None,
    profile: Annotated[str | None, typer.Option(help="A profile of your AWS configuration.")] = None,
    as_lines: Annotated[bool, typer.Option("--lines", hidden=True)] = False,
    accounts_only: Annotated[bool, typer.Option("--accounts-only", hidden=True)] = False,
) -> None:
    """Say check by check what is wrong with the hub and the spokes, why, and what to do; 1 when something is."""
    from infra.doctor import lines, report  # noqa: PLC0415  # a worker that starts must not pay for boto3
    from infra.rollout.sessions import Sessions  # noqa: PLC0415  # same
    from scanhub import doctor_halves, doctor_tables  # noqa: PLC0415  # same
    from scanhub.doctor_inside import Wanted, account_ids, names  # noqa: PLC0415  # same

    wanted = Wanted(
        accounts=account_ids(accounts),
        regions=names(regions),
        accounts_only=accounts_only,
        function=functions.parse(qscanner) if qscanner is not None else None,
        rules=secret_rules,
        quiet=timedelta(days=quiet_days),
    )
    errors = terminal.console(stderr=True)

    def progress(step: str) -> None:
        if errors.is_terminal:
            errors.print(step, style="dim")

    if inside:
        checks = doctor_halves.from_inside(wanted, progress, live=as_lines)
    else:
        clients = Sessions(region=region, profile=profile)
        minutes = None if no_task else timeout
        checks = doctor_halves.both(clients, wanted, progress, minutes=minutes)
    if as_lines:
        doctor_halves.say(lines.last_line(len(checks)))
    elif as_json:
        sys.stdout.write(json.dumps(report.document(checks), indent=2) + "\n")
    else:
        doctor_tables.told(checks, terminal.console(), everything=everything)
    if report.is_wrong(checks, strict=strict) and not as_lines:
        raise typer.Exit(1)
