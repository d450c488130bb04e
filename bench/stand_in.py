"""AWS with canned answers, in a process of its own: `python -m bench.stand_in` prints its port and serves until killed.

It keeps just as much state as the figures need, the queues and the table, and counts every call by its operation. What
it is not prepared for it answers with 501 and counts under `unanswered`, so that no figure rests on a failed call.
"""

import asyncio
import gc
import hashlib
import json
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from bench import organization
from bench.estate import Answers, Estate
from bench.http_server import Answer, Connection, Request, response
from bench.queues import Queue, encoded
from bench.table import Table
from hub.ledger_queries import INDEXES
from hub.ledger_table import KEY_TYPES

_LIST = "/2015-03-31/functions"
_JSON = "application/x-amz-json-1.0"
_REQUEST_ID = "x-amzn-RequestId: 0d1e9b5e-8a3e-4d4a-9b0e-0f0a7a9c1f00\r\nDate: Sun, 22 Nov 2026 01:10:00 GMT\r\n"


class StandIn:
    """Every service behind one port."""

    def __init__(self) -> None:
        self._queues = {"changes": Queue(), "sweep": Queue()}
        self._parked = {"changes-dlq": Queue(), "sweep-dlq": Queue()}
        self._table = Table()
        self._estate = Answers(Estate(0, 0, 0))
        self._delay = 0.0
        self._calls: Counter[str] = Counter()
        self._targets: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "AmazonSQS.ReceiveMessage": self._receive,
            "AmazonSQS.DeleteMessageBatch": self._delete_batch,
            "AmazonSQS.DeleteMessage": self._delete,
            "AmazonSQS.ChangeMessageVisibility": self._change,
            "AmazonSQS.ChangeMessageVisibilityBatch": self._change_batch,
            "AmazonSQS.GetQueueAttributes": self._attributes,
            "AmazonSQS.SendMessage": self._send,
            "AmazonSQS.SendMessageBatch": self._send_batch,
            "DynamoDB_20120810.BatchGetItem": self._batch_get,
            "DynamoDB_20120810.Query": self._query,
            "DynamoDB_20120810.Scan": self._scan,
            "DynamoDB_20120810.GetItem": self._get,
            "DynamoDB_20120810.UpdateItem": self._update,
            "DynamoDB_20120810.TransactWriteItems": self._transact,
            "DynamoDB_20120810.DescribeTable": self._describe_table,
            "secretsmanager.GetSecretValue": self._secret,
            "ResourceGroupsTaggingAPI_20170126.GetResources": _resources,
        }
        self._commands: dict[str, Callable[[dict[str, Any]], Any]] = {
            "send": self._enqueue,
            "store": self._store,
            "estate": self._have,
            "delay": self._wait,
            "reset": self._reset,
            "calls": self._told_calls,
            "journal": self._journal,
            "state": self._state,
        }

    def answer(self, request: Request) -> Answer:
        """Whatever comes."""
        if request.path.startswith("/-/"):
            command = self._commands[request.path[3:]]
            return response(json.dumps(command(json.loads(request.body))).encode(), content_type="application/json")
        name = "?"
        try:
            name, answer = self._service(request)
        except Exception as error:  # noqa: BLE001  # whatever it was, it must show and not hang the worker
            sys.stderr.write(f"stand-in: {name} {request.method} {request.path[:200]}: {error!r}\n")
            name, answer = f"unanswered {request.method} {request.path[:80]}: {error!r}", response(status=501)
        self._calls[name] += 1
        return self._late(answer) if self._delay and isinstance(answer, bytes) else answer

    def _late(self, answer: bytes) -> Answer:
        loop = asyncio.get_running_loop()
        later: asyncio.Future[bytes] = loop.create_future()
        loop.call_later(self._delay, _tell, later, answer)
        return later

    def _service(self, request: Request) -> tuple[str, Answer]:
        target = request.headers.get("x-amz-target")
        if target is not None:
            service, _, operation = target.partition(".")
            name = f"{service.split('_')[0].removeprefix('Amazon').lower()}:{operation}"
            return name, self._targets[target](json.loads(request.body))
        service = request.headers["authorization"].split("/")[3]
        if service in {"sts", "sns", "ec2"}:
            arguments = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            action = arguments["Action"]
            answers = {"AssumeRole": _assume_role, "Publish": _publish, "DescribeRegions": self._regions}
            return f"{service}:{action}", response(answers[action](arguments), content_type="text/xml")
        path = urlsplit(request.path).path
        if service == "lambda" and path == _LIST:
            return "lambda:ListFunctions", self._list(request)
        if service == "lambda":
            return _lambda(request.method, path)
        if service == "s3":
            return _s3(request)
        raise ValueError(service)

    # SQS

    def _queue(self, body: dict[str, Any]) -> Queue:
        name = body["QueueUrl"].rpartition("/")[2].removeprefix("scanhub-")
        return self._queues[name] if name in self._queues else self._parked[name]

    def _receive(self, body: dict[str, Any]) -> Answer:
        found = self._queue(body).receive(
            body.get("MaxNumberOfMessages", 1), body.get("VisibilityTimeout", 30), body.get("WaitTimeSeconds", 0)
        )
        if found.done():
            return _json(encoded(found.result()))
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def tell(_: object) -> None:
            if not found.cancelled() and not answer.done():
                answer.set_result(_json(encoded(found.result())))

        found.add_done_callback(tell)
        # The connection cancels what it waits for when the client goes away, and with it the poll.
        answer.add_done_callback(lambda _: found.cancel())
        return answer

    def _delete(self, body: dict[str, Any]) -> bytes:
        if not self._queue(body).delete(body["ReceiptHandle"]):
            raise ValueError("a stale receipt")
        return _json(b"{}")

    def _delete_batch(self, body: dict[str, Any]) -> bytes:
        queue = self._queue(body)
        return _batch(body, lambda entry: queue.delete(entry["ReceiptHandle"]))

    def _change(self, body: dict[str, Any]) -> bytes:
        if not self._queue(body).change(body["ReceiptHandle"], body["VisibilityTimeout"]):
            raise ValueError("a stale receipt")
        return _json(b"{}")

    def _change_batch(self, body: dict[str, Any]) -> bytes:
        queue = self._queue(body)
        return _batch(body, lambda entry: queue.change(entry["ReceiptHandle"], entry["VisibilityTimeout"]))

    def _attributes(self, body: dict[str, Any]) -> bytes:
        visible, held = self._queue(body).depth
        figures = {"": visible, "NotVisible": held, "Delayed": 0}
        named = {f"ApproximateNumberOfMessages{name}": str(figure) for name, figure in figures.items()}
        return _json(json.dumps({"Attributes": named}).encode())

    def _send(self, body: dict[str, Any]) -> bytes:
        self._queue(body).send([("", body["MessageBody"])])
        md5 = hashlib.md5(body["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return _json(
            json.dumps({"MessageId": "5fea7756-0ea4-451a-a703-a558b933e274", "MD5OfMessageBody": md5}).encode()
        )

    def _send_batch(self, body: dict[str, Any]) -> bytes:
        self._queue(body).send([("", entry["MessageBody"]) for entry in body["Entries"]])
        done = [
            {
                "Id": entry["Id"],
                "MessageId": "5fea7756-0ea4-451a-a703-a558b933e274",
                "MD5OfMessageBody": hashlib.md5(entry["MessageBody"].encode(), usedforsecurity=False).hexdigest(),
            }
            for entry in body["Entries"]
        ]
        return _json(json.dumps({"Successful": done}).encode())

    # The estate: see `bench.estate`.

    def _regions(self, _: dict[str, str]) -> bytes:
        items = "".join(
            f"<item><regionName>{name}</regionName><regionEndpoint>ec2.{name}.amazonaws.com</regionEndpoint>"
            "<optInStatus>opt-in-not-required</optInStatus></item>"
            for name in self._estate.estate.region_names
        )
        return f"""<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
<requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId><regionInfo>{items}</regionInfo>
</DescribeRegionsResponse>""".encode()

    def _list(self, request: Request) -> bytes:
        query = parse_qs(urlsplit(request.path).query)
        credential, _, region = request.headers["authorization"].partition("Credential=")[2].split("/")[:3]
        body = self._estate.page(_account_of(credential), region, query.get("Marker", [""])[0])
        return response(body, content_type="application/json", headers=_REQUEST_ID)

    # DynamoDB

    def _batch_get(self, body: dict[str, Any]) -> bytes:
        [(table, wanted)] = body["RequestItems"].items()
        if self._estate.estate.total:
            items = ",".join(self._estate.items(wanted["Keys"], wanted))
            return _dynamodb_text(f'{{"Responses":{{"{table}":[{items}]}},"UnprocessedKeys":{{}}}}')
        found = [item for key in wanted["Keys"] if (item := self._table.get(key, wanted)) is not None]
        return _dynamodb({"Responses": {table: found}, "UnprocessedKeys": {}})

    def _query(self, body: dict[str, Any]) -> bytes:
        return self._of_index([body["ExpressionAttributeValues"][":account"]["S"]], body)

    def _scan(self, body: dict[str, Any]) -> bytes:
        return self._of_index(self._estate.estate.account_ids[body["Segment"] :: body["TotalSegments"]], body)

    def _of_index(self, accounts: Sequence[str], body: dict[str, Any]) -> bytes:
        if body.get("IndexName") != "by-account":
            raise ValueError(f"the index {body.get('IndexName')}")
        entries, last = self._estate.entries(accounts, body)
        key = {name: {"S": "x"} for name in ("pk", "sk", "account")} | {"place": {"S": str(last)}}
        more = "" if last is None else f',"LastEvaluatedKey":{json.dumps(key)}'
        counts = f'"Count":{len(entries)},"ScannedCount":{len(entries)}'
        return _dynamodb_text(f'{{{counts},"Items":[{",".join(entries)}]{more}}}')

    def _get(self, body: dict[str, Any]) -> bytes:
        item = self._table.get(body["Key"], body)
        return _dynamodb({"Item": item} if item is not None else {})

    def _update(self, body: dict[str, Any]) -> bytes:
        before, after = self._table.update(body)
        wanted = {"ALL_OLD": before, "ALL_NEW": after, "NONE": None}[body.get("ReturnValues", "NONE")]
        return _dynamodb({"Attributes": wanted} if wanted else {})

    def _transact(self, body: dict[str, Any]) -> bytes:
        for one in body["TransactItems"]:
            self._table.update(one["Update"])
        return _dynamodb({})

    def _describe_table(self, body: dict[str, Any]) -> bytes:
        keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        types = [{"AttributeName": name, "AttributeType": kind} for name, kind in KEY_TYPES.items()]
        indexes = [{"IndexName": name} for name in sorted(INDEXES)]
        described = {"TableName": body["TableName"], "KeySchema": keys, "AttributeDefinitions": types}
        return _dynamodb({"Table": described | {"GlobalSecondaryIndexes": indexes}})

    # Secrets Manager

    def _secret(self, body: dict[str, Any]) -> bytes:
        secret = {"qualys_pod": "EU1", "qualys_access_token": "made-up." + "t" * 800}
        return _json(json.dumps({"ARN": body["SecretId"], "SecretString": json.dumps(secret)}).encode())

    # Control: see `bench.control`.

    def _enqueue(self, body: dict[str, Any]) -> None:
        self._queues[body["queue"]].send([tuple(one) for one in body["messages"]])

    def _store(self, body: dict[str, Any]) -> None:
        self._table.put(body["items"])

    def _have(self, body: dict[str, Any]) -> None:
        self._estate = Answers(Estate(**body))

    def _wait(self, body: dict[str, Any]) -> None:
        self._delay = body["seconds"]

    def _reset(self, _: dict[str, Any]) -> None:
        self._calls.clear()
        for queue in (*self._queues.values(), *self._parked.values()):
            queue.clear()
        # What is prepared stays for the whole phase: to look through it again and again would only cost pauses.
        gc.collect()
        gc.freeze()

    def _told_calls(self, _: dict[str, Any]) -> dict[str, int]:
        return dict(self._calls)

    def _journal(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return self._queues[body["queue"]].journal()

    def _state(self, _: dict[str, Any]) -> dict[str, Any]:
        queues = self._queues.values()
        return {
            "waiting": any(queue.waiting for queue in queues),
            "visible": sum(queue.depth[0] for queue in queues),
            "held": sum(queue.depth[1] for queue in queues),
            "deleted": sum(queue.deleted for queue in queues),
            "parked": sum(len(queue.sent) for queue in self._parked.values()),
        }


def _tell(later: "asyncio.Future[bytes]", answer: bytes) -> None:
    if not later.done():  # the client may have gone away
        later.set_result(answer)


def _json(body: bytes) -> bytes:
    return response(body, content_type=_JSON, headers=_REQUEST_ID)


def _dynamodb(document: dict[str, Any]) -> bytes:
    return _dynamodb_text(json.dumps(document, separators=(",", ":")))


def _dynamodb_text(text: str) -> bytes:
    body = text.encode()
    return response(body, content_type=_JSON, headers=f"{_REQUEST_ID}x-amz-crc32: {zlib.crc32(body)}\r\n")


def _batch(body: dict[str, Any], work: Callable[[dict[str, Any]], bool]) -> bytes:
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in body["Entries"]:
        if work(entry):
            done.append({"Id": entry["Id"]})
        else:
            failed.append({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "SenderFault": True})
    return _json(json.dumps({"Successful": done} | ({"Failed": failed} if failed else {})).encode())


def _assume_role(arguments: dict[str, str]) -> bytes:
    role, session = arguments["RoleArn"], arguments["RoleSessionName"]
    account = role.split(":")[4]
    key = f"{account}{hashlib.sha256(f'{role}{session}'.encode()).hexdigest().upper()[:4]}"
    expires = datetime.now(UTC) + timedelta(seconds=int(arguments.get("DurationSeconds", "3600")))
    return f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>AROA3XFRBF535EXAMPLE:{session}</AssumedRoleId>
<Arn>arn:aws:sts::{account}:assumed-role/{role.rpartition("/")[2]}/{session}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIA{key}</AccessKeyId><SecretAccessKey>{"s" * 40}</SecretAccessKey>
<SessionToken>{"t" * 900}</SessionToken><Expiration>{expires:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>
<SourceIdentity>scanhub</SourceIdentity></AssumeRoleResult>
<ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleResponse>""".encode()


def _account_of(access_key_id: str) -> str:
    """Whose session it is, by the key that `_assume_role` gave it."""
    return access_key_id.removeprefix("ASIA")[:12]


def _resources(_: dict[str, Any]) -> bytes:
    return _json(b'{"ResourceTagMappingList":[],"PaginationToken":""}')


def _publish(_: dict[str, str]) -> bytes:
    return b"""<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>
<MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult>
<ResponseMetadata><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>"""


def _lambda(method: str, path: str) -> tuple[str, bytes]:
    version, kind, arn = path.strip("/").split("/")[:3]
    if (method, version, kind) == ("GET", "2015-03-31", "functions"):
        body = json.dumps(organization.described(unquote(arn))).encode()
        return "lambda:GetFunction", response(body, content_type="application/json", headers=_REQUEST_ID)
    if (method, version, kind) == ("POST", "2017-03-31", "tags"):
        return "lambda:TagResource", response(status=204, headers=_REQUEST_ID)
    raise ValueError(f"{method} {path}")


def _s3(request: Request) -> tuple[str, bytes]:
    if request.method == "HEAD":
        return "s3:HeadBucket", response(headers=_REQUEST_ID)
    if request.method != "PUT":
        raise ValueError(request.method)
    checksum = request.headers["x-amz-checksum-sha256"]
    headers = f'{_REQUEST_ID}ETag: "1b2cf535f27731c974343645a3985328"\r\nx-amz-checksum-sha256: {checksum}\r\n'
    return "s3:PutObject", response(headers=headers)


async def serve() -> None:
    """Serve until killed."""
    stand_in = StandIn()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(stand_in.answer), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
