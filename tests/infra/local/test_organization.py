import pytest
from botocore.exceptions import ClientError

from infra.local import organization
from infra.local.accounts import Accounts, spoke_accounts
from infra.local.cloud import EmbeddedCloud
from infra.local.organization import MANAGEMENT_ACCOUNT, STACK_SETS, in_units, join, set_up
from spoke.errors import Misconfigured
from tests.conftest import REGION

HUB = "123456789012"


def test_hub_and_spokes_are_members_with_the_ids_that_they_have() -> None:
    with EmbeddedCloud() as cloud:
        accounts = Accounts(cloud.endpoint, REGION)
        made = set_up(accounts)
        assert (made.management_account, made.hub_account) == (MANAGEMENT_ACCOUNT, HUB)
        assert set(made.units) == {"security", "workloads", "workloads/production", "sandbox"}
        assert made.members == {
            HUB: "security",
            "210000000001": "workloads",
            "210000000002": "workloads/production",
            "210000000003": "sandbox",
        }
        # Both see the same: the management account, and the hub as a delegated administrator.
        for account in (MANAGEMENT_ACCOUNT, HUB):
            client = accounts.acting_as(account).client("organizations")
            assert client.describe_organization()["Organization"]["Id"] == made.id
            assert {one["Id"] for one in client.list_accounts()["Accounts"]} == {MANAGEMENT_ACCOUNT, *made.members}
            nested = client.list_organizational_units_for_parent(ParentId=made.units["workloads"])
            assert [one["Name"] for one in nested["OrganizationalUnits"]] == ["production"]
            (parent,) = client.list_parents(ChildId="210000000002")["Parents"]
            assert parent["Id"] == made.units["workloads/production"]
            (administrator,) = client.list_delegated_administrators(ServicePrincipal=STACK_SETS)[
                "DelegatedAdministrators"
            ]
            assert administrator["Id"] == HUB


def test_another_member_learns_who_manages_it_and_no_more() -> None:
    with EmbeddedCloud() as cloud:
        accounts = Accounts(cloud.endpoint, REGION)
        set_up(accounts, delegated_administrator=False)
        for account in (HUB, "210000000001"):
            client = accounts.client("organizations", account=account)
            described = client.describe_organization()["Organization"]
            assert described["MasterAccountId"] == MANAGEMENT_ACCOUNT
            with pytest.raises(ClientError, match="AccessDenied"):
                client.list_accounts()
        with pytest.raises(ClientError, match="AccessDenied"):
            accounts.client("organizations").register_delegated_administrator(
                AccountId=HUB, ServicePrincipal=STACK_SETS
            )


def test_nobody_is_in_two_organizations_and_none_outlives_its_cloud() -> None:
    for _ in range(2):
        with EmbeddedCloud() as cloud:
            accounts = Accounts(cloud.endpoint, REGION)
            with pytest.raises(ClientError, match="AWSOrganizationsNotInUse"):
                accounts.client("organizations").describe_organization()
            made = set_up(accounts)
            with pytest.raises(Misconfigured, match="already a member"):
                join(accounts, made, "210000000001", "sandbox")


def test_what_is_there_is_completed_and_left_as_it_is() -> None:
    with EmbeddedCloud() as cloud:
        accounts = Accounts(cloud.endpoint, REGION)
        first = set_up(accounts, spokes=in_units(spoke_accounts(1)), delegated_administrator=False)
        assert first.members == {HUB: "security", "210000000001": "workloads"}
        management = accounts.client("organizations", account=MANAGEMENT_ACCOUNT)
        management.move_account(
            AccountId="210000000001",
            SourceParentId=first.units["workloads"],
            DestinationParentId=first.units["sandbox"],
        )
        more = set_up(accounts, spokes=in_units(spoke_accounts(5)))
        assert (more.id, more.root) == (first.id, first.root)
        assert more.units == first.units
        assert more.members == {
            HUB: "security",
            "210000000001": "sandbox",
            "210000000002": "workloads/production",
            "210000000003": "sandbox",
            "210000000004": "workloads",
            "210000000005": "workloads/production",
        }
        assert set_up(accounts, spokes=in_units(spoke_accounts(2))) == more, "nobody is thrown out"
        assert len(management.list_accounts()["Accounts"]) == 7
        (administrator,) = management.list_delegated_administrators(ServicePrincipal=STACK_SETS)[
            "DelegatedAdministrators"
        ]
        assert administrator["Id"] == HUB


def test_an_organization_of_somebody_else_is_not_taken_over() -> None:
    with EmbeddedCloud() as cloud:
        accounts = Accounts(cloud.endpoint, REGION)
        accounts.client("organizations").create_organization(FeatureSet="ALL")
        with pytest.raises(Misconfigured, match="setting up the local organization: DuplicateAccountException"):
            set_up(accounts)


@pytest.mark.parametrize("number", [1, 3, 20])
def test_every_spoke_has_a_unit_and_always_the_same(number: int) -> None:
    dealt = {account: unit for unit, members in in_units(spoke_accounts(number)).items() for account in members}
    assert set(dealt) == set(spoke_accounts(number))
    more = {account: unit for unit, members in in_units(spoke_accounts(20)).items() for account in members}
    assert dealt.items() <= more.items()


def test_an_invitation_is_for_the_one_that_was_invited() -> None:
    with EmbeddedCloud() as cloud:
        accounts = Accounts(cloud.endpoint, REGION)
        set_up(accounts, spokes={})
        management = accounts.client("organizations", account=MANAGEMENT_ACCOUNT)
        target = {"Id": "210000000001", "Type": "ACCOUNT"}
        handshake = management.invite_account_to_organization(Target=target)["Handshake"]["Id"]
        with pytest.raises(ClientError, match="HandshakeNotFound"):
            accounts.client("organizations", account="210000000002").accept_handshake(HandshakeId=handshake)
        accepted = accounts.client("organizations", account="210000000001").accept_handshake(HandshakeId=handshake)
        assert accepted["Handshake"]["State"] == "ACCEPTED"
        with pytest.raises(ClientError, match="AWSOrganizationsNotInUse"):
            accounts.client("organizations", account="210000000002").invite_account_to_organization(Target=target)


def test_the_spokes_of_a_deployment_are_those_of_the_organization() -> None:
    assert {account for members in organization.SPOKES.values() for account in members} == {
        "210000000001",
        "210000000002",
        "210000000003",
    }
