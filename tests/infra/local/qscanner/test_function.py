from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.function import Function, Network, Package, describe, downloaded
from infra.local.qscanner.limits import Budget, Limits
from spoke.arn import FunctionArn
from tests.infra.local.qscanner.lambda_double import LambdaDouble, arn_of, code_sha256
from tests.infra.local.qscanner.recording import zipped

SESSION = "arn:aws:sts::210987654321:assumed-role/scanhub-spoke/scan-orders-api"
CONTENT = zipped({"app.py": "import os\n"})


@pytest.fixture
def cloud() -> Iterator[LambdaDouble]:
    with LambdaDouble() as double:
        yield double


def get(cloud: LambdaDouble, *, budget: Budget | None = None, changes: Mapping[str, str] | None = None) -> Function:
    environ = {name: value for name, value in {**cloud.environ(), **(changes or {})}.items() if value}
    return describe(FunctionArn.parse(arn_of("orders-api")), Network(environ), budget or Budget(Limits()))


def fetch(cloud: LambdaDouble, package: Package) -> tuple[bytes, str]:
    with downloaded(package, Network(cloud.environ()), Budget(Limits())) as (stream, digest):
        return stream.read(), digest


def test_calls_with_the_session_of_the_environment(cloud: LambdaDouble) -> None:
    cloud.publish("orders-api", CONTENT)
    function = get(cloud)
    assert function.configuration["FunctionName"] == "orders-api"
    assert function.code.code_sha256 == code_sha256(CONTENT)
    assert function.layers == ()
    path, headers = cloud.seen[0]
    assert path == "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-central-1%3A210987654321%3Afunction%3Aorders-api"
    assert "Credential=ASIAQNZ5EXAMPLESPOKE/" in headers["Authorization"]
    assert "/eu-central-1/lambda/" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == cloud.environ()["AWS_SESSION_TOKEN"]


def test_fetches_the_real_zip(cloud: LambdaDouble) -> None:
    cloud.publish("orders-api", CONTENT)
    content, digest = fetch(cloud, get(cloud).code)
    assert content == CONTENT
    assert len(bytes.fromhex(digest)) == 32


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (404, "ResourceNotFoundException", f"Function not found: {arn_of('orders-api')}"),
        (
            403,
            "AccessDeniedException",
            f"User: {SESSION} is not authorized to perform: lambda:GetFunction: no resource-based policy allows it",
        ),
        (429, "TooManyRequestsException", "Rate exceeded"),
        (500, "ServiceException", "Service encountered an internal error"),
    ],
)
def test_what_aws_refuses_is_exit_10_with_its_words(cloud: LambdaDouble, status: int, code: str, message: str) -> None:
    cloud.publish("orders-api", CONTENT)
    cloud.faults[arn_of("orders-api")] = (status, code, message)
    with pytest.raises(ScanFailed) as failure:
        get(cloud)
    assert failure.value.code is ExitCode.FUNCTION_FAILED
    assert f"StatusCode: {status}" in failure.value.message
    assert f"{code}: {message}" in failure.value.message


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"])
def test_no_other_identity_is_looked_for(cloud: LambdaDouble, name: str) -> None:
    """Not the host's, the container's or the hub's: only what the worker hands over."""
    cloud.publish("orders-api", CONTENT)
    with pytest.raises(ScanFailed, match=f"{name} missing") as failure:
        get(cloud, changes={name: ""})
    assert failure.value.code is ExitCode.FUNCTION_FAILED
    assert cloud.seen == []


def test_another_region_is_refused_as_lambda_refuses_it(cloud: LambdaDouble) -> None:
    with pytest.raises(ScanFailed, match=r"not reachable in this region \('us-east-1'\)") as failure:
        get(cloud, changes={"AWS_REGION": "us-east-1"})
    assert failure.value.code is ExitCode.FUNCTION_FAILED


def test_an_endpoint_for_lambda_alone_wins(cloud: LambdaDouble) -> None:
    cloud.publish("orders-api", CONTENT)
    changes = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_LAMBDA": cloud.url}
    assert get(cloud, changes=changes).code.location


def test_nobody_at_the_endpoint(cloud: LambdaDouble) -> None:
    with pytest.raises(ScanFailed, match="dial tcp: Could not connect") as failure:
        get(cloud, changes={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert failure.value.code is ExitCode.FUNCTION_FAILED


def test_image_functions_cannot_be_read(cloud: LambdaDouble) -> None:
    cloud.publish("orders-api", CONTENT, PackageType="Image")
    with pytest.raises(ScanFailed, match="cannot read container images") as failure:
        get(cloud)
    assert failure.value.code is ExitCode.ARTIFACT_FAILED


def test_a_function_without_a_location(cloud: LambdaDouble) -> None:
    cloud.publish("orders-api", CONTENT)
    cloud.functions[arn_of("orders-api")]["Code"] = {}
    with pytest.raises(ScanFailed, match="no place to download"):
        get(cloud)


def test_layers_are_read_in_order_and_one_that_cannot_be_had_is_a_warning(cloud: LambdaDouble) -> None:
    first, second = cloud.publish_layer("first", CONTENT), cloud.publish_layer("second", CONTENT)
    missing = first.replace("first", "gone")
    layers: list[dict[str, Any]] = [{"Arn": arn, "CodeSize": 1} for arn in (first, missing, second)]
    cloud.publish("orders-api", CONTENT, Layers=layers)
    budget = Budget(Limits())
    function = get(cloud, budget=budget)
    assert [layer.name for layer in function.layers] == [first, second]
    assert [fetch(cloud, layer)[0] for layer in function.layers] == [CONTENT, CONTENT]
    assert len(budget.warnings) == 1
    assert missing in budget.warnings[0]
    assert "ResourceNotFoundException" in budget.warnings[0]


def test_a_download_that_was_changed_is_refused(cloud: LambdaDouble) -> None:
    cloud.publish("orders-api", CONTENT)
    cloud.downloads["/code/orders-api"] = CONTENT + b"!"
    with pytest.raises(ScanFailed, match="does not match its CodeSha256") as failure:
        fetch(cloud, get(cloud).code)
    assert failure.value.code is ExitCode.ARTIFACT_FAILED


def test_a_download_that_aws_gives_no_digest_for_is_read(cloud: LambdaDouble) -> None:
    cloud.downloads["/code/x"] = CONTENT
    assert fetch(cloud, Package("x", cloud.signed("/code/x"), None))[0] == CONTENT


def test_a_download_that_is_too_large_is_cut_off(cloud: LambdaDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.qscanner.function._DOWNLOAD_BYTES", 10)
    cloud.downloads["/code/x"] = CONTENT
    with pytest.raises(ScanFailed, match="larger than 10 bytes"):
        fetch(cloud, Package("x", cloud.signed("/code/x"), None))


@pytest.mark.parametrize(
    ("download", "says"), [(403, "StatusCode: 403"), ("http://127.0.0.1:9/elsewhere", "StatusCode: 302")]
)
def test_a_failed_download_does_not_show_the_signed_url(cloud: LambdaDouble, download: int | str, says: str) -> None:
    cloud.downloads["/code/x"] = download
    with pytest.raises(ScanFailed, match=says) as failure:
        fetch(cloud, Package("x", cloud.signed("/code/x"), None))
    assert failure.value.code is ExitCode.ARTIFACT_FAILED
    assert "Signature" not in failure.value.message
    assert failure.value.__suppress_context__


def test_nobody_at_the_download() -> None:
    package = Package("x", "http://127.0.0.1:9/code?X-Amz-Signature=5ec7e7", None)
    with (
        pytest.raises(ScanFailed, match=r"dial tcp: .*[Rr]efused") as failure,
        downloaded(package, Network({}), Budget(Limits())),
    ):
        pass
    assert "Signature" not in failure.value.message


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "/etc/passwd", "data:,x"])
def test_only_http_is_downloaded(location: str) -> None:
    with (
        pytest.raises(ScanFailed, match="has the scheme"),
        downloaded(Package("x", location, None), Network({}), Budget(Limits())),
    ):
        pass


def test_a_proxy_is_used(cloud: LambdaDouble) -> None:
    cloud.downloads["/code/x"] = CONTENT
    network = Network({}, proxy=cloud.url, verify_tls=False)
    with downloaded(Package("x", "http://bucket.example/code/x", None), network, Budget(Limits())) as (stream, _):
        assert stream.read() == CONTENT
    assert cloud.seen[0][0] == "http://bucket.example/code/x"


def test_a_proxy_is_used_for_the_call_too(cloud: LambdaDouble) -> None:
    cloud.publish("orders-api", CONTENT)
    environ = {**cloud.environ(), "AWS_ENDPOINT_URL": "http://lambda.example"}
    describe(FunctionArn.parse(arn_of("orders-api")), Network(environ, proxy=cloud.url), Budget(Limits()))
    assert cloud.seen[0][0].startswith("http://lambda.example/2015-03-31/functions/")
