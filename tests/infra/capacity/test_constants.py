"""The model's constants are those of the templates, of the worker and of `docs/performance.md`."""

import re
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message, Source
from hub.settings import Settings
from infra.capacity import ceilings, overhead, scaling
from infra.capacity.fleet import Fleet
from infra.capacity.limits import DEPLOYMENTS, Limits
from infra.capacity.workload import Setup
from infra.costs.usage import Task
from infra.permissions.templates import read
from spoke import roles
from tests.virtual_time import run
from tests.worker.worlds import TestWorld, settings
from worker import accounts, room
from worker.memory.clock import START
from worker.trip import Trip

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ("hub.yaml", "hub-monitoring.yaml")


def resource(name: str) -> dict[str, Any]:
    """Of whichever template has it."""
    (found,) = [resources[name] for one in TEMPLATES if name in (resources := read(one)["Resources"])]
    properties: dict[str, Any] = found["Properties"]
    return properties


def default(parameter: str) -> int:
    (found,) = {
        str(parameters[parameter]["Default"])
        for one in TEMPLATES
        if parameter in (parameters := read(one)["Parameters"]) and "Default" in parameters[parameter]
    }
    return int(found)


def test_the_setup_is_the_templates_and_the_settings_own() -> None:
    setup = Setup()
    assert (setup.min_tasks, setup.max_tasks) == (default("MinTasks"), default("MaxTasks"))
    assert (setup.backlog_per_task, setup.max_change_age) == (default("BacklogPerTask"), default("MaxChangeAge"))
    assert setup.task_cpus * 1024 == default("TaskCpu")
    assert setup.ttl_days == default("CacheTTLDays") == Settings.model_fields["cache_ttl_days"].default
    assert (Task().cpus, Task().memory_gib * 1024) == (setup.task_cpus, default("TaskMemory"))
    for ours, theirs in (
        (setup.sweep_per_minute, "sweep_per_minute"),
        (setup.sweep_places, "sweep_places"),
        (setup.sweep_calls, "sweep_calls_per_second"),
        (setup.change_target, "change_target"),
    ):
        assert ours == Settings.model_fields[theirs].default


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 7, 8, 64])
def test_an_account_has_the_workers_share(slots: int) -> None:
    assert Setup(slots=slots).account_slots == settings(max_concurrent_scans=slots).scans_per_account


def test_scaling_is_the_templates() -> None:
    tracking = resource("BacklogScaling")["TargetTrackingScalingPolicyConfiguration"]
    assert (tracking["ScaleOutCooldown"], tracking["ScaleInCooldown"]) == (Setup().out_cooldown, scaling.IN_COOLDOWN)
    assert tracking["TargetValue"] == {"Ref": "BacklogPerTask"}
    steps = resource("WaitScaling")["StepScalingPolicyConfiguration"]
    assert steps["Cooldown"] == scaling.STEP_COOLDOWN
    assert [one["ScalingAdjustment"] for one in steps["StepAdjustments"]] == [1, 2]
    assert resource("ChangesWait")["EvaluationPeriods"] == scaling.STEP_PERIODS


def test_the_queues_keep_messages_for_as_long_as_the_limit_says() -> None:
    for queue in ("ChangesQueue", "SweepQueue"):
        assert resource(queue)["MessageRetentionPeriod"] == Limits.RETENTION.limit.value * 3600


def test_slots_are_given_as_by_the_worker() -> None:
    assert overhead.SWEEP_PATIENCE == room.SWEEP_PATIENCE
    assert overhead.NOTICED_SECONDS == room.SHARED_POLL
    assert roles.DURATION.total_seconds() - roles.MARGIN.total_seconds() == ceilings.SESSION_SECONDS


def test_a_worker_alone_keeps_below_lambdas_limits() -> None:
    assert Limits.GET_FUNCTION.limit.value > accounts.READS_A_SECOND
    assert Limits.CONTROL_PLANE.limit.value + DEPLOYMENTS == 15
    assert Setup().sweep_calls + accounts.WRITES_A_SECOND <= Limits.CONTROL_PLANE.limit.value


def test_the_services_own_cost_is_the_measured_one() -> None:
    """The column "now" of the table in docs/performance.md."""
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    rows = [row.strip("| ").split(" | ") for row in text.splitlines() if row.startswith("| ")]
    figures = {row[0]: row[3] for row in rows if len(row) == 5}

    def now(name: str) -> float:
        found = re.match(r"[\d.]+", figures[name])
        assert found, name
        return float(found[0])

    assert now("CPU of the worker per covered event") == overhead.CPU_MS_COVERED
    assert now("CPU of the worker per scanned event") == overhead.CPU_MS_SCANNED
    assert now("wall time added to a 30 s scan, 8 at once") == overhead.WALL_SHARE_ADDED
    assert now("resident memory, idle, after work for 50 accounts") == overhead.MEMORY_MB_IDLE
    assert now("resident memory per further held message") == overhead.MEMORY_MB_A_MESSAGE
    assert f"{overhead.MEASURED_ON.day} {overhead.MEASURED_ON:%B %Y}" in text
    assert overhead.MACHINE in text


def test_every_limit_has_a_source_and_an_advice() -> None:
    for kind in Limits:
        limit = kind.limit
        assert limit.raised.split()[0] in {"raise", "ask", "use", "cannot"}, kind
        if limit.source.endswith(".md"):
            assert (ROOT / "docs" / limit.source).exists()
        else:
            assert limit.address.startswith("https://docs.aws.amazon.com/")
    assert len(Limits) == len({kind.limit.name for kind in Limits}), "none hides behind another's value"


@pytest.mark.parametrize("slots", [1, 2, 3, 4, 5, 7, 8, 12, 64])
def test_the_sweep_has_the_workers_share(slots: int) -> None:
    """`worker.room.Room` itself is asked, with and without a change in hand."""

    async def main() -> tuple[int, int]:
        world = TestWorld(max_concurrent_scans=slots).world
        quiet = room.Room([], world, sources=list(Source))
        beside = room.Room([trip()], world, sources=list(Source))
        for one in (quiet, beside):
            one.took(Source.CHANGES, 0)
        share = await quiet.wait(Source.SWEEP)
        # Without what the change itself takes; of a single slot it takes all there is.
        return share, await beside.wait(Source.SWEEP) if slots > 1 else share

    setup = Setup(slots=slots)
    assert run(main()) == (setup.sweep_slots, setup.sweep_slots_beside_changes)


def trip() -> Trip:
    """A change in hand."""
    return Trip(Message("message-1", "{}", "handle-1", 1, START, START))


def test_half_of_a_task_is_out_of_the_sweeps_reach_and_a_quarter_while_it_has_no_change() -> None:
    fleet = Fleet(setup=Setup(), accounts=100, tasks=3)
    assert (fleet.slots, fleet.sweep_slots, fleet.sweep_room) == (12, 9, 9)
    fleet.give_to_sweep(9)
    assert (fleet.free, fleet.sweep_room, fleet.idle_tasks()) == (3, 0, 0)
    fleet.give_to_change(1, sweep_waits=True)
    assert (fleet.free, fleet.sweep_slots, fleet.sweep_room) == (2, 8, 0), "it is in one of three"
    fleet.give_to_change(2, sweep_waits=True)
    assert fleet.sweep_slots == 6, "some share a task"
    alone = Fleet(setup=Setup(), accounts=100, tasks=1, changes=1)
    assert (alone.sweep_slots, alone.sweep_room) == (2, 2)


def test_the_last_place_of_an_account_is_out_of_the_sweeps_reach() -> None:
    one = Fleet(setup=Setup(), accounts=1, tasks=3)
    assert (one.slots, one.sweep_slots) == (9, 6)
    assert Fleet(setup=Setup(slots_per_account=1), accounts=1, tasks=3).sweep_slots == 3
    assert Fleet(setup=Setup(), accounts=2, tasks=3).sweep_slots == 9
