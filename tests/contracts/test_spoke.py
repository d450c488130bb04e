"""What both adapters of the port `Spoke` do alike."""

import base64
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from pydantic import SecretStr

from spoke.arn import FunctionArn
from spoke.clients import Clients
from spoke.errors import Gone, NoAccess
from spoke.gateway import AwsSpoke
from spoke.roles import Roles
from spoke.snapshot import FunctionSnapshot, fingerprint
from spoke.tags import scan_tags
from tests.conftest import REGION
from tests.contracts import spokes
from worker.memory.clock import ManualClock
from worker.memory.spoke import MemorySpoke
from worker.ports import Spoke

ACCOUNT, OTHER = "210987654321", "345678901234"
ARN = FunctionArn("aws", REGION, ACCOUNT, "orders-api")
CODE = spokes.package()
TAGS = scan_tags(completed_at=datetime(2026, 11, 20, 10, 14, 55, tzinfo=UTC), status="success", scan_tag="nightly")


class Organization(Protocol):
    """The member accounts, as their owners change them."""

    @property
    def port(self) -> Spoke: ...

    @property
    def clock(self) -> ManualClock: ...

    async def publish(
        self, function: FunctionArn, *, tags: Mapping[str, str] | None = None, layers: tuple[str, ...] = ()
    ) -> list[str]: ...

    async def update(self, function: FunctionArn) -> None: ...

    async def publish_version(self, function: FunctionArn) -> FunctionArn: ...

    async def delete(self, function: FunctionArn) -> None: ...

    def deny(self, account: str) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.clock = ManualClock(datetime.now(UTC))
        self.port = self._spoke = MemorySpoke(self.clock)

    async def publish(
        self, function: FunctionArn, *, tags: Mapping[str, str] | None = None, layers: tuple[str, ...] = ()
    ) -> list[str]:
        arns = [f"arn:aws:lambda:{function.region}:{function.account}:layer:{layer}:1" for layer in layers]
        self._spoke.put(
            FunctionSnapshot(
                arn=function,
                code_sha256=base64.b64encode(hashlib.sha256(CODE).digest()).decode(),
                last_modified=self.clock.now(),
                layers=tuple(arns),
                architectures=("arm64",),
                runtime="python3.13",
                code_size=len(CODE),
                tags=dict(tags or {}),
            )
        )
        return arns

    async def update(self, function: FunctionArn) -> None:
        snapshot = await self.port.describe(function)
        self._spoke.put(replace(snapshot, code_sha256="r5pL0WX0wh3ahTr9Ld8h5uBqJwE1l2r0Zf9b1q8Yc3M="))

    async def publish_version(self, function: FunctionArn) -> FunctionArn:
        version = replace(function, qualifier="1")
        self._spoke.put(replace(await self.port.describe(function), arn=version))
        return version

    async def delete(self, function: FunctionArn) -> None:
        self._spoke.remove(function)

    def deny(self, account: str) -> None:
        self._spoke.deny(account)


class OnMoto:
    def __init__(self, endpoint: str, clients: Clients, roles: Roles, clock: ManualClock, denied: set[str]) -> None:
        self.clock = clock
        self.port = AwsSpoke(clients, roles)
        self._endpoint = endpoint
        self._denied = denied

    async def publish(
        self, function: FunctionArn, *, tags: Mapping[str, str] | None = None, layers: tuple[str, ...] = ()
    ) -> list[str]:
        return await spokes.publish(self._endpoint, function, code=CODE, tags=tags, layers=layers)

    async def update(self, function: FunctionArn) -> None:
        async with spokes.account_client(self._endpoint, function.account, "lambda", function.region) as client:
            await client.update_function_code(FunctionName=function.name, ZipFile=spokes.package("REVISION = 2\n"))

    async def publish_version(self, function: FunctionArn) -> FunctionArn:
        async with spokes.account_client(self._endpoint, function.account, "lambda", function.region) as client:
            return FunctionArn.parse((await client.publish_version(FunctionName=function.name))["FunctionArn"])

    async def delete(self, function: FunctionArn) -> None:
        async with spokes.account_client(self._endpoint, function.account, "lambda", function.region) as client:
            await client.delete_function(FunctionName=function.name)

    def deny(self, account: str) -> None:
        self._denied.add(account)


@pytest.fixture(params=["memory", "aws"])
async def organization(request: pytest.FixtureRequest) -> AsyncIterator[Organization]:
    if request.param == "memory":
        yield InMemory()
        return
    endpoint = request.getfixturevalue("moto")
    clock = ManualClock(datetime.now(UTC))
    denied: set[str] = set()
    async with Clients() as clients:
        sts = await clients.get("sts")
        # moto never evaluates a trust policy: the refusal is put in where AWS would give it.
        sts.meta.events.register("before-send.sts.AssumeRole", spokes.refusing(denied))
        roles = Roles(sts, role_name="scanhub-spoke", external_id=SecretStr("canary-external-id-7f3a"), clock=clock)
        yield OnMoto(endpoint, clients, roles, clock, denied)


async def test_describe(organization: Organization) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    layers = await organization.publish(ARN, tags={"team": "orders"}, layers=("observability", "fonts"))
    snapshot = await organization.port.describe(ARN)
    assert snapshot.arn == ARN
    assert snapshot.code_sha256 == base64.b64encode(hashlib.sha256(CODE).digest()).decode()
    assert snapshot.layers == tuple(layers)
    assert len(layers) == 2
    assert snapshot.fingerprint == fingerprint(snapshot.code_sha256, layers)
    assert (snapshot.package_type, snapshot.is_image) == ("Zip", False)
    assert (snapshot.runtime, snapshot.architectures) == ("python3.13", ("arm64",))
    assert (snapshot.state, snapshot.last_update_status) == ("Active", "Successful")
    assert snapshot.code_size == len(CODE)
    assert before < snapshot.last_modified < datetime.now(UTC) + timedelta(minutes=1)
    assert snapshot.tags == {"team": "orders"}
    assert (snapshot.image_uri, snapshot.kms_key_arn, snapshot.code_error) == (None, None, None)


async def test_latest_is_described_as_its_function(organization: Organization) -> None:
    await organization.publish(ARN)
    assert (await organization.port.describe(replace(ARN, qualifier="$LATEST"))).arn == ARN


async def test_a_published_version_is_described_as_what_it_is(organization: Organization) -> None:
    await organization.publish(ARN)
    version = await organization.publish_version(ARN)
    assert version == replace(ARN, qualifier="1")
    before = await organization.port.describe(version)
    assert (before.arn, before.fingerprint) == (version, (await organization.port.describe(ARN)).fingerprint)
    await organization.update(ARN)
    assert (await organization.port.describe(version)).fingerprint == before.fingerprint
    assert (await organization.port.describe(ARN)).fingerprint != before.fingerprint
    for absent in ("2", "12"):
        with pytest.raises(Gone, match=f"orders-api:{absent}"):
            await organization.port.describe(replace(ARN, qualifier=absent))
    await organization.delete(ARN)
    with pytest.raises(Gone, match="orders-api:1"):
        await organization.port.describe(version)


async def test_a_version_is_never_tagged_nor_is_its_function_in_its_stead(organization: Organization) -> None:
    await organization.publish(ARN, tags={"team": "orders"})
    version = await organization.publish_version(ARN)
    assert not await organization.port.tag(version, TAGS, present=None)
    assert not await organization.port.tag(version, TAGS, present={})
    assert (await organization.port.describe(ARN)).tags == {"team": "orders"}
    with pytest.raises(ValueError, match="team"):
        await organization.port.tag(version, {"team": "scanhub"}, present=None)


async def test_a_function_without_tags_has_none(organization: Organization) -> None:
    await organization.publish(ARN)
    assert (await organization.port.describe(ARN)).tags == {}


async def test_what_does_not_exist_is_gone(organization: Organization) -> None:
    with pytest.raises(Gone, match="orders-api"):
        await organization.port.describe(ARN)
    with pytest.raises(Gone, match="orders-api"):
        await organization.port.tag(ARN, TAGS, present=None)


async def test_what_was_deleted_is_gone(organization: Organization) -> None:
    await organization.publish(ARN)
    await organization.port.describe(ARN)
    await organization.delete(ARN)
    with pytest.raises(Gone):
        await organization.port.describe(ARN)


async def test_accounts_and_regions_are_worlds_of_their_own(organization: Organization) -> None:
    await organization.publish(ARN, tags={"team": "orders"})
    for elsewhere in (replace(ARN, account=OTHER), replace(ARN, region="us-east-1")):
        with pytest.raises(Gone):
            await organization.port.describe(elsewhere)
    other = replace(ARN, account=OTHER)
    await organization.publish(other, tags={"team": "billing"})
    assert (await organization.port.describe(ARN)).tags == {"team": "orders"}
    assert (await organization.port.describe(other)).tags == {"team": "billing"}


async def test_tags_are_written_and_seen(organization: Organization) -> None:
    await organization.publish(ARN, tags={"team": "orders"})
    assert await organization.port.tag(ARN, TAGS, present={"team": "orders"})
    assert (await organization.port.describe(ARN)).tags == {"team": "orders", **TAGS}


async def test_tags_that_are_there_are_not_written(organization: Organization) -> None:
    await organization.publish(ARN)
    assert not await organization.port.tag(ARN, TAGS, present={**TAGS, "team": "orders"})
    # They were only said to be there; nothing was written, so nothing is.
    assert (await organization.port.describe(ARN)).tags == {}


async def test_only_the_tags_that_differ_are_written(organization: Organization) -> None:
    await organization.publish(ARN)
    assert await organization.port.tag(ARN, TAGS, present={**TAGS, "QualysScanStatus": "failed"})
    assert (await organization.port.describe(ARN)).tags == {"QualysScanStatus": "success"}


async def test_unknown_tags_are_all_written_again(organization: Organization) -> None:
    await organization.publish(ARN, tags=TAGS)
    assert await organization.port.tag(replace(ARN, qualifier="live"), TAGS, present=None)
    assert (await organization.port.describe(ARN)).tags == TAGS


async def test_no_other_key_is_ever_written(organization: Organization) -> None:
    await organization.publish(ARN)
    with pytest.raises(ValueError, match="team"):
        await organization.port.tag(ARN, {**TAGS, "team": "scanhub"}, present=None)
    assert (await organization.port.describe(ARN)).tags == {}


async def test_tags_do_not_change_the_fingerprint(organization: Organization) -> None:
    await organization.publish(ARN)
    before = await organization.port.describe(ARN)
    await organization.port.tag(ARN, TAGS, present=None)
    after = await organization.port.describe(ARN)
    assert (after.fingerprint, after.last_modified) == (before.fingerprint, before.last_modified)


async def test_every_scan_has_credentials_of_its_own_for_an_hour_at_the_most(organization: Organization) -> None:
    await organization.publish(ARN)
    snapshot = await organization.port.describe(ARN)
    first = await organization.port.scan_credentials(snapshot)
    second = await organization.port.scan_credentials(snapshot)
    assert first.access_key_id != second.access_key_id
    for credentials in (first, second):
        assert credentials.access_key_id.startswith("ASIA")
        assert credentials.expires_at.tzinfo is UTC
        left = credentials.expires_at - organization.clock.now()
        assert timedelta(minutes=55) < left <= timedelta(minutes=61)
        assert credentials.secret_access_key.get_secret_value() not in repr(credentials)
        assert credentials.session_token.get_secret_value() not in repr(credentials)


async def test_an_account_that_does_not_let_us_in(organization: Organization) -> None:
    other = replace(ARN, account=OTHER)
    for arn in (ARN, other):
        await organization.publish(arn)
    snapshot = await organization.port.describe(other)
    organization.deny(ACCOUNT)
    with pytest.raises(NoAccess, match=ACCOUNT):
        await organization.port.describe(ARN)
    with pytest.raises(NoAccess, match="scanhub-spoke"):
        await organization.port.tag(ARN, TAGS, present=None)
    with pytest.raises(NoAccess):
        await organization.port.scan_credentials(replace(snapshot, arn=ARN))
    # The others go on.
    assert await organization.port.tag(other, TAGS, present=None)
    assert (await organization.port.scan_credentials(snapshot)).access_key_id.startswith("ASIA")
