"""What `scanhub local up` sets up, on the embedded cloud and where there are no organizations."""

import os
from collections.abc import Iterator

import pytest

from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import ORGANIZATION
from infra.local.laptop import Laptop, bring_up
from infra.local.organization import MANAGEMENT_ACCOUNT
from infra.rollout.site import HUB_STACK, SPOKE_STACK
from spoke.errors import Misconfigured, Unavailable
from tests.conftest import forget_aws

HUB = "123456789012"
INVENTED = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture
def lines() -> list[str]:
    """What was told."""
    return []


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty cloud, and somebody without credentials."""
    with EmbeddedCloud() as embedded:
        for name in list(os.environ):
            if name.startswith(("AWS_", "SCANHUB_")):
                monkeypatch.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, os.devnull)
        monkeypatch.setenv("AWS_ENDPOINT_URL", embedded.endpoint)
        yield embedded.endpoint


def parameter(laptop: Laptop, stack: str, name: str) -> str:
    (described,) = laptop.deployment.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    (value,) = [one["ParameterValue"] for one in described["Parameters"] if one["ParameterKey"] == name]
    return str(value)


@pytest.mark.usefixtures("cloud")
def test_hub_and_spokes_belong_to_an_organization_and_each_member_has_a_spoke(lines: list[str]) -> None:
    laptop = bring_up(spokes=2, progress=lines.append)
    organization = laptop.organization
    assert organization is not None
    assert organization.members == {
        HUB: "security",
        "210000000001": "workloads",
        "210000000002": "workloads/production",
    }
    for account in organization.members:
        for region in laptop.deployment.regions:
            stacks = laptop.deployment.client("cloudformation", account=account, region=region)
            names = {one["StackName"] for one in stacks.describe_stacks()["Stacks"]}
            assert SPOKE_STACK in names, (account, region)
    # The bus lets nobody in but the organization that there really is.
    assert parameter(laptop, HUB_STACK, "OrganizationId") == organization.id
    assert laptop.deployment.spokes == ("210000000001", "210000000002")
    assert f"unit workloads ({organization.units['workloads']}): 210000000001" in lines
    assert f"unit sandbox ({organization.units['sandbox']}): nobody" in lines


@pytest.mark.usefixtures("cloud")
def test_the_management_account_is_excluded_here_and_in_the_hubs_own_tasks(lines: list[str]) -> None:
    laptop = bring_up(spokes=1, progress=lines.append)
    assert laptop.settings["SCANHUB_EXCLUDE_ACCOUNTS"] == MANAGEMENT_ACCOUNT
    assert parameter(laptop, HUB_STACK, "ExcludeAccounts") == MANAGEMENT_ACCOUNT
    assert lines[0].endswith(f", managed by {MANAGEMENT_ACCOUNT}, which is excluded from scans")


@pytest.mark.usefixtures("cloud")
def test_a_second_time_nothing_is_new_and_more_spokes_join(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    first = bring_up(spokes=1, progress=lines.append)
    told = [*lines]
    # As in a shell that has taken the settings over.
    for name, value in first.settings.items():
        monkeypatch.setenv(name, value)
    again = bring_up(spokes=1, progress=lines.append)
    assert again == first
    assert lines == told * 2
    more = bring_up(spokes=2, progress=lines.append)
    assert more.settings == first.settings
    assert first.organization is not None
    assert more.organization is not None
    assert more.organization.id == first.organization.id
    assert set(more.organization.members) - set(first.organization.members) == {"210000000002"}


@pytest.mark.usefixtures("cloud")
def test_credentials_are_printed_only_if_they_were_made_up(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    settings = bring_up(spokes=1, progress=lines.append).settings
    assert settings.items() >= INVENTED.items()
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    forget_aws(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    mine = bring_up(spokes=1, progress=lines.append).settings
    assert mine == {name: value for name, value in settings.items() if name not in INVENTED}


@pytest.mark.parametrize(
    "fault",
    [
        # As LocalStack 4.9.2 answers.
        Unavailable(
            "setting up the local organization: InternalFailure: The API for service 'organizations' is either not "
            "included in your current license plan or has not yet been emulated by LocalStack."
        ),
        Misconfigured("setting up the local organization: UnknownOperation: invite_account_to_organization"),
    ],
)
@pytest.mark.usefixtures("cloud")
def test_where_there_are_no_organizations_it_says_so_in_a_line_and_goes_on(
    lines: list[str], fault: Misconfigured | Unavailable, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("infra.local.laptop.set_up", refused)
    laptop = bring_up(spokes=2, progress=lines.append)
    assert laptop.organization is None
    assert "SCANHUB_EXCLUDE_ACCOUNTS" not in laptop.settings
    assert parameter(laptop, HUB_STACK, "OrganizationId") == ORGANIZATION
    assert (
        lines[0] == f"no organization, so name a sweep's accounts (--accounts 210000000001,210000000002): {fault.text}"
    )
    assert not [line for line in lines[1:] if line.startswith(f"spoke {HUB}")]
