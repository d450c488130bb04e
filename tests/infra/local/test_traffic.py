import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local import traffic
from infra.local.deployment import Deployment
from infra.local.publication import Published, publish
from infra.local.traffic import Call
from spoke.changes import Change, ChangeKind, Ignored
from spoke.envelope import Malformed
from spoke.errors import Misconfigured
from spoke.events import read
from spoke.snapshot import fingerprint
from tests.infra.local.packages import SmallFunction

AT = datetime(2026, 11, 21, 20, 15, 3, tzinfo=UTC)
SHA256 = "GtXFJoMCl1+hMy1U4n/N0jHLovUKZuoQqGln2bfXGUU="
LAYER = "arn:aws:lambda:us-east-1:210000000002:layer:shared:7"


@pytest.fixture
def function() -> Published:
    arn = "arn:aws:lambda:us-east-1:210000000002:function:orders"
    configuration = {
        "FunctionName": "orders",
        "FunctionArn": arn,
        "Runtime": "python3.13",
        "Role": "arn:aws:iam::210000000002:role/orders",
        "Handler": "app.handler",
        "CodeSize": 137,
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "LastModified": "2026-11-21T20:15:03.000+0000",
        "CodeSha256": SHA256,
        "Version": "$LATEST",
        "PackageType": "Zip",
        "Architectures": ["arm64"],
    }
    return Published(
        arn=arn,
        account="210000000002",
        region="us-east-1",
        answer={"Configuration": configuration},
    )


def detail(call: Call) -> dict[str, Any]:
    read_back: dict[str, Any] = json.loads(call.entry()["Detail"])
    return read_back


def envelope(call: Call) -> str:
    """As EventBridge would deliver it."""
    entry = call.entry()
    return json.dumps(
        {
            "version": "0",
            "id": "6ece7d95-889f-45da-be26-ab93b8bdf37d",
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": call.account,
            "time": f"{entry['Time']:%Y-%m-%dT%H:%M:%SZ}",
            "region": call.region,
            "resources": entry["Resources"],
            "detail": json.loads(entry["Detail"]),
        }
    )


@pytest.mark.parametrize(
    ("make", "kind", "known"),
    [
        (traffic.created, ChangeKind.CREATED, True),
        (traffic.code_updated, ChangeKind.CODE_UPDATED, True),
        (traffic.configuration_updated, ChangeKind.CONFIGURATION_UPDATED, True),
        (traffic.deleted, ChangeKind.DELETED, False),
    ],
)
def test_each_change_reads_as_what_it_is(
    function: Published, make: Callable[..., Call], kind: ChangeKind, *, known: bool
) -> None:
    change = read(envelope(make(function, at=AT)))
    assert isinstance(change, Change)
    assert (change.kind, str(change.function), change.account, change.region, change.at) == (
        kind,
        function.arn,
        "210000000002",
        "us-east-1",
        AT,
    )
    assert change.fingerprint == (fingerprint(SHA256, []) if known else None)


def test_a_published_version_and_a_name_by_arn_are_the_same_function(function: Published) -> None:
    for call in (
        traffic.created(function, publish=True),
        traffic.code_updated(function, publish=True),
        traffic.code_updated(function, named_by_arn=True),
    ):
        change = read(envelope(call))
        assert isinstance(change, Change)
        assert str(change.function) == function.arn
    assert detail(traffic.created(function, publish=True))["responseElements"]["functionArn"] == f"{function.arn}:1"
    assert (
        detail(traffic.code_updated(function, named_by_arn=True))["requestParameters"]["functionName"] == function.arn
    )


def test_layers_stand_in_the_request_as_arns_and_in_the_response_as_objects(function: Published) -> None:
    configuration = {**function.answer["Configuration"], "Layers": [{"Arn": LAYER, "CodeSize": 4096}]}
    layered = Published(
        arn=function.arn,
        account=function.account,
        region=function.region,
        answer={"Configuration": configuration},
    )
    call = traffic.configuration_updated(layered)
    assert call.request["layers"] == [LAYER]
    assert detail(call)["responseElements"]["layers"] == [{"arn": LAYER, "codeSize": 4096}]
    change = read(envelope(call))
    assert isinstance(change, Change)
    assert change.fingerprint == fingerprint(SHA256, [LAYER])


def test_the_code_is_not_ready_at_event_time_and_never_in_the_record(function: Published) -> None:
    new = detail(traffic.created(function))
    assert (new["responseElements"]["state"], new["requestParameters"]["code"]) == ("Pending", {})
    changed = detail(traffic.code_updated(function))["responseElements"]
    assert changed["lastUpdateStatus"] == "InProgress"
    for call in (traffic.created(function), traffic.code_updated(function)):
        assert not {"zipFile", "environment"} & set(detail(call)["requestParameters"])


def test_a_deletion_answers_nothing_and_names_the_function_in_the_request(function: Published) -> None:
    record = detail(traffic.deleted(function))
    assert (record["responseElements"], record["requestParameters"]) == (None, {"functionName": "orders"})


def test_a_failed_call_has_an_error_and_no_response(function: Published) -> None:
    call = traffic.created(function).failed("AccessDenied", "User is not authorized to perform: lambda:CreateFunction")
    record = detail(call)
    assert (record["errorCode"], record["responseElements"]) == ("AccessDenied", None)
    assert isinstance(read(envelope(call)), Ignored)


def test_what_names_no_function_cannot_be_read() -> None:
    assert isinstance(read(envelope(traffic.broken("210000000002", "us-east-1"))), Malformed)


@pytest.mark.parametrize("make", [traffic.created, traffic.deleted])
def test_every_record_has_an_id_of_its_own(function: Published, make: Callable[..., Call]) -> None:
    call = make(function)
    assert detail(call)["eventID"] != detail(call)["eventID"]
    assert detail(call)["recipientAccountId"] == function.account


# Through the embedded cloud


@pytest.fixture
def queue(deployment: Deployment) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Takes all that lies in the changes queue."""
    client, url = deployment.client("sqs"), deployment.settings["SCANHUB_CHANGES_QUEUE_URL"]

    def take() -> list[dict[str, Any]]:
        bodies = []
        while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get(
            "Messages"
        ):
            for message in messages:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(json.loads(message["Body"]))
        return bodies

    take()
    yield take
    take()


@pytest.mark.parametrize("account_index", range(3))
@pytest.mark.parametrize("region_index", range(2))
def test_an_event_of_each_spoke_and_region_arrives_as_it_arose(
    deployment: Deployment, queue: Callable[[], list[dict[str, Any]]], account_index: int, region_index: int
) -> None:
    function = publish(deployment, SmallFunction("invoices", account=account_index, region=region_index))
    (event_id,) = traffic.put(deployment, function.account, function.region, [traffic.created(function, at=AT)])
    (body,) = queue()
    assert set(body) == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    }  # fmt: skip
    assert (body["account"], body["region"]) == (
        deployment.spokes[account_index],
        deployment.regions[region_index],
    )
    assert (body["id"], body["time"], body["source"]) == (event_id, "2026-11-21T20:15:03Z", "aws.lambda")
    change = read(json.dumps(body))
    assert isinstance(change, Change)
    assert (str(change.function), change.fingerprint) == (
        function.arn,
        fingerprint(function.answer["Configuration"]["CodeSha256"], []),
    )


NAMES = {
    "CreateFunction20150331": True,
    "CreateFunction": True,
    "CreateFunctionUrlConfig": False,
    "UpdateFunctionCode20150331v2": True,
    "UpdateFunctionCode": True,
    "UpdateFunctionCodeSigningConfig": False,
    "UpdateFunctionConfiguration20150331v2": True,
    "UpdateFunctionConfiguration": True,
    "UpdateFunctionEventInvokeConfig20191030": False,
    "DeleteFunction20150331": True,
    "DeleteFunction": True,
    "DeleteFunctionConcurrency20171031": False,
    "DeleteFunctionUrlConfig": False,
    "PublishVersion20150331": False,
    "PublishLayerVersion20181031": False,
    "TagResource20170331v2": False,
    "GetFunction20150331v2": False,
    "Invoke": False,
}


def test_only_the_four_changes_pass_the_rules(
    deployment: Deployment, queue: Callable[[], list[dict[str, Any]]]
) -> None:
    account, region = deployment.spokes[0], deployment.regions[1]
    request = {"functionName": "orders"}
    calls = [Call(name, account, region, AT, request=request, response=None) for name in NAMES]
    assert len(set(traffic.put(deployment, account, region, calls))) == len(NAMES) > 10
    assert sorted(body["detail"]["eventName"] for body in queue()) == sorted(name for name in NAMES if NAMES[name])


def test_other_sources_stay_in_the_spoke(deployment: Deployment, queue: Callable[[], list[dict[str, Any]]]) -> None:
    account, region = deployment.spokes[1], deployment.regions[0]
    function = publish(deployment, SmallFunction("parcels", account=1))
    real = traffic.created(function).entry()
    forged: list[Call | traffic.Entry] = [
        traffic.foreign(account, region),
        traffic.tagged(function, {"QualysScanStatus": "success"}),
        {**real, "Source": "com.example.lambda"},
        {**real, "DetailType": "Scan Request"},
        {**real, "Detail": json.dumps({**json.loads(real["Detail"]), "eventSource": "s3.amazonaws.com"})},
    ]
    traffic.put(deployment, account, region, forged)
    assert queue() == []
    traffic.put(deployment, account, region, [real, real])
    assert len(queue()) == 2


def test_events_on_the_hubs_own_default_bus_are_not_forwarded_without_a_spoke_stack(
    deployment: Deployment, queue: Callable[[], list[dict[str, Any]]]
) -> None:
    call = Call("DeleteFunction", deployment.hub_account, "eu-central-1", AT, request={}, response=None)
    traffic.put(deployment, deployment.hub_account, "eu-central-1", [call])
    assert queue() == []


def test_a_disabled_rule_forwards_nothing(deployment: Deployment, queue: Callable[[], list[dict[str, Any]]]) -> None:
    account, region = deployment.spokes[2], deployment.regions[0]
    bus = deployment.client("events", account=account, region=region)
    bus.disable_rule(Name="scanhub-forward")
    try:
        traffic.put(deployment, account, region, [traffic.broken(account, region)])
        assert queue() == []
    finally:
        bus.enable_rule(Name="scanhub-forward")


def test_a_target_that_shapes_its_input_still_does(deployment: Deployment) -> None:
    bus, sqs = deployment.client("events"), deployment.client("sqs")
    url = sqs.create_queue(QueueName="shaped")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_rule(Name="shape", EventPattern=json.dumps({"source": ["com.example"]}))
    shape = {"InputPathsMap": {"source": "$.source"}, "InputTemplate": '{"from": "<source>"}'}
    bus.put_targets(Rule="shape", Targets=[{"Id": "queue", "Arn": arn, "InputTransformer": shape}])
    bus.put_events(Entries=[{"Source": "com.example", "DetailType": "Test", "Detail": "{}"}])
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == {"from": "com.example"}


def test_a_body_that_is_no_json_reaches_the_queue_by_the_hubs_administrator(deployment: Deployment) -> None:
    sent = traffic.send_raw(deployment, "{not json")
    client, url = deployment.client("sqs"), deployment.settings["SCANHUB_CHANGES_QUEUE_URL"]
    (message,) = client.receive_message(QueueUrl=url)["Messages"]
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert (message["MessageId"], message["Body"]) == (sent, "{not json")


def test_a_cloud_that_refuses_events_of_aws_is_said(deployment: Deployment) -> None:
    entry = {**traffic.broken("210000000001", "us-east-1").entry(), "Detail": "{"}
    with pytest.raises(Misconfigured, match="the bus of 210000000001, us-east-1 refuses an event: MalformedDetail"):
        traffic.put(deployment, "210000000001", "us-east-1", [entry])  # type: ignore[list-item]  # broken on purpose
