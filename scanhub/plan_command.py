"""`scanhub plan`: how long, how many tasks and what it costs for an organization, and for one ten times as large."""

import json
import sys
from typing import Annotated

import typer

from scanhub import terminal

LONGEST_SCAN = 21_600
"""Seconds; see `SCANHUB_SCAN_TIMEOUT`."""

MOST_CHANGES = 1_000
"""Of a function in a day. One more often changed is no deployment, and takes the model minutes."""


def plan(  # noqa: PLR0913, PLR0917  # each is an option of the command line
    functions: Annotated[int, typer.Option(min=1, max=10_000_000, help="Functions of the organization.")],
    accounts: Annotated[int, typer.Option(min=1, max=100_000, help="Its accounts.")],
    changes_per_day: Annotated[float, typer.Option(min=0, max=10_000_000, help="Change events a day.")],
    scan_seconds: Annotated[
        float, typer.Option(min=0.1, max=LONGEST_SCAN, help="How long a package is scanned, on average.")
    ],
    zip_share: Annotated[float, typer.Option(min=0, max=1, help="The share of packages; the rest are images.")] = 1.0,
    image_scan_seconds: Annotated[
        float | None,
        typer.Option(min=0.1, max=LONGEST_SCAN, help="How long an image is scanned; by default three times as long."),
    ] = None,
    new_code: Annotated[
        float, typer.Option(min=0, max=1, help="The share of changes that bring code without a fresh result.")
    ] = 1.0,
    busy_hours: Annotated[float, typer.Option(min=1, max=24, help="Hours of a day in which changes come.")] = 24.0,
    regions: Annotated[int, typer.Option(min=1, max=50, help="Regions with functions, in each account.")] = 3,
    min_tasks: Annotated[int, typer.Option(min=0, help="The hub's parameter MinTasks.")] = 1,
    max_tasks: Annotated[int, typer.Option(min=1, max=5000, help="The hub's parameter MaxTasks.")] = 10,
    task_cpus: Annotated[int, typer.Option(min=1, max=16, help="CPUs of a task.")] = 2,
    slots: Annotated[
        int | None, typer.Option(min=1, max=64, help="Scans at once in a task; by default two a CPU.")
    ] = None,
    sweep_per_minute: Annotated[
        int, typer.Option(min=0, max=100_000, help="Functions that a sweep queues in a minute; 0 is without a limit.")
    ] = 600,
    sweep_every: Annotated[float, typer.Option(min=1, max=168, help="Hours between two sweeps.")] = 24.0,
    cache_ttl_days: Annotated[int, typer.Option(min=1, max=365, help="Days for which a result is fresh.")] = 30,
    package_mb: Annotated[
        float, typer.Option(min=0, max=100_000, help="MB through the NAT gateway to scan a package.")
    ] = 20.0,
    image_mb: Annotated[float, typer.Option(min=0, max=100_000, help="The same for an image.")] = 400.0,
    seed: Annotated[int, typer.Option(help="Of the random numbers: the same seed, the same answer.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")] = False,
) -> None:
    """Say what an organization needs: time, tasks, dollars, and which limit binds; also for ten times as much."""
    from infra.capacity.document import plan_document  # noqa: PLC0415  # a worker that starts must not pay for SimPy
    from infra.capacity.plan import plan as planned  # noqa: PLC0415  # same
    from infra.capacity.workload import Demand, Setup  # noqa: PLC0415  # same
    from scanhub import plan_tables  # noqa: PLC0415  # same

    if min_tasks > max_tasks:
        raise typer.BadParameter("must not be more than --max-tasks", param_hint="--min-tasks")
    if changes_per_day > MOST_CHANGES * functions:
        raise typer.BadParameter(
            f"must not be more than {MOST_CHANGES:,} for each of --functions", param_hint="--changes-per-day"
        )
    demand = Demand(
        functions=functions,
        accounts=accounts,
        regions=regions,
        changes_per_day=changes_per_day,
        busy_hours=busy_hours,
        new_code=new_code,
        zip_share=zip_share,
        scan_seconds=scan_seconds,
        image_scan_seconds=image_scan_seconds,
        package_mb=package_mb,
        image_mb=image_mb,
    )
    setup = Setup(
        min_tasks=min_tasks,
        max_tasks=max_tasks,
        task_cpus=task_cpus,
        slots=2 * task_cpus if slots is None else slots,
        sweep_per_minute=sweep_per_minute,
        sweep_every=sweep_every,
        ttl_days=cache_ttl_days,
    )
    sides = [planned(demand.times(factor), setup, seed=seed) for factor in (1, 10)]
    if as_json:
        sys.stdout.write(json.dumps(plan_document(sides, seed=seed), indent=2) + "\n")
    else:
        plan_tables.show(sides, terminal.wide())
