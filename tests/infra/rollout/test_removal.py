import dataclasses

import pytest

from infra import stack_sets, stacks
from infra.rollout.deployment import Deployment
from infra.rollout.hub import HubOptions
from infra.rollout.kept import Kept
from infra.rollout.operator import Declined
from infra.rollout.removal import Removal, RemovalOptions
from infra.rollout.site import HUB_STACK, MONITORING_STACK, REGIONS_STACK_SET, SPOKE_STACK, STACK_SET, Site
from tests.infra.rollout.conftest import Ground
from tests.infra.rollout.recording import Recording
from tests.infra.rollout.rollouts import hub, spokes

pytestmark = [pytest.mark.timeout(180)]  # whole rollouts, on a machine that may be busy

PRIMARY, OTHER = "eu-central-1", "us-east-1"


def remove(site: Site, deployment: Deployment, **options: bool) -> None:
    Removal(site, deployment, RemovalOptions(**options)).run()


def sets(site: Site) -> list[str]:
    client = site.own("cloudformation")
    return [name for name in (STACK_SET, REGIONS_STACK_SET) if stack_sets.describe(client, name, site.call_as)]


def hub_stacks(site: Site) -> list[str]:
    client = site.hub("cloudformation")
    return [name for name in (HUB_STACK, MONITORING_STACK) if stacks.describe(client, name)]


def test_all_goes_in_order_and_results_stay_until_they_are_deleted_too(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment, HubOptions())
    spokes(site, deployment, regions=(PRIMARY, OTHER))
    bucket = f"scanhub-results-{site.hub_account}-{site.region}"
    for body in (b"one", b"two"):
        site.hub("s3").put_object(Bucket=bucket, Key="scans/a/manifest.json", Body=body)
    operator = Recording()
    remove(site, dataclasses.replace(deployment, operator=operator))
    assert (sets(site), hub_stacks(site)) == ([], [])
    ended = [step.where for step in operator.steps if step.status in {"SUCCEEDED", "DELETE_COMPLETE"}]
    order = list(dict.fromkeys(ended))
    assert {one.split()[-1] for one in order[:4]} == {OTHER}
    assert {one.split()[-1] for one in order[4:8]} == {PRIMARY}
    assert order[8:] == [MONITORING_STACK, HUB_STACK]
    assert operator.lines[-1].startswith(
        f"kept: the bucket {bucket}; the table scanhub-ledger; the log group /scanhub/worker"
    )
    assert Kept.of(site, None).bucket == bucket
    # Whoever types something else keeps it.
    with pytest.raises(Declined, match="nothing was deleted"):
        remove(site, dataclasses.replace(deployment, operator=Recording(typed="yes")), delete_results=True)
    assert not Kept.of(site, None).is_empty
    remove(site, dataclasses.replace(deployment, operator=Recording(typed=site.hub_account)), delete_results=True)
    left = Kept.of(site, None)
    assert left.is_empty
    # And once more, over nothing: then a new hub finds nothing to stumble over.
    remove(site, dataclasses.replace(deployment, operator=Recording(typed=site.hub_account)), delete_results=True)
    hub(site, deployment)
    assert hub_stacks(site) == [HUB_STACK]


def test_the_spokes_alone_go_and_the_hub_stays(ground: Ground, deployment: Deployment) -> None:
    site = ground.site(ground.organization.management_account)
    hub(site, deployment)
    spokes(site, deployment, regions=(PRIMARY, OTHER))
    remove(site, deployment, spokes_only=True)
    assert (sets(site), hub_stacks(site)) == ([], [HUB_STACK])
    for region in (PRIMARY, OTHER):
        client = site.inside(ground.organization.management_account, "cloudformation", region)
        assert stacks.describe(client, SPOKE_STACK) is None


def test_a_dry_run_and_an_operator_who_does_not_agree_remove_nothing(ground: Ground, deployment: Deployment) -> None:
    site = ground.site()
    hub(site, deployment)
    operator = Recording()
    remove(site, Deployment(operator=operator, dry_run=True), delete_results=True)
    assert operator.questions == []
    assert f"to be removed: the stack {HUB_STACK}" in operator.lines
    with pytest.raises(Declined):
        remove(site, dataclasses.replace(deployment, operator=Recording(agreeing=False)))
    assert hub_stacks(site) == [HUB_STACK]
    assert not Kept.of(site, None).is_empty
