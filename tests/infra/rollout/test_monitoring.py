"""The stack that reads the hub's metrics: what it is told, and how it takes scaling over from an older hub."""

import dataclasses
import re
from typing import Any

import pytest

from infra.local.stacks import bring_up
from infra.rollout.change_set import ChangeSet
from infra.rollout.deployment import Deployment
from infra.rollout.hub import HubOptions
from infra.rollout.monitoring import routed
from infra.rollout.site import HUB_STACK, MONITORING_STACK, NETWORK_STACK, Site
from infra.stacks import Stack, describe, finished
from spoke.errors import Misconfigured
from tests.infra.rollout.conftest import Ground
from tests.infra.rollout.recording import Recording
from tests.infra.rollout.rollouts import IMAGE, QUALYS, hub
from tests.infra.template import text

pytestmark = [pytest.mark.timeout(180)]  # whole rollouts, on a machine that may be busy


def stack(site: Site, name: str) -> Stack:
    found = describe(site.hub("cloudformation"), name)
    assert found is not None
    return found


def resources(site: Site, name: str) -> set[str]:
    pages = site.hub("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    return {one["LogicalResourceId"] for page in pages for one in page["StackResourceSummaries"]}


def bounds(site: Site) -> list[tuple[int, int]]:
    found = site.hub("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    return [(one["MinCapacity"], one["MaxCapacity"]) for one in found]


def policies(site: Site) -> set[str]:
    found: list[Any] = site.hub("application-autoscaling").describe_scaling_policies(ServiceNamespace="ecs")[
        "ScalingPolicies"
    ]
    return {one["PolicyName"] for one in found}


def plans(operator: Recording) -> list[tuple[str, bool]]:
    return [(plan.stack, plan.is_new) for plan in operator.plans if isinstance(plan, ChangeSet)]


def older_hub() -> str:
    """The hub's template as it was while it scaled its service itself."""
    monitoring, here = text("hub-monitoring.yaml"), text("hub.yaml")
    parameters = re.search(r"^  MinTasks:\n    Type.*?(?=^  EnableMonitoring:)", monitoring, re.MULTILINE | re.DOTALL)
    scaling = re.search(r"^  # ---- scaling ----\n.*?(?=^  # ---- alarms ----)", monitoring, re.MULTILINE | re.DOTALL)
    assert parameters is not None
    assert scaling is not None
    own = scaling[0].replace("Condition: Scales", "Condition: RunsService").replace("${ServiceName}", "${Service.Name}")
    older = here.replace("  SpotShare:\n    Type", f"{parameters[0]}  SpotShare:\n    Type")
    older = older.replace("  # ---- the sweep, as a task of its own ----\n", own)
    assert older.count("MinTasks") >= 2
    # Comments count, too, against the 51,200 bytes of a template.
    return re.sub(r"^ *#.*\n", "", older, flags=re.MULTILINE)


def test_an_older_hubs_scaling_is_taken_over_with_its_values(
    ground: Ground, deployment: Deployment, operator: Recording
) -> None:
    site = ground.site()
    client = site.hub("cloudformation")
    network = bring_up(client, NETWORK_STACK, "hub-network.yaml", {})
    values = {
        "OrganizationId": ground.organization.id,
        "ScannerImageUri": IMAGE,
        "VpcId": network["VpcId"],
        "SubnetIds": network["SubnetIds"],
        "BulkScanSchedule": "",
        "MinTasks": "3",
        "MaxTasks": "30",
        "BacklogPerTask": "20",
    }
    client.create_stack(
        StackName=HUB_STACK,
        TemplateBody=older_hub(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    made = finished(client, HUB_STACK, patience=60, pause=0.2)
    assert made is not None
    assert made.status == "CREATE_COMPLETE"
    assert (bounds(site), policies(site)) == ([(3, 30)], {"scanhub-backlog", "scanhub-wait"})

    hub(site, deployment, HubOptions(qualys_secret=QUALYS))
    # First it remembers, then the hub lets go, then it scales: names are unique in an account.
    assert plans(operator) == [(MONITORING_STACK, True), (HUB_STACK, False), (MONITORING_STACK, False)]
    assert any("takes over from the hub: MaxTasks=30, MinTasks=3" in line for line in operator.lines)
    assert "MinTasks" not in stack(site, HUB_STACK).parameters
    assert "ScalableTarget" not in resources(site, HUB_STACK)
    assert "ScalableTarget" in resources(site, MONITORING_STACK)
    assert (bounds(site), policies(site)) == ([(3, 30)], {"scanhub-backlog", "scanhub-wait"})
    found = stack(site, MONITORING_STACK).parameters
    assert (found["MinTasks"], found["MaxTasks"], found["BacklogPerTask"]) == ("3", "30", "20")

    again = Recording(agreeing=False)
    hub(site, dataclasses.replace(deployment, operator=again), HubOptions())
    assert again.plans == []


def test_scaling_is_there_with_a_worker_whether_or_not_anybody_watches(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    options = HubOptions(
        image=IMAGE, create_network=True, qualys_secret=QUALYS, monitoring=False, parameters={"MaxTasks": "30"}
    )
    hub(site, deployment, options)
    assert resources(site, MONITORING_STACK) == {"ScalableTarget", "BacklogScaling", "WaitScaling", "ChangesWait"}
    assert bounds(site) == [(1, 30)]
    # A parameter keeps its value, and whoever wants to watch later does so by one run.
    hub(site, deployment, HubOptions())
    assert {"Dashboard", "OldestChange", "SweepOverdue", "ScalableTarget"} <= resources(site, MONITORING_STACK)
    assert bounds(site) == [(1, 30)]


def test_without_a_worker_nothing_scales_and_no_empty_stack_is_made(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment, HubOptions(monitoring=False))
    assert describe(site.hub("cloudformation"), MONITORING_STACK) is None
    hub(site, deployment, HubOptions())
    assert "ScalableTarget" not in resources(site, MONITORING_STACK)
    found = stack(site, MONITORING_STACK).parameters
    assert (found["ServiceName"], found["SweepScheduleName"], found["EventBusName"]) == ("", "", "scanhub")


def test_a_dry_run_shows_the_scaling_that_would_come(ground: Ground, operator: Recording) -> None:
    site = ground.site()
    dry = Deployment(operator=operator, dry_run=True)
    hub(site, dry, HubOptions(image=IMAGE, create_network=True))
    [plan] = [one for one in operator.plans if isinstance(one, ChangeSet) and one.stack == MONITORING_STACK]
    added = {one.resource for one in plan.resources}
    assert {"ScalableTarget", "SweepOverdue", "Dashboard"} <= added


HERE = {"LogLevel": None, "EventBusName": None}
BESIDE = {"MinTasks": None, "EventBusName": None}


@pytest.mark.parametrize(
    ("given", "monitoring", "expected"),
    [
        ({"LogLevel": "DEBUG"}, {}, ({"LogLevel": "DEBUG"}, {})),
        # as a command line of before scaling moved has it
        ({"MinTasks": "0"}, {}, ({}, {"MinTasks": "0"})),
        ({}, {"MinTasks": "0"}, ({}, {"MinTasks": "0"})),
        # both have it: the hub's decides, and its outputs tell the other
        ({"EventBusName": "b"}, {}, ({"EventBusName": "b"}, {})),
        # nobody has it: told as wrong for the hub's template
        ({"Typo": "1"}, {}, ({"Typo": "1"}, {})),
    ],
)
def test_a_parameter_goes_to_the_template_that_has_it(
    given: dict[str, str], monitoring: dict[str, str], expected: tuple[dict[str, str], dict[str, str]]
) -> None:
    assert routed(given, monitoring, HERE, BESIDE) == expected


def test_a_parameter_that_is_given_both_ways_is_refused() -> None:
    with pytest.raises(Misconfigured, match="MinTasks is given by --parameter and by --monitoring-parameter"):
        routed({"MinTasks": "0"}, {"MinTasks": "1"}, HERE, BESIDE)
