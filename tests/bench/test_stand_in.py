"""The stand-in of the bench, asked by real clients: what it answers must be what they make of AWS's own answers."""

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bench import scanner
from bench.control import Cloud
from bench.organization import HUB, REGION, covered, described, functions
from hub.ledger_items import coverage_from, record_from, scan_item_key, state_item_key
from hub.ledger_wire import plain, wire_key
from hub.scans import ScanKey
from spoke.changes import Change
from spoke.events import read
from spoke.functions import snapshot_of

QUEUE = f"https://sqs.{REGION}.amazonaws.com/{HUB}/scanhub-changes"


@pytest.fixture(scope="module")
def running() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    running.reset()
    return running


def client(cloud: Cloud, service: str) -> Any:  # noqa: ANN401  # boto3 makes its clients at run time
    made: Any = boto3.client  # its overloads know literal names only
    return made(service, endpoint_url=cloud.endpoint, region_name=REGION)


def receive(sqs: Any, **arguments: object) -> list[dict[str, Any]]:  # noqa: ANN401  # as above
    answer = sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, **arguments)
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def test_an_event_arrives_as_eventbridge_writes_it_and_is_gone_once_deleted(cloud: Cloud) -> None:
    sqs, arns = client(cloud, "sqs"), list(functions("orders", 12))
    cloud.send(arns)
    first = receive(sqs)
    assert [len(first), len(receive(sqs)), len(receive(sqs))] == [10, 2, 0]
    change = read(first[3]["Body"])
    assert isinstance(change, Change)
    assert (change.function, change.account) == (arns[3], arns[3].account)
    assert change.fingerprint == snapshot_of(arns[3], described(str(arns[3]))).fingerprint
    entries = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(first)]
    assert len(sqs.delete_message_batch(QueueUrl=QUEUE, Entries=entries)["Successful"]) == 10
    again = sqs.delete_message_batch(QueueUrl=QUEUE, Entries=entries[:1])
    assert again["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"
    assert cloud.state() == {"waiting": False, "visible": 0, "held": 2, "deleted": 10, "parked": 0}
    assert cloud.calls() == {"sqs:ReceiveMessage": 3, "sqs:DeleteMessageBatch": 2}


def test_a_message_given_back_comes_again_and_counts_its_receives(cloud: Cloud) -> None:
    sqs = client(cloud, "sqs")
    cloud.send(list(functions("orders", 1)))
    [message] = receive(sqs, AttributeNames=["All"])
    sqs.change_message_visibility(QueueUrl=QUEUE, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    [again] = receive(sqs, WaitTimeSeconds=5)
    assert again["MessageId"] == message["MessageId"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"


def test_a_long_poll_ends_when_messages_come_and_gets_all_of_them_at_once(cloud: Cloud) -> None:
    with ThreadPoolExecutor(1) as thread:
        polled = thread.submit(receive, client(cloud, "sqs"), WaitTimeSeconds=20)
        while not cloud.state()["waiting"]:
            assert not polled.done()
        cloud.send(list(functions("orders", 3)))
        assert len(polled.result()) == 3


def test_seeded_functions_read_as_covered_also_through_a_projection(cloud: Cloud) -> None:
    dynamodb, [arn] = client(cloud, "dynamodb"), list(functions("covered", 1))
    cloud.store(covered(iter([arn]), scanner.PROFILE))
    key = ScanKey(arn, snapshot_of(arn, described(str(arn))).fingerprint, scanner.PROFILE.id)
    wanted = [wire_key(scan_item_key(key)), wire_key(state_item_key(arn))]
    found = dynamodb.batch_get_item(RequestItems={"scanhub-ledger": {"Keys": wanted}})["Responses"]["scanhub-ledger"]
    scan, state = map(plain, found)
    record = record_from(scan, key, state)
    assert record.coverage_fingerprint == key.fingerprint
    assert record.summary is not None
    assert coverage_from(state).last_good == record.summary
    narrow = dynamodb.get_item(
        TableName="scanhub-ledger",
        Key=wanted[1],
        ProjectionExpression="#state, fingerprint",
        ExpressionAttributeNames={"#state": "state"},
    )
    assert narrow["Item"].keys() == {"state", "fingerprint"}


def test_an_update_sets_removes_and_discards(cloud: Cloud) -> None:
    dynamodb = client(cloud, "dynamodb")
    key = {"pk": {"S": "function#a"}, "sk": {"S": "scan#b"}}

    def update(expression: str, **values: Any) -> dict[str, Any]:
        answer = dynamodb.update_item(
            TableName="scanhub-ledger",
            Key=key,
            UpdateExpression=expression,
            ExpressionAttributeNames={f"#{name}": name for name in ("leaseOwner", "owed") if f"#{name}" in expression},
            **({"ExpressionAttributeValues": values} if values else {}),
            ReturnValues="ALL_NEW",
        )
        new: dict[str, Any] = answer["Attributes"]
        return new

    values = {":leaseOwner": {"S": "me"}, ":owed": {"SS": ["tag", "metrics"]}}
    assert update("SET #leaseOwner = :leaseOwner, #owed = :owed", **values)["leaseOwner"] == {"S": "me"}
    assert "leaseOwner" not in update("REMOVE #leaseOwner")
    assert update("DELETE #owed :owed", **{":owed": {"SS": ["tag"]}})["owed"] == {"SS": ["metrics"]}
    assert "owed" not in update("DELETE #owed :owed", **{":owed": {"SS": ["metrics"]}})


def test_roles_functions_tags_objects_notes_and_secrets_are_answered(cloud: Cloud) -> None:
    role = "arn:aws:iam::210000000007:role/scanhub-spoke"
    session = client(cloud, "sts").assume_role(RoleArn=role, RoleSessionName="orders")
    assert session["Credentials"]["AccessKeyId"].startswith("ASIA210000000007")
    assert session["AssumedRoleUser"]["Arn"] == "arn:aws:sts::210000000007:assumed-role/scanhub-spoke/orders"
    arn = f"arn:aws:lambda:{REGION}:210000000007:function:orders"
    assert client(cloud, "lambda").get_function(FunctionName=arn)["Configuration"]["FunctionArn"] == arn
    client(cloud, "lambda").tag_resource(Resource=arn, Tags={"QualysScanStatus": "success"})
    digest = base64.b64encode(hashlib.sha256(b"{}").digest()).decode()
    stored = client(cloud, "s3").put_object(Bucket="scanhub-results", Key="a/b", Body=b"{}", ChecksumSHA256=digest)
    assert stored["ChecksumSHA256"] == digest
    assert client(cloud, "sns").publish(TopicArn=f"arn:aws:sns:{REGION}:{HUB}:t", Message="m")["MessageId"]
    assert "qualys_pod" in client(cloud, "secretsmanager").get_secret_value(SecretId="q")["SecretString"]
    assert cloud.calls() == {
        "sts:AssumeRole": 1,
        "lambda:GetFunction": 1,
        "lambda:TagResource": 1,
        "s3:PutObject": 1,
        "sns:Publish": 1,
        "secretsmanager:GetSecretValue": 1,
    }


def test_what_it_cannot_answer_spoils_the_figures(cloud: Cloud) -> None:
    dynamodb = client(cloud, "dynamodb")
    with pytest.raises(ClientError, match="501"):
        dynamodb.update_item(
            TableName="scanhub-ledger",
            Key={"pk": {"S": "a"}, "sk": {"S": "b"}},
            UpdateExpression="ADD #n :one",
            ExpressionAttributeNames={"#n": "n"},
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
    with pytest.raises(AssertionError, match=r"could not answer.*NotUnderstood"):
        cloud.calls()


def test_the_scanners_files_hold_what_the_worker_reads(tmp_path: Path) -> None:
    script = scanner.install(tmp_path / "scanner", seconds=0)
    files = {one.name for one in (script.parent / "files").iterdir()}
    assert files == {
        f"lambda-{name}"
        for name in (
            "ScanResult.json",
            "ScanResult.spdx.json",
            "ScanResult.cyclonedx.json",
            "Report.sarif.json",
            "Report.json",
        )
    }
    assert scanner.begun(script) == 0
