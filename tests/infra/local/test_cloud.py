import socket
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import urlopen

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.awslambda.models import LambdaFunction
from moto.cloudformation import parsing
from moto.events.models import Rule
from moto.sqs.models import sqs_backends
from werkzeug.test import Client, run_wsgi_app

from infra.local.cloud import EmbeddedCloud
from infra.local.mends.code_location import PackageStore
from infra.local.mends.replacement import replaced
from spoke.errors import Misconfigured


def test_it_starts_empty_on_a_free_loopback_port_and_forgets_when_left() -> None:
    cloud = EmbeddedCloud()
    for _ in range(2):
        with cloud:
            assert urlsplit(cloud.endpoint).hostname == "127.0.0.1"
            queues = boto3.client("sqs", endpoint_url=cloud.endpoint)
            assert "QueueUrls" not in queues.list_queues()
            queues.create_queue(QueueName="left-behind")
    assert not sqs_backends["123456789012"]["eu-central-1"].queues
    with pytest.raises(Misconfigured, match="not running"):
        _ = cloud.endpoint


def test_it_listens_where_it_is_told_and_nowhere_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with EmbeddedCloud(host="127.0.0.1", port=port) as cloud:
        assert cloud.endpoint == f"http://127.0.0.1:{port}"
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.2", port)) != 0
            client.close()


def test_for_containers_it_listens_on_every_address_and_names_one_that_works_here() -> None:
    with EmbeddedCloud(host="0.0.0.0") as cloud:  # noqa: S104  # what containers need
        port = urlsplit(cloud.endpoint).port
        assert cloud.endpoint == f"http://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.2", port or 0), timeout=5):
            pass


def test_a_taken_port_is_one_clear_error_and_leaves_nothing_mended(capfd: pytest.CaptureFixture[str]) -> None:
    before = LambdaFunction.get_code
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"cannot listen on 127.0.0.1:{port}: .*choose another port"):
            EmbeddedCloud(port=port).__enter__()
    assert LambdaFunction.get_code is before
    assert capfd.readouterr().err == ""
    with EmbeddedCloud():
        pass


def test_a_process_has_one_at_a_time() -> None:
    with EmbeddedCloud(), pytest.raises(Misconfigured, match="already"):
        EmbeddedCloud().__enter__()


def test_the_mends_are_in_place_only_while_it_runs() -> None:
    def mended() -> list[object]:
        return [LambdaFunction.get_code, Rule.send_to_targets, parsing.get_model_map, parsing.resource_class_from_type]

    before = mended()
    with EmbeddedCloud():
        assert all(now is not then for now, then in zip(mended(), before, strict=True))
    assert mended() == before


def test_a_mend_for_another_moto_fails_at_once() -> None:
    with pytest.raises(AttributeError, match="another look"), replaced(LambdaFunction, "get_source", None):
        pass


def test_a_resource_type_that_nobody_mended_fails_the_stack_instead_of_vanishing() -> None:
    template = '{"Resources": {"Trail": {"Type": "AWS::CloudTrail::Trail", "Properties": {}}}}'
    with EmbeddedCloud() as cloud:
        stacks = boto3.client("cloudformation", endpoint_url=cloud.endpoint)
        with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::CloudTrail::Trail\]"):
            stacks.create_stack(StackName="trail", TemplateBody=template)
        assert stacks.describe_stacks()["Stacks"] == []


def test_a_changed_policy_is_brought_up_to_date(tmp_path: Path) -> None:
    template = tmp_path / "queue.yaml"
    template.write_text(
        """
        Parameters: {Sid: {Type: String}}
        Resources:
          Queue: {Type: "AWS::SQS::Queue", Properties: {QueueName: orders}}
          Policy:
            Type: AWS::SQS::QueuePolicy
            Properties:
              Queues: [!Ref Queue]
              PolicyDocument:
                Statement: [{Sid: !Ref Sid, Effect: Deny, Principal: "*", Action: "sqs:*", Resource: "*"}]
        """
    )
    with EmbeddedCloud() as cloud:
        stacks = boto3.client("cloudformation", endpoint_url=cloud.endpoint)
        queues = boto3.client("sqs", endpoint_url=cloud.endpoint)
        for change, sid in ((stacks.create_stack, "First"), (stacks.update_stack, "Second")):
            parameters = [{"ParameterKey": "Sid", "ParameterValue": sid}]
            change(StackName="queue", TemplateBody=template.read_text(), Parameters=parameters)
            url = queues.get_queue_url(QueueName="orders")["QueueUrl"]
            policy = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
            assert f'"Sid": "{sid}"' in policy


def test_a_secret_keeps_its_value_when_its_stack_changes() -> None:
    template = """
    Parameters: {About: {Type: String}}
    Resources:
      Secret:
        Type: AWS::SecretsManager::Secret
        Properties: {Name: token, Description: !Ref About, GenerateSecretString: {ExcludePunctuation: true}}
    Outputs: {Arn: {Value: !Ref Secret}, Id: {Value: !GetAtt Secret.Id}}
    """
    values = []
    with EmbeddedCloud() as cloud:
        stacks = boto3.client("cloudformation", endpoint_url=cloud.endpoint)
        for change, about in ((stacks.create_stack, "first"), (stacks.update_stack, "second")):
            parameters = [{"ParameterKey": "About", "ParameterValue": about}]
            change(StackName="secret", TemplateBody=template, Parameters=parameters)
            outputs = stacks.describe_stacks(StackName="secret")["Stacks"][0]["Outputs"]
            (arn,) = {output["OutputValue"] for output in outputs}
            secrets = boto3.client("secretsmanager", endpoint_url=cloud.endpoint)
            values.append(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert values[0] == values[1]
    assert len(values[0]) == 32
    assert values[0].isalnum()


PACKAGE = b"PK\x05\x06" + bytes(18)


class TestPackageStore:
    @pytest.fixture
    def now(self) -> list[float]:
        return [time.time()]

    @pytest.fixture
    def store(self, now: list[float]) -> PackageStore:
        def behind(_environ: object, start_response: object) -> list[bytes]:
            assert callable(start_response)
            start_response("418 I am moto", [])
            return [b"moto"]

        return PackageStore(behind, now=lambda: now[0])

    def test_gives_the_package_for_ten_minutes(self, store: PackageStore, now: list[float]) -> None:
        path = store.path_of(PACKAGE)
        assert Client(store).get(path).data == PACKAGE
        now[0] += 599
        assert Client(store).get(path).status_code == 200
        now[0] += 2
        late = Client(store).get(path)
        assert (late.status_code, b"expired" in late.data) == (403, True)

    def test_hands_on_all_else(self, store: PackageStore) -> None:
        assert Client(store).get("/some-bucket/some-key").data == b"moto"

    @pytest.mark.parametrize("field", ["Expires", "Signature"])
    def test_refuses_a_forged_url(self, store: PackageStore, field: str) -> None:
        parts = urlsplit(store.path_of(PACKAGE))
        forged = dict(parse_qsl(parts.query)) | {field: "9" * 12}
        for query in (urlencode(forged), ""):
            assert Client(store).get(urlunsplit(parts._replace(query=query))).status_code == 403

    def test_refuses_what_is_no_digest_and_does_not_know_what_it_never_gave(self, store: PackageStore) -> None:
        parts = urlsplit(store.path_of(PACKAGE))
        for path in ("../../etc/passwd", "0" * 64, "é" * 64):
            url = urlunsplit(parts._replace(path=f"/__function-packages/{path}"))
            assert Client(store).get(url).status_code == 403
        store._packages.clear()
        assert Client(store).get(urlunsplit(parts)).status_code == 404

    def test_a_store_of_another_cloud_signs_differently(self, store: PackageStore) -> None:
        other = PackageStore(lambda *_: [])
        assert run_wsgi_app(store, {**Client(store).open(other.path_of(PACKAGE)).request.environ})[1].startswith("403")


def test_a_function_that_was_updated_gives_its_new_package_at_the_host_by_which_it_was_asked() -> None:
    with EmbeddedCloud() as cloud:
        port = urlsplit(cloud.endpoint).port
        functions = boto3.client("lambda", endpoint_url=f"http://localhost:{port}")
        iam = boto3.client("iam", endpoint_url=cloud.endpoint)
        role = iam.create_role(RoleName="orders", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        functions.create_function(
            FunctionName="orders", Runtime="java21", Handler="Orders", Role=role, Code={"ZipFile": PACKAGE}
        )
        first = functions.get_function(FunctionName="orders")["Code"]["Location"]
        assert urlsplit(first).netloc == f"localhost:{port}"
        assert _read(first) == PACKAGE
        functions.update_function_code(FunctionName="orders", ZipFile=PACKAGE + b"2")
        assert _read(functions.get_function(FunctionName="orders")["Code"]["Location"]) == PACKAGE + b"2"
        with pytest.raises(HTTPError, match="403"):
            _read(first.replace("Signature=", "Signature=0"))


def _read(url: str) -> bytes:
    with urlopen(url, timeout=10) as answer:  # noqa: S310  # the embedded cloud's own address
        content: bytes = answer.read()
    return content
