"""The door sees each session's calls, and only these."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local.mends.code_location import StartResponse
from tests.permissions.door import Call, Door
from tests.permissions.wire import Operation

ROLE = "arn:aws:iam::210000000001:role/team/scanhub-spoke"
ISSUED = b"<AssumeRoleResponse><Credentials><AccessKeyId>ASIA1</AccessKeyId></Credentials></AssumeRoleResponse>"


class Cloud:
    """Answers everything with the same."""

    def __init__(self, body: bytes = b"{}") -> None:
        self.body = body
        self.status = "200 OK"
        self.seen: list[bytes] = []

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        self.seen.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        if self.status == "fails":
            raise RuntimeError("not known here")
        start_response(self.status, [])
        return [self.body[:3], self.body[3:]]


def ask(door: Door, cloud: Cloud, key: str | None, service: str, body: bytes, **more: str) -> bytes:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        **more,
    }
    if key is not None:
        scope = f"{key}/20261122/eu-central-1/{service}/aws4_request"
        environ["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    return b"".join(door.before(cloud)(environ, lambda *_: None))


def enter(door: Door, key: str = "AKIA0", **more: str) -> None:
    form = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": ROLE, "RoleSessionName": "scan-orders", **more}
    body = urlencode(form).encode()
    answer = ask(door, Cloud(ISSUED), key, "sts", body, CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8")
    assert answer == ISSUED


def describe(door: Door, cloud: Cloud, key: str | None) -> None:
    ask(door, cloud, key, "dynamodb", b'{"TableName": "t"}', HTTP_X_AMZ_TARGET="DynamoDB_20120810.DescribeTable")


def test_a_session_is_known_by_the_key_that_it_was_given() -> None:
    door, cloud = Door(), Cloud()
    enter(door, Policy='{"Version":"2012-10-17"}', SourceIdentity="scanhub")
    describe(door, cloud, "ASIA1")
    (call,) = door.calls
    assert call.operation == Operation("dynamodb", "DescribeTable")
    assert (call.region, call.status, call.parameters) == ("eu-central-1", 200, {"TableName": "t"})
    assert call.session.arn == "arn:aws:sts::210000000001:assumed-role/scanhub-spoke/scan-orders"
    assert (call.session.policy, call.session.source_identity) == ('{"Version":"2012-10-17"}', "scanhub")
    assert cloud.seen == [b'{"TableName": "t"}'], "the cloud still gets the body"


def test_a_chained_session_is_a_call_of_the_first() -> None:
    door = Door()
    enter(door)
    enter(door, key="ASIA1")
    (call,) = door.calls
    assert (call.operation.name, call.parameters["RoleArn"]) == ("AssumeRole", ROLE)


@pytest.mark.parametrize("key", ["AKIA0", None])
def test_administrators_and_signed_urls_pass_unseen(key: str | None) -> None:
    door, cloud = Door(), Cloud()
    enter(door)
    describe(door, cloud, key)
    assert door.calls == []
    assert len(cloud.seen) == 1


def test_a_call_that_the_cloud_cannot_answer_is_seen_as_well() -> None:
    door, cloud = Door(), Cloud()
    enter(door)
    cloud.status = "fails"
    with pytest.raises(RuntimeError):
        describe(door, cloud, "ASIA1")
    assert [call.status for call in door.calls] == [500]


def test_what_cannot_be_read_is_kept_for_the_test_to_see() -> None:
    door = Door()
    enter(door)
    ask(door, Cloud(), "ASIA1", "lambda", b"", PATH_INFO="/2099-01-01/x")
    assert door.calls == []
    assert "lambda POST /2099-01-01/x" in door.unread[0]


def test_listeners_hear_each_call() -> None:
    door, heard = Door(), list[Call]()
    door.listen(heard.append)
    enter(door)
    describe(door, Cloud(), "ASIA1")
    assert heard == door.calls != []
