"""A look by one kind of check, and a hub whose AWS gives canned answers."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.stub import Stubber

from hub.diagnosis import Check
from infra.calls import AwsClient
from infra.doctor import outside
from infra.doctor.deployed import DeployedHub
from infra.doctor.examination import examined
from infra.stacks import Stack

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REGION = "eu-central-1"
ACCOUNT = "123456789012"
QUEUES = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OUTPUTS = {
    "ChangesQueueUrl": f"{QUEUES}/scanhub-changes",
    "ChangesDlqUrl": f"{QUEUES}/scanhub-changes-dlq",
    "SweepQueueUrl": f"{QUEUES}/scanhub-sweep",
    "SweepDlqUrl": f"{QUEUES}/scanhub-sweep-dlq",
    "UndeliveredQueueUrl": f"{QUEUES}/scanhub-undelivered",
    "LedgerTable": "scanhub-ledger",
    "ResultsBucket": f"scanhub-results-{ACCOUNT}-{REGION}",
    "ResultsKmsKeyArn": KEY,
    "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:scanhub-notifications",
    "QualysSecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:scanhub/qualys-AbCdEf",
    "BusArn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/scanhub",
    "ClusterName": "scanhub",
    "ServiceName": "scanhub-worker",
}

Answer = tuple[str, Mapping[str, Any] | Exception]


def look(hub: DeployedHub, name: str) -> tuple[Check, ...]:
    """The checks of one kind."""
    [examination] = [one for one in outside.EXAMINATIONS if one.kind.name == name]
    return examined(examination, hub)


def told(hub: DeployedHub, name: str) -> list[tuple[str, str]]:
    """Verdict and reason of each check of one kind."""
    return [(check.verdict.value, check.reason) for check in look(hub, name)]


class CannedClients:
    """boto3 clients that answer by Stubber, which holds both sides to AWS's models."""

    def __init__(self) -> None:
        self._clients: dict[str, AwsClient] = {}
        self._stubbers: dict[str, Stubber] = {}

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> AwsClient:  # noqa: ARG002  # the port's
        if service not in self._clients:
            make: Any = boto3.client
            client = make(service, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
            self._clients[service] = client
            self._stubbers[service] = Stubber(client)
            self._stubbers[service].activate()
        return self._clients[service]

    def answer(
        self, service: str, operation: str, answer: Mapping[str, Any], *, asked: Mapping[str, Any] | None = None
    ) -> None:
        self.client(service)
        self._stubbers[service].add_response(operation, dict(answer), asked)

    def refuse(self, service: str, operation: str, code: str, message: str = "no", status: int = 400) -> None:
        self.client(service)
        self._stubbers[service].add_client_error(operation, code, message, status)

    def all_asked(self) -> None:
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()


def canned(clients: CannedClients, **changes: str) -> DeployedHub:
    """A hub whose outputs are `OUTPUTS` with changes; an empty one is not there."""
    outputs = {**OUTPUTS, **changes}
    stack = Stack(
        id=f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/scanhub-hub/5d4f",
        name="scanhub-hub",
        status="CREATE_COMPLETE",
        reason="",
        outputs={name: value for name, value in outputs.items() if value},
        parameters={"OrganizationId": "o-a1b2c3d4e5", "BulkScanSchedule": ""},
        tags={},
        is_protected=True,
    )
    return DeployedHub(clients=clients, stack=stack, now=lambda: NOW)


@contextmanager
def restored(*restores: Any) -> Iterator[None]:
    """Calls them at the end, whatever the test finds."""
    with ExitStack() as stack:
        for restore in restores:
            stack.callback(restore)
        yield


def stack(name: str, **changes: Any) -> dict[str, Any]:
    arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/1"
    return {"StackName": name, "StackId": arn, "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", **changes}
