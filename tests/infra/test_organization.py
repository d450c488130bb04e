from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra import organization
from infra.calls import AwsClient
from infra.local.accounts import Accounts
from infra.local.cloud import EmbeddedCloud
from infra.local.organization import LocalOrganization, set_up
from infra.organization import Account
from spoke.errors import Misconfigured
from tests.conftest import REGION, forget_aws
from tests.infra.script import Script, refusal


@dataclass
class Scripted:
    """Answers by a script, whatever is asked for."""

    script: Script

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> AwsClient:
        assert (service, account, region) == ("organizations", None, None)
        return self.script.client


Ground = tuple[Accounts, LocalOrganization]


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """Nothing is changed here: one organization for all tests."""
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as cloud:
        forget_aws(environment)
        accounts = Accounts(cloud.endpoint, REGION)
        yield accounts, set_up(accounts)


def test_the_management_account_the_administrator_and_a_member_see_the_same_organization(ground: Ground) -> None:
    accounts, there = ground
    management = organization.describe(accounts.acting_as(there.management_account))
    hub = organization.describe(accounts.acting_as(there.hub_account))
    member = organization.describe(accounts.acting_as("210000000002"))
    for seen in (management, hub, member):
        assert (seen.id, seen.management_account, seen.partition) == (there.id, there.management_account, "aws")
        assert seen.has_all_features
    assert [one.account for one in (management, hub, member)] == [
        there.management_account,
        there.hub_account,
        "210000000002",
    ]
    assert [one.is_management for one in (management, hub, member)] == [True, False, False]
    # A plain member may not ask who administers what.
    assert [one.is_delegated_administrator for one in (management, hub, member)] == [False, True, False]
    assert management.delegated_administrators == (there.hub_account,)


def test_accounts_are_listed_whole_and_by_unit_with_the_units_below(ground: Ground) -> None:
    accounts, there = ground
    clients = accounts.acting_as(there.hub_account)
    everybody = {there.management_account, *there.members}
    assert {one.id for one in organization.active_accounts(clients)} == everybody
    by_unit = organization.active_accounts(clients, [there.units["workloads"]])
    assert [(one.id, one.ou) for one in by_unit] == [
        ("210000000001", there.units["workloads"]),
        ("210000000002", there.units["workloads/production"]),
    ]
    # Named twice, or by the root: each once.
    assert {one.id for one in organization.all_accounts(clients, [there.root, there.units["sandbox"]])} == everybody
    assert organization.root(clients) == there.root


def test_a_member_may_not_list_and_a_lonely_account_has_no_organization(ground: Ground) -> None:
    accounts, there = ground
    with pytest.raises(Misconfigured, match="listing the accounts of the organization: AccessDenied"):
        organization.all_accounts(accounts.acting_as("210000000002"))
    with pytest.raises(Misconfigured, match="the account 999999999999 is in no AWS organization"):
        organization.describe(accounts.acting_as("999999999999"))
    with pytest.raises(Misconfigured, match="the organization has no unit ou-none-00000000"):
        organization.all_accounts(accounts.acting_as(there.hub_account), ["ou-none-00000000"])


def test_units_that_were_deleted_are_told_from_those_that_are_left(ground: Ground) -> None:
    accounts, there = ground
    clients = accounts.acting_as(there.hub_account)
    units = (there.root, there.units["workloads"], "ou-none-00000000")
    assert organization.units_left(clients, units) == units[:2]
    denied = Script("organizations").on("DescribeOrganizationalUnit", refusal("AccessDeniedException", "no"))
    with pytest.raises(Misconfigured, match="looking up the organizational unit ou-ab12-cd34ef56: AccessDenied"):
        organization.units_left(Scripted(denied), ["ou-ab12-cd34ef56"])


def test_the_root_is_listed_at_once_and_not_unit_by_unit_and_a_name_cannot_steer_a_terminal() -> None:
    name = "shop \x1b]0;owned\x07\u202e"
    listed = [{"Id": "210000000001", "Name": name, "State": "ACTIVE", "Status": "ACTIVE"}]
    script = Script("organizations").on("ListAccounts", {"Accounts": listed})
    [account] = organization.all_accounts(Scripted(script), ["ou-ab12-cd34ef56", "r-ab12"])
    assert account.name == "shop ?]0;owned??"


def test_a_suspended_account_is_not_active() -> None:
    assert Account(id="1", name="a").is_active
    assert not Account(id="1", name="a", state="SUSPENDED").is_active
