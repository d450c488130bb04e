"""One run of the main job on a local cloud, and everything that it left behind."""

import asyncio
import io
import json
import os
import shlex
import stat
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub import logs
from hub.coverage import Coverage
from hub.redaction import Redactor
from hub.settings import load
from infra.local.deployment import Deployment, deploy
from infra.local.scenario import Scenario, play
from scanhub.wiring import open_hub, open_worker
from spoke.arn import FunctionArn
from worker.tally import Tally
from worker.trip import Unobserved

STAND_IN = Path(sysconfig.get_path("scripts")) / "qscanner-stand-in"


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What one run left.

    Attributes:
        deployment: Where it ran.
        scenario: What was sent.
        tally: What the worker counted.
        coverages: By function.
        objects: The results bucket: bytes by key.
        items: The ledger table, as DynamoDB gives it.
        tags: Of each function that still exists.
        notifications: As a subscriber of the topic received them.
        parked: The dead-letter queue: body, and attributes by name.
        left: Messages in the changes queue: visible, in flight, delayed.
        log: The worker's log and metrics.
        argv: Every argument that the scanner was ever given.
        environment: The environments that it was given.
        leftovers: Files in the work directory.
        secrets: What must appear nowhere: the Qualys token and the external id.
    """

    deployment: Deployment
    scenario: Scenario
    tally: Tally
    coverages: Mapping[str, Coverage]
    objects: Mapping[str, bytes]
    items: list[dict[str, Any]]
    tags: Mapping[str, Mapping[str, str]]
    notifications: list[dict[str, Any]]
    parked: list[tuple[str, Mapping[str, str]]]
    left: tuple[int, int, int]
    log: str
    argv: str
    environment: str
    leftovers: list[Path]
    secrets: Mapping[str, str]

    def arn(self, name: str) -> str:
        """The ARN of a sample."""
        return next(arn for arn, sample in self.scenario.functions.items() if sample.name == name)

    def documents(self, name: str, file: str) -> list[Any]:
        """The JSON documents (one, or one a line) in a file of a sample's only scan."""
        prefix = f"/{FunctionArn.parse(self.arn(name)).name}/"
        [key] = [key for key in self.objects if prefix in key and key.endswith(f"/{file}")]
        text = self.objects[key].decode()
        return [json.loads(line) for line in text.splitlines()] if file.endswith(".jsonl") else [json.loads(text)]


def run(endpoint: str | None, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Aftermath:
    """Deploy, publish, send, work until the queue is empty, and gather what there is.

    Args:
        endpoint: Of the local cloud; None leaves it to `AWS_ENDPOINT_URL` and its relatives for single services.
        directory: For files of this run.
        monkeypatch: Sets the worker's environment.
    """
    deployment = deploy(endpoint)
    subscriber = _subscribed(deployment)
    scenario = play(deployment, progress=lambda _line: None)
    if endpoint is not None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_REGION", deployment.hub_region)
    for name, value in deployment.settings.items():
        monkeypatch.setenv(name, value)
    work_dir = directory / "work"
    monkeypatch.setenv("SCANHUB_WORK_DIR", str(work_dir))
    monkeypatch.setenv("SCANHUB_QSCANNER_PATH", str(_recording_scanner(directory)))
    log = io.StringIO()
    tally, coverages = asyncio.run(_work(log))
    return Aftermath(
        deployment=deployment,
        scenario=scenario,
        tally=tally,
        coverages=coverages,
        objects=_objects(deployment),
        items=deployment.client("dynamodb").scan(TableName=deployment.outputs["LedgerTable"])["Items"],
        tags=_tags(deployment, scenario),
        notifications=_received(deployment, subscriber),
        parked=_parked(deployment),
        left=_left(deployment),
        log=log.getvalue(),
        argv=(directory / "argv").read_text(),
        environment=(directory / "environment").read_text(),
        leftovers=[path for path in work_dir.rglob("*") if path.is_file()],
        secrets=_secrets(deployment),
    )


def _recording_scanner(directory: Path) -> Path:
    """The stand-in, behind a script that writes down how it was called."""
    script = directory / "qscanner"
    argv, environment = (shlex.quote(str(directory / name)) for name in ("argv", "environment"))
    script.write_text(
        f'#!/bin/sh\nprintf \'%s\\n\' "$@" >> {argv}\nenv >> {environment}\nexec {shlex.quote(str(STAND_IN))} "$@"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


async def _work(log: io.StringIO) -> tuple[Tally, Mapping[str, Coverage]]:
    settings, redactor = load(), Redactor()
    logs.configure("DEBUG", stream=log, redactor=redactor, terminal=False)
    async with open_worker(settings, os.environ, metrics=log, observer=Unobserved(), redactor=redactor) as service:
        tally = await service.run(drain=True)
    async with open_hub(settings, os.environ) as hub:
        return tally, {str(coverage.function): coverage async for coverage in hub.ledger.coverages()}


def _subscribed(deployment: Deployment) -> str:
    """A queue that hears what the topic tells."""
    queues = deployment.client("sqs")
    url = str(queues.create_queue(QueueName="subscriber")["QueueUrl"])
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    deployment.client("sns").subscribe(TopicArn=deployment.outputs["TopicArn"], Protocol="sqs", Endpoint=arn)
    return url


def _received(deployment: Deployment, url: str) -> list[dict[str, Any]]:
    return [json.loads(message["Body"]) for message in _messages(deployment, url)]


def _parked(deployment: Deployment) -> list[tuple[str, Mapping[str, str]]]:
    parked: list[tuple[str, Mapping[str, str]]] = []
    for message in _messages(deployment, deployment.outputs["ChangesDlqUrl"]):
        attributes = {name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()}
        parked.append((message["Body"], attributes))
    return parked


def _messages(deployment: Deployment, url: str) -> list[dict[str, Any]]:
    queues, messages = deployment.client("sqs"), []
    while batch := queues.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=1
    ).get("Messages", []):
        for message in batch:
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        messages += batch
    return messages


def _left(deployment: Deployment) -> tuple[int, int, int]:
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    url = deployment.outputs["ChangesQueueUrl"]
    attributes = deployment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    visible, in_flight, delayed = (int(attributes[name]) for name in names)
    return visible, in_flight, delayed


def _objects(deployment: Deployment) -> Mapping[str, bytes]:
    objects, bucket = deployment.client("s3"), deployment.outputs["ResultsBucket"]
    pages = objects.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    return {key: objects.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def _tags(deployment: Deployment, scenario: Scenario) -> Mapping[str, Mapping[str, str]]:
    tags = {}
    for text in scenario.functions:
        function = FunctionArn.parse(text)
        client = deployment.client("lambda", account=function.account, region=function.region)
        tags[text] = client.list_tags(Resource=text)["Tags"]
    return tags


def _secrets(deployment: Deployment) -> Mapping[str, str]:
    client = deployment.client("secretsmanager")

    def value(output: str) -> str:
        return str(client.get_secret_value(SecretId=deployment.outputs[output])["SecretString"])

    return {
        "token": json.loads(value("QualysSecretArn"))["qualys_access_token"],
        "external id": value("ExternalIdSecretArn"),
    }
