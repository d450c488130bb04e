"""The member accounts behind the port `Estate`, in memory and on the embedded cloud, as their owners change them."""

import base64
import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from hub.sweep.ports import Estate
from spoke.arn import FunctionArn
from spoke.clients import Clients
from spoke.estate import AwsEstate
from spoke.gateway import describe
from spoke.roles import Roles
from spoke.snapshot import FunctionSnapshot
from tests.conftest import HUB_ACCOUNT, REGION
from tests.contracts import spokes
from worker.memory.clock import ManualClock
from worker.memory.estate import MemoryEstate

if TYPE_CHECKING:
    from types_aiobotocore_lambda import LambdaClient

ROLE = "scanhub-spoke"
EXTERNAL_ID = "canary-external-id-7f3a"


class Owners(Protocol):
    """What the accounts' owners do, and the port through which it is seen."""

    @property
    def port(self) -> Estate: ...

    async def publish(
        self, function: FunctionArn, *, tags: Mapping[str, str] | None = None, layers: tuple[str, ...] = ()
    ) -> list[str]: ...

    async def publish_many(self, functions: Mapping[FunctionArn, Mapping[str, str]]) -> None: ...

    async def describe(self, function: FunctionArn) -> FunctionSnapshot: ...

    async def delete(self, function: FunctionArn) -> None: ...

    async def update(self, function: FunctionArn) -> None: ...

    async def publish_version(self, function: FunctionArn) -> FunctionArn: ...

    async def point(self, alias: str, version: FunctionArn, *other: FunctionArn) -> None: ...

    async def provision(self, version: FunctionArn) -> None: ...

    def deny(self, account: str) -> None: ...


class InMemory:
    """Keeps what Lambda would: versions are told to the estate once something points to them."""

    def __init__(self) -> None:
        self.port = self._estate = MemoryEstate(role_name=ROLE)
        self._functions: dict[FunctionArn, FunctionSnapshot] = {}
        self._revisions = itertools.count()

    async def publish(
        self, function: FunctionArn, *, tags: Mapping[str, str] | None = None, layers: tuple[str, ...] = ()
    ) -> list[str]:
        arns = [f"arn:aws:lambda:{function.region}:{function.account}:layer:{layer}:1" for layer in layers]
        self._put(
            FunctionSnapshot(
                arn=function,
                code_sha256=self._code(),
                last_modified=datetime.now(UTC),
                layers=tuple(arns),
                architectures=("arm64",),
                runtime="python3.13",
                state=None,
                last_update_status=None,
                code_size=len(spokes.package()),
                tags=dict(tags or {}),
            )
        )
        return arns

    async def publish_many(self, functions: Mapping[FunctionArn, Mapping[str, str]]) -> None:
        for function, tags in functions.items():
            await self.publish(function, tags=tags)

    async def describe(self, function: FunctionArn) -> FunctionSnapshot:
        return self._functions[function]

    async def delete(self, function: FunctionArn) -> None:
        self._estate.remove(function)

    async def update(self, function: FunctionArn) -> None:
        self._put(replace(self._functions[function], code_sha256=self._code(), last_modified=datetime.now(UTC)))

    async def publish_version(self, function: FunctionArn) -> FunctionArn:
        number = sum(1 for arn in self._functions if arn.is_version and arn.unqualified == function) + 1
        version = replace(function, qualifier=str(number))
        self._functions[version] = replace(self._functions[function], arn=version)
        return version

    async def point(self, alias: str, version: FunctionArn, *other: FunctionArn) -> None:  # noqa: ARG002  # kept by Lambda
        for one in (version, *other):
            if one.is_version:
                self._estate.put(self._functions[one])

    async def provision(self, version: FunctionArn) -> None:
        self._estate.put(self._functions[version])

    def deny(self, account: str) -> None:
        self._estate.deny(account)

    def _put(self, snapshot: FunctionSnapshot) -> None:
        self._functions[snapshot.arn] = snapshot
        self._estate.put(snapshot)

    def _code(self) -> str:
        return base64.b64encode(hashlib.sha256(f"revision {next(self._revisions)}".encode()).digest()).decode()


class OnCloud:
    """Asks the cloud's own Lambda, in each account, as an administrator there would."""

    def __init__(self, endpoint: str, estate: AwsEstate, clock: ManualClock, denied: set[str]) -> None:
        self.port = estate
        self._clock = clock
        self._endpoint = endpoint
        self._denied = denied
        self._revisions = itertools.count()

    async def publish(
        self, function: FunctionArn, *, tags: Mapping[str, str] | None = None, layers: tuple[str, ...] = ()
    ) -> list[str]:
        return await spokes.publish(self._endpoint, function, code=self._code(), tags=tags, layers=layers)

    async def publish_many(self, functions: Mapping[FunctionArn, Mapping[str, str]]) -> None:
        """All of one account and region, with one package: quicker than one by one."""
        first = next(iter(functions))
        await self.publish(first, tags=functions[first])
        role = f"arn:aws:iam::{first.account}:role/{first.name}-execution"
        code = self._code()
        async with self._lambda(first) as client:
            for function, tags in list(functions.items())[1:]:
                await client.create_function(
                    FunctionName=function.name,
                    Runtime="python3.13",
                    Role=role,
                    Handler="app.handler",
                    Code={"ZipFile": code},
                    Tags=dict(tags),
                )

    async def describe(self, function: FunctionArn) -> FunctionSnapshot:
        async with self._lambda(function) as client:
            return await describe(client, function)

    async def delete(self, function: FunctionArn) -> None:
        async with self._lambda(function) as client:
            await client.delete_function(FunctionName=function.name)

    async def update(self, function: FunctionArn) -> None:
        async with self._lambda(function) as client:
            await client.update_function_code(FunctionName=function.name, ZipFile=self._code())

    async def publish_version(self, function: FunctionArn) -> FunctionArn:
        async with self._lambda(function) as client:
            answer = await client.publish_version(FunctionName=function.name)
        return FunctionArn.parse(answer["FunctionArn"])

    async def point(self, alias: str, version: FunctionArn, *other: FunctionArn) -> None:
        async with self._lambda(version) as client:
            await client.create_alias(
                FunctionName=version.name,
                Name=alias,
                FunctionVersion=version.qualifier or "$LATEST",
                RoutingConfig={"AdditionalVersionWeights": {one.qualifier or "": 0.1 for one in other}},
            )

    async def provision(self, version: FunctionArn) -> None:
        async with self._lambda(version) as client:
            await client.put_provisioned_concurrency_config(
                FunctionName=version.name, Qualifier=version.qualifier or "", ProvisionedConcurrentExecutions=1
            )

    def deny(self, account: str) -> None:
        self._denied.add(account)
        # The session that is there would serve on until its end.
        self._clock.advance(timedelta(hours=1))

    @asynccontextmanager
    async def _lambda(self, function: FunctionArn) -> AsyncIterator["LambdaClient"]:
        async with spokes.account_client(self._endpoint, function.account, "lambda", function.region) as client:
            yield client

    def _code(self) -> bytes:
        return spokes.package(f"REVISION = {next(self._revisions)}\n")


@asynccontextmanager
async def on_cloud(endpoint: str, *accounts: str, calls_per_second: float = 1000) -> AsyncIterator[OnCloud]:
    """The AWS adapter on a running cloud, to which the environment's `AWS_ENDPOINT_URL` leads."""
    for account in accounts:
        await _let_in(endpoint, account)
    denied: set[str] = set()
    clock = ManualClock(datetime.now(UTC))
    async with Clients() as clients:
        sts = await clients.get("sts")
        # moto never evaluates a trust policy: the refusal is put in where AWS would give it.
        sts.meta.events.register("before-send.sts.AssumeRole", spokes.refusing(denied))
        roles = Roles(sts, role_name=ROLE, external_id=SecretStr(EXTERNAL_ID), clock=clock)
        yield OnCloud(
            endpoint, AwsEstate(clients, roles, region=REGION, calls_per_second=calls_per_second), clock, denied
        )


async def _let_in(endpoint: str, account: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{HUB_ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    async with spokes.account_client(endpoint, account, "iam") as iam:
        await iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
