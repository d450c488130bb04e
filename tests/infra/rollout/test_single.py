import dataclasses

import pytest

from infra import stacks
from infra.rollout import single, status
from infra.rollout.deployment import Deployment
from infra.rollout.hub import HubOptions
from infra.rollout.removal import Removal, RemovalOptions
from infra.rollout.single import SingleOptions
from infra.rollout.site import SPOKE_STACK
from tests.infra.rollout.conftest import Ground
from tests.infra.rollout.recording import Recording
from tests.infra.rollout.rollouts import IMAGE, QUALYS, nobody

pytestmark = [pytest.mark.timeout(180)]  # whole rollouts, on a machine that may be busy

PRIMARY, OTHER = "eu-central-1", "us-east-1"


def test_hub_and_spoke_stand_in_one_account_and_are_seen_updated_and_removed(
    ground: Ground, deployment: Deployment
) -> None:
    # An account of the organization that administers nothing.
    site = ground.site("210000000003")
    hub = HubOptions(image=IMAGE, create_network=True, qualys_secret=QUALYS, monitoring=False)
    options = SingleOptions(hub=hub, regions=(PRIMARY, OTHER))
    dry = Recording()
    single.roll_out(site, Deployment(operator=dry, dry_run=True), options, nobody)
    assert dry.lines[-1] == "the spoke would follow, once the hub stands"
    single.roll_out(site, deployment, options, nobody)
    for region in (PRIMARY, OTHER):
        assert stacks.outputs(site.hub("cloudformation", region), SPOKE_STACK) is not None
    found = status.look(site)
    assert found.is_complete
    assert found.sets == ()
    again = Recording(agreeing=False)
    unchanged = SingleOptions(hub=HubOptions(monitoring=False), regions=(PRIMARY, OTHER))
    single.roll_out(site, dataclasses.replace(deployment, operator=again), unchanged, nobody)
    assert again.plans == []
    # Without naming them again, the regions that are there are brought up to date too.
    later = dataclasses.replace(unchanged, regions=(), spoke_parameters={"CreateAlarm": "true"})
    single.roll_out(site, deployment, later, nobody)
    for region in (PRIMARY, OTHER):
        there = stacks.describe(site.hub("cloudformation", region), SPOKE_STACK)
        assert there is not None
        assert there.parameters["CreateAlarm"] == "true"
    Removal(site, deployment, RemovalOptions(spokes_only=True)).run()
    assert not status.look(site).is_complete
    assert stacks.describe(site.hub("cloudformation", OTHER), SPOKE_STACK) is None
