"""What both adapters of the port `Estate` do alike."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from urllib.request import Request, urlopen

import pytest

from infra.local.cloud import EmbeddedCloud
from spoke.arn import FunctionArn
from spoke.errors import NoAccess
from spoke.snapshot import FunctionSnapshot
from tests.conftest import REGION
from tests.contracts.estates import InMemory, Owners, on_cloud

ACCOUNT, OTHER = "210987654321", "345678901234"
ELSEWHERE = "us-east-1"
ARN = FunctionArn("aws", REGION, ACCOUNT, "orders-api")


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """moto as the embedded cloud mends it: with pages of fifty and provisioned concurrency."""
    with EmbeddedCloud() as running:
        yield running.endpoint


@pytest.fixture
def empty_cloud(cloud: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its endpoint; nothing of an earlier test is left in it, and AWS clients made in the test go there."""
    with urlopen(Request(f"{cloud}/moto-api/reset", method="POST")) as answer:  # noqa: S310  # loopback
        assert answer.status == 200
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud)
    return cloud


@pytest.fixture(params=["memory", "aws"])
async def owners(request: pytest.FixtureRequest) -> AsyncIterator[Owners]:
    if request.param == "memory":
        yield InMemory()
        return
    endpoint = request.getfixturevalue("empty_cloud")
    async with on_cloud(endpoint, ACCOUNT, OTHER) as aws:
        yield aws


async def listed(owners: Owners, account: str = ACCOUNT, region: str = REGION) -> list[Sequence[FunctionSnapshot]]:
    return [page async for page in owners.port.functions(account, region)]


async def names(owners: Owners, account: str = ACCOUNT, region: str = REGION) -> set[str]:
    return {one.arn.name for page in await listed(owners, account, region) for one in page}


async def test_a_function_is_listed_as_it_is_described(owners: Owners) -> None:
    layers = await owners.publish(ARN, tags={"team": "orders"}, layers=("observability", "fonts"))
    ((snapshot,),) = await listed(owners)
    described = await owners.describe(ARN)
    assert snapshot.arn == ARN
    assert (snapshot.fingerprint, snapshot.last_modified) == (described.fingerprint, described.last_modified)
    assert snapshot.layers == tuple(layers)
    assert (snapshot.runtime, snapshot.architectures, snapshot.package_type) == ("python3.13", ("arm64",), "Zip")
    assert snapshot.code_size == described.code_size > 0
    assert snapshot.tags is None  # a list tells of none


async def test_a_place_without_functions_has_one_empty_page(owners: Owners) -> None:
    assert [list(page) for page in await listed(owners)] == [[]]


async def test_accounts_and_regions_are_worlds_of_their_own(owners: Owners) -> None:
    await owners.publish(ARN)
    await owners.publish(replace(ARN, name="billing", account=OTHER))
    await owners.publish(replace(ARN, name="edge", region=ELSEWHERE))
    assert await names(owners) == {"orders-api"}
    assert await names(owners, OTHER) == {"billing"}
    assert await names(owners, region=ELSEWHERE) == {"edge"}


async def test_many_functions_come_in_pages_of_fifty(owners: Owners) -> None:
    await owners.publish_many({replace(ARN, name=f"job-{number:03}"): {} for number in range(101)})
    pages = await listed(owners)
    assert [len(page) for page in pages] == [50, 50, 1]
    assert {one.arn.name for page in pages for one in page} == {f"job-{number:03}" for number in range(101)}


async def test_changes_and_deletions_show_in_the_next_list(owners: Owners) -> None:
    for name in ("orders-api", "billing"):
        await owners.publish(replace(ARN, name=name))
    before = {one.arn.name: one.fingerprint for page in await listed(owners) for one in page}
    await owners.update(ARN)
    await owners.delete(replace(ARN, name="billing"))
    ((after,),) = await listed(owners)
    assert after.arn == ARN
    assert after.fingerprint != before["orders-api"]


async def test_an_account_has_regions(owners: Owners) -> None:
    await owners.publish(ARN)
    await owners.publish(replace(ARN, name="edge", region=ELSEWHERE))
    regions = await owners.port.regions(ACCOUNT)
    assert {REGION, ELSEWHERE} <= set(regions)
    assert list(regions) == sorted(regions)
    # The embedded cloud says of this one that it is not opted into.
    assert "me-south-1" not in regions


async def test_functions_are_found_by_their_tags(owners: Owners) -> None:
    tagged = {
        "plain": {},
        "other": {"team": "orders"},
        "out": {"QualysScanExclude": "yes", "team": "orders"},
        "bare": {"QualysScanExclude": ""},
        "back-in": {"QualysScanExclude": " False"},
    }
    for name, tags in tagged.items():
        await owners.publish(replace(ARN, name=name), tags=tags)
    await owners.publish(replace(ARN, name="elsewhere", region=ELSEWHERE), tags={"QualysScanExclude": "yes"})
    assert await owners.port.tagged(ACCOUNT, REGION, "QualysScanExclude") == {
        "out": "yes",
        "bare": "",
        "back-in": " False",
    }
    assert await owners.port.excluded(ACCOUNT, REGION, "QualysScanExclude") == {"out", "bare"}
    assert await owners.port.tagged(ACCOUNT, REGION, "team") == {"other": "orders", "out": "orders"}
    assert await owners.port.tagged(OTHER, REGION, "team") == {}


async def test_more_tagged_functions_than_a_page_holds(owners: Owners) -> None:
    await owners.publish_many({replace(ARN, name=f"job-{number:03}"): {"tier": str(number)} for number in range(103)})
    found = await owners.port.tagged(ACCOUNT, REGION, "tier")
    assert found == {f"job-{number:03}": str(number) for number in range(103)}


async def test_a_version_in_use_is_an_entry_of_its_own(owners: Owners) -> None:
    """By an alias, by an alias's weights, by provisioned concurrency; not because it was published."""
    await owners.publish(ARN)
    versions = []
    for _ in range(5):
        versions.append(await owners.publish_version(ARN))
        await owners.update(ARN)
    first, second, third, fourth, unused = versions
    await owners.point("live", second, first)
    await owners.point("canary", second)
    await owners.point("newest", ARN)
    await owners.provision(fourth)
    ((function,),) = await listed(owners)
    found = await owners.port.versions([function.arn])
    assert [one.arn for one in found] == [first, second, fourth]
    assert [one.fingerprint for one in found] == [
        (await owners.describe(arn)).fingerprint for arn in (first, second, fourth)
    ]
    assert function.fingerprint not in {one.fingerprint for one in found}
    assert {third, unused}.isdisjoint({one.arn for one in found})
    assert all(one.tags is None and one.arn.content == one.arn for one in found)


async def test_versions_are_those_of_the_functions_asked_about(owners: Owners) -> None:
    for name in ("orders-api", "billing", "plain"):
        arn = replace(ARN, name=name)
        await owners.publish(arn)
        if name != "plain":
            await owners.point("live", await owners.publish_version(arn))
    every = [one.arn for page in await listed(owners) for one in page]
    assert {str(one.arn).rpartition("function:")[2] for one in await owners.port.versions(every)} == {
        "orders-api:1",
        "billing:1",
    }
    only = [one for one in every if one.name == "billing"]
    assert [one.arn.name for one in await owners.port.versions(only)] == ["billing"]
    assert list(await owners.port.versions([])) == []


async def test_a_place_is_not_asked_for_versions_where_there_is_nothing_to_ask_about(owners: Owners) -> None:
    owners.deny(ACCOUNT)
    assert list(await owners.port.versions([])) == []


async def test_an_account_that_does_not_let_us_in(owners: Owners) -> None:
    for account in (ACCOUNT, OTHER):
        await owners.publish(replace(ARN, account=account), tags={"team": "orders"})
    ((snapshot,),) = await listed(owners)
    owners.deny(ACCOUNT)
    with pytest.raises(NoAccess, match="scanhub-spoke"):
        await owners.port.regions(ACCOUNT)
    with pytest.raises(NoAccess, match=ACCOUNT):
        await listed(owners)
    with pytest.raises(NoAccess, match=ACCOUNT):
        await owners.port.tagged(ACCOUNT, REGION, "team")
    with pytest.raises(NoAccess, match=ACCOUNT):
        await owners.port.excluded(ACCOUNT, REGION, "team")
    with pytest.raises(NoAccess, match=ACCOUNT):
        await owners.port.versions([snapshot.arn])
    assert await names(owners, OTHER) == {"orders-api"}
