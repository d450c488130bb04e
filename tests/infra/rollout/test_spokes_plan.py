import dataclasses
from typing import Any

import pytest
from pydantic import SecretStr

from infra import stack_sets
from infra.rollout.spokes_plan import SetPlan, SpokesPlan, Wanted, plan
from infra.stack_sets import Instance, StackSet
from spoke.errors import Misconfigured
from tests.infra.script import Script
from tests.infra.test_stack_sets import described

WANTED = Wanted(
    name="scanhub-spoke",
    template="Resources: {}\n",
    parameters={"RoleRegion": "eu-central-1"},
    secret=SecretStr("canary0external0id0canary"),
    secret_version="11111111-aaaa",
    regions=("eu-central-1",),
    units=("r-ab12",),
)


def existing(**more: Any) -> StackSet:
    found = stack_sets.describe(Script("cloudformation").on("DescribeStackSet", described(**more)).client, "s", "SELF")
    assert found is not None
    return found


def instance(account: str, status: str = "CURRENT", detailed: str = "SUCCEEDED") -> Instance:
    return Instance(account=account, region="eu-central-1", status=status, detailed_status=detailed)


def planned(there: StackSet | None, *instances: Instance, accounts: tuple[str, ...] = ("1",), **more: Any) -> SetPlan:
    wanted = dataclasses.replace(WANTED, **more)
    return plan(wanted, there, instances or (instance("1"),), accounts=accounts)


def test_what_is_as_it_should_be_needs_nothing() -> None:
    nothing = planned(existing())
    assert nothing.is_empty
    assert SpokesPlan(sets=(nothing,), accounts=()).is_empty
    assert not planned(None).is_empty


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ({"TemplateBody": "Resources: {A: B}"}, ("the template",)),
        (
            {"Description": "scanhub, the spokes (external id 22222222)"},
            ("ScannerExternalId: a new value (not shown)",),
        ),
        ({"AutoDeployment": {"Enabled": False}}, ("accounts that join are covered",)),
        ({"ManagedExecution": {"Active": False}}, ("operations are queued",)),
        ({"Parameters": []}, ("RoleRegion: (default) -> eu-central-1",)),
    ],
)
def test_each_difference_is_a_line_and_none_is_the_secret(more: dict[str, Any], lines: tuple[str, ...]) -> None:
    found = planned(existing(**more))
    assert found.changes == lines
    assert not found.is_empty
    assert "canary0external0id" not in repr(found)


def test_what_failed_is_tried_again_and_what_is_under_way_or_suspended_is_not() -> None:
    # What is pending while no operation runs was left behind by one that was stopped.
    states = ("FAILED", "CANCELLED", "", "RUNNING", "PENDING", "SKIPPED_SUSPENDED_ACCOUNT")
    found = planned(
        existing(),
        *(instance(str(number), "OUTDATED", state) for number, state in enumerate(states)),
        accounts=tuple("012345"),
    )
    assert [one.detailed_status for one in found.retried] == ["FAILED", "CANCELLED", "", "PENDING"]
    # Nor is an account that was suspended, or has left, since it failed.
    assert planned(existing(), instance("1"), instance("2", "OUTDATED", "FAILED")).is_empty
    assert planned(existing(), instance("1", "INOPERABLE", "INOPERABLE")).retried == ()


def test_an_account_that_was_left_out_is_reached_unless_its_unit_is_new_anyway() -> None:
    assert planned(existing(), accounts=("1", "2")).uncovered == ("2",)
    extended = planned(existing(), accounts=("1", "2"), units=("r-ab12", "ou-ab12-cd34ef56"))
    assert extended.new_units == ("ou-ab12-cd34ef56",)
    assert extended.units == ("r-ab12", "ou-ab12-cd34ef56")
    assert extended.uncovered == ()


def test_a_stack_set_that_has_lost_its_last_region_needs_nothing() -> None:
    # Without instances AWS knows of no targets either; they must not be "added" by every run.
    bare = existing(OrganizationalUnitIds=[], Regions=[])
    assert plan(dataclasses.replace(WANTED, regions=()), bare, (), accounts=("1",)).is_empty
    again = plan(WANTED, bare, (), accounts=("1",))
    assert (again.new_units, again.new_regions, again.old_units) == (("r-ab12",), ("eu-central-1",), ())


def test_a_stack_set_that_is_not_ours_or_whose_roles_would_wander_is_refused() -> None:
    with pytest.raises(Misconfigured, match="is self-managed, so not one of ours"):
        planned(existing(PermissionModel="SELF_MANAGED"))
    with pytest.raises(Misconfigured, match=r"made in eu-central-1: to make them in us-east-1"):
        planned(existing(), parameters={"RoleRegion": "us-east-1"})
