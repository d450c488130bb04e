"""A worker's whole life on the embedded cloud, with the task role's credentials, and every call that it led to.

What makes a call of its own is in it: both queues, functions with a layer, as an image, gone and excluded, bodies that
nobody can read, tags, a notification, a scan asked for by hand, a token that Qualys refuses, a heartbeat over a long
scan, task protection, a stop that gives back, the doctor's look from inside, and a sweep of the account.
"""

import asyncio
import io
import json
import os
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub import logs
from hub.diagnosis import Check
from hub.redaction import Redactor
from hub.settings import Settings, load
from hub.sweep.report import SweepReport
from hub.sweeps import SweepScope
from infra.local import traffic
from infra.local.accounts import Accounts, spoke_accounts
from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy
from infra.local.organization import LocalOrganization, set_up
from infra.local.publication import Published, publish
from infra.local.samples import SAMPLES
from infra.local.scenario import NOT_JSON, TRANSIENT
from scanhub import doctor_inside
from scanhub.spoke_wiring import estate
from scanhub.sweep_wiring import open_sweep, roster_of
from scanhub.wiring import open_worker
from spoke.arn import FunctionArn
from spoke.errors import QualysFault
from spoke.own_requests import scan_request
from tests.hub import ecs_agent_double
from tests.permissions.commands import asked_by_commands
from tests.permissions.door import Call, Door, Session, standing
from tests.permissions.wire import Operation
from worker.tally import Tally
from worker.trip import Unobserved

STAND_IN = Path(sysconfig.get_path("scripts")) / "qscanner-stand-in"
TASK = ecs_agent_double.TASK.rpartition("/")[2]
SHORT = {"visibility_timeout": 12}
"""Seconds: a heartbeat after four. What a worker's settings allow is too long to wait for one."""

PUBLISHED = ("invoice-render", "health-check", "legacy-report")
"""Of the samples; the sweep finds one more."""

REFUSED = (
    "echo 'Error: POST https://gateway.qg2.apps.qualys.com/csapi/v1.3/upload: status 401 Unauthorized' >&2\nexit 33\n"
)
"""What the scanner says of a token that Qualys refuses; see tests/doubles/qscanner_double.py."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a worker's life left.

    Attributes:
        deployment: Where it was.
        calls: Of the hub's task role and of the sessions that came from it, in their order.
        task: The task role's session.
        tallies: Of its runs.
        checks: Of `scanhub doctor --inside`, in the same task.
        swept: What a sweep of the account found, in a task of its own with the same role.
        by_commands: Calls of commands that an engineer runs, by the command.
        functions: The ARNs of what was published, by name.
    """

    deployment: Deployment
    calls: tuple[Call, ...]
    task: Session
    tallies: tuple[Tally, ...]
    checks: tuple[Check, ...]
    swept: SweepReport
    by_commands: Mapping[str, tuple[Call, ...]]
    functions: Mapping[str, str]


@contextmanager
def worked(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Deploy, publish, and let a worker live; the cloud is there until the context is left."""
    door = Door()
    with standing(door), EmbeddedCloud() as cloud:
        accounts = Accounts(cloud.endpoint, "eu-central-1")
        organization = set_up(accounts, spokes={"workloads": spoke_accounts(1)})
        deployment = deploy(cloud.endpoint, spokes=1, regions=("eu-central-1",), organization=organization.id)
        functions = _published(deployment)
        _sent(deployment, functions)
        for name, value in _environment(deployment, directory).items():
            monkeypatch.setenv(name, value)
        tallies, checks = asyncio.run(_lived(door, deployment, functions, directory))
        swept = asyncio.run(_swept(deployment, organization))
        task = f"arn:aws:sts::{deployment.hub_account}:assumed-role/{_name(deployment.outputs['TaskRoleArn'])}/{TASK}"
        session = next(call.session for call in door.calls if call.session.arn == task)
        by_commands = asked_by_commands(deployment, door, functions["invoice-render"].arn, monkeypatch)
        assert door.unread == []
        roles = {deployment.outputs["TaskRoleArn"], *_spoke_roles(deployment)}
        yield Work(
            deployment=deployment,
            calls=tuple(call for call in door.calls if call.session.role in roles),
            task=session,
            tallies=tallies,
            checks=checks,
            swept=swept,
            by_commands=by_commands,
            functions={name: function.arn for name, function in functions.items()},
        )


def _spoke_roles(deployment: Deployment) -> Iterator[str]:
    for account in deployment.spokes:
        yield f"arn:aws:iam::{account}:role/{deployment.outputs['SpokeRoleName']}"


def _name(role: str) -> str:
    return role.rpartition("/")[2]


def _environment(deployment: Deployment, directory: Path) -> dict[str, str]:
    """A worker's environment in its task: ECS hands it the task role's session, which has the name of the task."""
    given = deployment.client("sts").assume_role(RoleArn=deployment.outputs["TaskRoleArn"], RoleSessionName=TASK)
    credentials = given["Credentials"]
    return {
        **deployment.settings,
        "AWS_ENDPOINT_URL": deployment.endpoint,
        "AWS_REGION": deployment.hub_region,
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "SCANHUB_WORK_DIR": str(directory / "work"),
        "SCANHUB_QSCANNER_PATH": str(directory / "qscanner"),
        "SCANHUB_MAX_ATTEMPTS": "1",
    }


def _published(deployment: Deployment) -> Mapping[str, Published]:
    """One with findings and a layer, one that is excluded, one as an image, one that is gone again; by name."""
    named = {sample.name: replace(sample, account=0, region=0) for sample in SAMPLES}
    functions = [publish(deployment, named[name]) for name in PUBLISHED]
    gone = publish(deployment, replace(TRANSIENT, account=0, region=0))
    functions += [_with_a_layer(deployment, functions[0]), _image(deployment, functions[0]), gone]
    deployment.client("lambda", account=gone.account).delete_function(FunctionName=_of(gone))
    return {_of(function): function for function in functions}


def _of(function: Published) -> str:
    return FunctionArn.parse(function.arn).name


def _with_a_layer(deployment: Deployment, function: Published) -> Published:
    client = deployment.client("lambda", account=function.account)
    package = SAMPLES[0].build()
    layer = client.publish_layer_version(LayerName="shared", Content={"ZipFile": package})["LayerVersionArn"]
    client.update_function_configuration(FunctionName=_of(function), Layers=[layer])
    answer = client.get_function(FunctionName=_of(function))
    assert [one["Arn"] for one in answer["Configuration"]["Layers"]] == [layer]
    return replace(function, answer=answer)


def _image(deployment: Deployment, beside: Published) -> Published:
    registry = deployment.client("ecr", account=beside.account)
    repository = registry.create_repository(repositoryName="team/thumbnails")["repository"]["repositoryUri"]
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 1470,
            "digest": "sha256:b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7",
        },
        "layers": [],
    }
    registry.put_image(repositoryName="team/thumbnails", imageManifest=json.dumps(manifest), imageTag="v7")
    client = deployment.client("lambda", account=beside.account)
    created = client.create_function(
        FunctionName="thumbnails",
        PackageType="Image",
        Code={"ImageUri": f"{repository}:v7"},
        Role=beside.answer["Configuration"]["Role"],
    )
    answer = client.get_function(FunctionName="thumbnails")
    return Published(arn=created["FunctionArn"], account=beside.account, region=beside.region, answer=answer)


def _sent(deployment: Deployment, functions: Mapping[str, Published]) -> None:
    """Events on the spoke's bus; requests and bodies that nobody can read in both queues."""
    for name in ("invoice-render", "legacy-report", "thumbnails", _of_transient()):
        function = functions[name]
        traffic.put(deployment, function.account, function.region, [traffic.created(function)])
    traffic.send_raw(deployment, NOT_JSON)
    clean = FunctionArn.parse(functions["health-check"].arn)
    for body in (scan_request(clean, reason="sweep", force=False), NOT_JSON):
        deployment.client("sqs").send_message(QueueUrl=deployment.outputs["SweepQueueUrl"], MessageBody=body)


def _of_transient() -> str:
    return TRANSIENT.name


async def _lived(
    door: Door,
    deployment: Deployment,
    functions: Mapping[str, Published],
    directory: Path,
) -> tuple[tuple[Tally, ...], tuple[Check, ...]]:
    settings = load()
    _scanner(directory, f'exec "{STAND_IN}" "$@"\n')
    async with ecs_agent_double.agent() as agent:
        environ = {**os.environ, "ECS_AGENT_URI": agent.uri}
        first = await _run(settings, environ)
        checks = await _examined()
        _asked_for(deployment, functions["health-check"], "ChangesQueueUrl")
        _scanner(directory, REFUSED)
        with pytest.raises(QualysFault):
            await _run(settings, environ)
        _asked_for(deployment, functions["invoice-render"], "ChangesQueueUrl")
        _asked_for(deployment, functions["health-check"], "SweepQueueUrl")
        _scanner(directory, "exec sleep 60\n")
        last = await _stopped_in_mid_scan(door, settings, environ)
        for asked in agent.requests:
            door.calls.append(_as_the_agent_asks(deployment, asked, door))
    return (first, last), checks


async def _examined() -> tuple[Check, ...]:
    """As `scanhub doctor` runs it in a task of the worker, told no accounts: it takes those that the ledger knows.

    Without the agent, which it asks only whether it answers: that ECS refuses the role is an answer, too.
    """
    found: list[Check] = []
    await doctor_inside.look(doctor_inside.Wanted(quiet=timedelta(days=14)), found.append, lambda _step: None)
    return tuple(found)


async def _swept(deployment: Deployment, organization: LocalOrganization) -> SweepReport:
    """As the sweep's task does, versions too; one function is there that nobody has told of, and one has versions.

    Which accounts there are is asked both ways, but only the spoke is gone over: the others have no role to enter.
    """
    named = {sample.name: replace(sample, account=0, region=0) for sample in SAMPLES}
    unseen = publish(deployment, next(sample for name, sample in named.items() if name not in PUBLISHED))
    client = deployment.client("lambda", account=unseen.account)
    version = client.publish_version(FunctionName=unseen.arn)["Version"]
    client.create_alias(FunctionName=unseen.arn, Name="live", FunctionVersion=version)
    settings = load().model_copy(update={"sweep_versions": True, "sweep_all_tags": True})
    region = deployment.hub_region
    everybody = await roster_of(settings, (), (), region)
    of_unit = await roster_of(settings, (), (organization.units["workloads"],), region)
    assert set(of_unit.accounts) < set(everybody.accounts)
    async with open_sweep(settings, os.environ, observer=None, redactor=Redactor()) as ready:
        # The embedded cloud has the regions of all partitions in one account: they are asked for, but not gone over.
        there = await estate(settings, ready.hub.clients, ready.hub.clock, Redactor())
        assert region in await there.regions(unseen.account)
        scope = SweepScope(accounts=of_unit.accounts, regions=(region,), profile_id=ready.profile.id)
        return await ready.sweep.run(scope, of_unit.accounts)


def _asked_for(deployment: Deployment, function: Published, queue: str) -> None:
    """As `scanhub scan --force` does, with the engineer's own credentials."""
    body = scan_request(FunctionArn.parse(function.arn), reason="manual", force=True)
    deployment.client("sqs").send_message(QueueUrl=deployment.outputs[queue], MessageBody=body)


async def _run(settings: Settings, environ: Mapping[str, str]) -> Tally:
    log, redactor = io.StringIO(), Redactor()
    logs.configure("DEBUG", stream=log, redactor=redactor, terminal=False)
    async with open_worker(settings, environ, metrics=log, observer=Unobserved(), redactor=redactor) as service:
        return await service.run(drain=True)


async def _stopped_in_mid_scan(door: Door, settings: Settings, environ: Mapping[str, str]) -> Tally:
    """Scans go on until a message of each queue was extended; then the worker is told twice to stop."""
    settings = settings.model_copy(update=SHORT)
    loop, extended, all_extended = asyncio.get_running_loop(), set[str](), asyncio.Event()

    def heard(call: Call) -> None:
        if call.operation == Operation("sqs", "ChangeMessageVisibilityBatch"):
            extended.add(str(call.parameters["QueueUrl"]))
            if len(extended) == 2:
                loop.call_soon_threadsafe(all_extended.set)

    door.listen(heard)
    log, redactor = io.StringIO(), Redactor()
    logs.configure("DEBUG", stream=log, redactor=redactor, terminal=False)
    async with open_worker(settings, environ, metrics=log, observer=Unobserved(), redactor=redactor) as service:
        running = asyncio.create_task(service.run())
        await all_extended.wait()
        service.stop()
        service.stop()
        return await running


def _scanner(directory: Path, does: str) -> None:
    script = directory / "qscanner"
    script.unlink(missing_ok=True)
    script.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec "{STAND_IN}" --version\n{does}')
    script.chmod(0o755)


def _as_the_agent_asks(deployment: Deployment, asked: Mapping[str, Any], door: Door) -> Call:
    """The agent in the task calls ECS with the task role (ECS developer guide, task scale-in protection endpoint)."""
    session = next(call.session for call in door.calls if call.session.role == deployment.outputs["TaskRoleArn"])
    return Call(
        session=session,
        operation=Operation("ecs", "UpdateTaskProtection"),
        region=deployment.hub_region,
        parameters={
            "cluster": "scanhub",
            "tasks": [ecs_agent_double.TASK],
            "protectionEnabled": asked["ProtectionEnabled"],
        },
        status=200,
    )
