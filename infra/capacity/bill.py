"""What a month, a first sweep or a single day costs: the model's figures, at the prices of `infra.costs`."""

from collections.abc import Iterable

from infra.capacity.workload import Demand, Setup
from infra.costs.counts import alarm_metrics, custom_metrics
from infra.costs.usage import HOURS, Line, Sweeping, Task, Workload, bill

Lines = tuple[tuple[str, float], ...]
"""Dollars by item, in the order of the bill."""

DAYS = HOURS / 24
"""In a month."""


def month(demand: Demand, setup: Setup, tasks: float, *, due: int, sweep_hours: float) -> Lines:
    """A month of common days.

    Args:
        demand: The organization.
        setup: The service.
        tasks: That run on average.
        due: Functions that each sweep queues.
        sweep_hours: That each sweep takes.
    """
    sweeps = HOURS / setup.sweep_every
    workload = Workload(
        changes=demand.changes_per_day * DAYS,
        metrics=custom_metrics(),
        alarms=alarm_metrics(),
        package_gb=demand.mean_gb,
        task=_task(setup),
        scanned_share=demand.new_code,
        worked_hours=tasks * HOURS,
        sweeping=Sweeping(
            functions=demand.functions,
            listed=demand.functions * sweeps,
            queued=due * sweeps,
            accounts=demand.accounts * sweeps,
            hours=sweep_hours * sweeps,
        ),
    )
    return _summed(bill(workload))


def wave(
    demand: Demand, setup: Setup, task_hours: float, *, scans: float, sweep_hours: float, changes: float = 0
) -> Lines:
    """What one large sweep costs beside what stands there in any case; its results are kept for a month.

    Args:
        demand: The organization.
        setup: The service.
        task_hours: In all.
        scans: Of what the sweep has queued.
        sweep_hours: That the sweep takes.
        changes: That come meanwhile.
    """

    def bill_of(hours: float, sweeping: Sweeping, changes: float) -> tuple[Line, ...]:
        return bill(
            Workload(
                changes=changes,
                metrics=0,
                alarms=0,
                months_kept=1,
                package_gb=demand.mean_gb,
                task=_task(setup),
                scanned_share=demand.new_code,
                worked_hours=hours,
                sweeping=sweeping,
            )
        )

    sweeping = Sweeping(
        functions=demand.functions,
        listed=demand.functions,
        queued=scans,
        accounts=demand.accounts,
        hours=sweep_hours,
    )
    standing = dict(_summed(bill_of(0.0, Sweeping(), 0.0)))
    used = _summed(bill_of(task_hours, sweeping, changes))
    return tuple((item, dollars - standing.get(item, 0.0)) for item, dollars in used)


def total(lines: Lines) -> float:
    """All items together."""
    return sum(dollars for _, dollars in lines)


def _task(setup: Setup) -> Task:
    # Memory grows with the CPUs, as the hub's defaults have it: 4 GB for each.
    return Task(cpus=setup.task_cpus, memory_gib=4.0 * setup.task_cpus, slots=setup.slots)


def _summed(lines: Iterable[Line]) -> Lines:
    items: dict[str, float] = {}
    for line in lines:
        items[line.item] = items.get(line.item, 0.0) + line.dollars
    return tuple(items.items())
