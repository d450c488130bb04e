"""A hub on moto as far as an operator's commands need one, and the commands run in this process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from hub.dead_letters import holding
from hub.dead_letters.attributes import parked_attributes
from hub.message import Parking
from hub.tries import Failure
from scanhub.command_line import app
from tests.conftest import HUB_ACCOUNT, REGION
from tests.dead_letters_rig import FUNCTION, change

LEDGER = "scanhub-ledger"
RESULTS = "scanhub-results"
BUS = f"arn:aws:events:{REGION}:{HUB_ACCOUNT}:event-bus/scanhub"
QUEUES = ("changes", "changes-dlq", "sweep", "sweep-dlq")


def invoke(*arguments: str) -> Result:
    """Run a command. What it raises is in `exception`; `app.main` would tell it in a line."""
    return CliRunner().invoke(app, list(arguments), env={"NO_COLOR": "1"})


def document(*arguments: str, code: int = 0) -> Any:  # noqa: ANN401  # whatever JSON it is
    """What a command prints with `--json`."""
    result = invoke(*arguments, "--json")
    assert result.exit_code == code, result.output + repr(result.exception)
    return json.loads(result.stdout)


@dataclass(frozen=True)
class Operator:
    """The hub's parts, and boto3 clients to look at them from outside."""

    urls: Mapping[str, str]
    sqs: Any
    s3: Any

    def park(
        self,
        reason: str = "scanner_crashed",
        *,
        body: str | None = None,
        function: str = FUNCTION,
        ago: timedelta = timedelta(hours=1),
        queue: str = "changes",
        detail: str = "exit 2\nthe end",
    ) -> str:
        """Park a message as a worker does; returns its id."""
        body = change() if body is None else body
        at = datetime.now(UTC) - ago
        why = Parking(reason, detail, function, 2, at, (Failure(1, "scanner_crashed", "exit 2", at),))
        sent = self.sqs.send_message(
            QueueUrl=self.urls[f"{queue}-dlq"], MessageBody=body, MessageAttributes=parked_attributes(body, why)
        )
        return str(sent["MessageId"])

    def visible(self, queue: str) -> int:
        """How many messages anybody can receive."""
        asked = self.sqs.get_queue_attributes(QueueUrl=self.urls[queue], AttributeNames=["ApproximateNumberOfMessages"])
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])

    def bodies(self, queue: str) -> list[str]:
        """What lies in it (at most ten), received."""
        answer = self.sqs.receive_message(QueueUrl=self.urls[queue], MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [one["Body"] for one in answer.get("Messages", [])]

    def records(self) -> list[list[dict[str, Any]]]:
        """What was dropped, drop by drop."""
        keys = [one["Key"] for one in self.s3.list_objects_v2(Bucket=RESULTS).get("Contents", [])]
        bodies = [self.s3.get_object(Bucket=RESULTS, Key=key)["Body"].read() for key in keys]
        return [[json.loads(line) for line in body.splitlines()] for body in bodies]


def environment(urls: Mapping[str, str]) -> dict[str, str]:
    """The settings of the hub."""
    return {
        "AWS_REGION": REGION,
        "SCANHUB_CHANGES_QUEUE_URL": urls["changes"],
        "SCANHUB_CHANGES_DLQ_URL": urls["changes-dlq"],
        "SCANHUB_SWEEP_QUEUE_URL": urls["sweep"],
        "SCANHUB_SWEEP_DLQ_URL": urls["sweep-dlq"],
        "SCANHUB_LEDGER_TABLE": LEDGER,
        "SCANHUB_RESULTS_BUCKET": RESULTS,
        "SCANHUB_QUALYS_SECRET_ARN": f"arn:aws:secretsmanager:{REGION}:{HUB_ACCOUNT}:secret:scanhub/qualys-abcdef",
        "SCANHUB_EXTERNAL_ID": "made-up-external-id",
        "SCANHUB_BUS_ARN": BUS,
    }


@pytest.fixture
def operator(moto: str, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """Queues, bucket, table, bus and archive on an empty moto, and the settings that name them."""

    def client(service: str) -> Any:  # noqa: ANN401  # boto3's clients have no common type
        return boto3.client(service, endpoint_url=moto, region_name=REGION)  # type: ignore[call-overload]  # any service

    sqs, s3, events, dynamodb = (client(service) for service in ("sqs", "s3", "events", "dynamodb"))
    urls = {name: sqs.create_queue(QueueName=f"scanhub-{name}")["QueueUrl"] for name in QUEUES}
    s3.create_bucket(Bucket=RESULTS, CreateBucketConfiguration={"LocationConstraint": REGION})
    dynamodb.create_table(
        TableName=LEDGER,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    events.create_event_bus(Name="scanhub")
    events.create_archive(ArchiveName="scanhub-changes", EventSourceArn=BUS, RetentionDays=14)
    # moto's short poll sees everything.
    monkeypatch.setattr(holding, "WAIT_SECONDS", 0)
    for name, value in environment(urls).items():
        monkeypatch.setenv(name, value)
    return Operator(urls, sqs, s3)
