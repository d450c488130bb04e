import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke.arn import FunctionArn
from spoke.session_policy import MAX_POLICY, MAX_SESSION_NAME, session_name, session_policy
from spoke.snapshot import FunctionSnapshot

ARN = FunctionArn("aws", "eu-central-1", "210987654321", "orders-api")
ZIP = FunctionSnapshot(arn=ARN, code_sha256="x" * 43 + "=", last_modified=datetime(2026, 11, 20, tzinfo=UTC))
DIGEST = "5f0f6b0cf3c1e9d8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4"
REGISTRY = "210987654321.dkr.ecr.eu-central-1.amazonaws.com"
KEY = "arn:aws:kms:eu-central-1:210987654321:key/8f1d2c3b-4a59-4e6f-9d7c-0b1a2c3d4e5f"
STS = botocore.session.get_session().get_service_model("sts")


def image(uri: str) -> FunctionSnapshot:
    return replace(ZIP, package_type="Image", resolved_image_uri=uri)


def layer(name: str) -> str:
    return f"arn:aws:lambda:eu-central-1:770693421928:layer:{name}:3"


def allowed(snapshot: FunctionSnapshot) -> list[tuple[list[str], Any]]:
    text = session_policy(snapshot)
    assert len(text) <= MAX_POLICY
    policy = json.loads(text)
    assert policy["Version"] == "2012-10-17"
    assert all(statement["Effect"] == "Allow" for statement in policy["Statement"])
    return [(statement["Action"], statement["Resource"]) for statement in policy["Statement"]]


def test_a_zip_function_may_be_read_and_nothing_else() -> None:
    assert allowed(ZIP) == [(["lambda:GetFunction", "lambda:GetFunctionConfiguration"], str(ARN))]


def test_a_version_may_be_read_and_neither_its_function_nor_another_version() -> None:
    version = replace(ARN, qualifier="7")
    snapshot = replace(ZIP, arn=version, kms_key_arn=KEY)
    assert allowed(snapshot)[0] == (["lambda:GetFunction", "lambda:GetFunctionConfiguration"], f"{ARN}:7")
    assert "*" not in session_policy(snapshot)
    assert allowed(replace(ZIP, arn=replace(ARN, qualifier="live")))[0][1] == str(ARN)


def test_exactly_its_layers() -> None:
    layers = (layer("one"), layer("two"))
    assert allowed(replace(ZIP, layers=layers))[1:] == [(["lambda:GetLayerVersion"], list(layers))]


def test_the_key_of_its_package() -> None:
    assert allowed(replace(ZIP, kms_key_arn=KEY))[1:] == [(["kms:Decrypt"], KEY)]


@pytest.mark.parametrize(
    ("uri", "repository"),
    [
        (
            f"{REGISTRY}/media/thumbnails@sha256:{DIGEST}",
            "arn:aws:ecr:eu-central-1:210987654321:repository/media/thumbnails",
        ),
        (
            f"999988887777.dkr.ecr.us-west-2.amazonaws.com/base_images.web@sha256:{DIGEST}",
            "arn:aws:ecr:us-west-2:999988887777:repository/base_images.web",
        ),
        (
            f"210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn/app@sha256:{DIGEST}",
            "arn:aws-cn:ecr:cn-north-1:210987654321:repository/app",
        ),
        (
            f"210987654321.dkr.ecr-fips.us-gov-west-1.amazonaws.com/app@sha256:{DIGEST}",
            "arn:aws-us-gov:ecr:us-gov-west-1:210987654321:repository/app",
        ),
        (
            "210987654321.dkr-ecr.eu-central-1.on.aws/team/app:latest",
            "arn:aws:ecr:eu-central-1:210987654321:repository/team/app",
        ),
        (f"{REGISTRY}/app", "arn:aws:ecr:eu-central-1:210987654321:repository/app"),
    ],
)
def test_an_image_function_may_be_pulled_from_its_repository(uri: str, repository: str) -> None:
    assert allowed(image(uri))[1:] == [
        (["ecr:GetAuthorizationToken"], "*"),
        (["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], repository),
    ]


def test_the_configured_image_stands_in_for_the_resolved_one() -> None:
    snapshot = replace(ZIP, package_type="Image", image_uri=f"{REGISTRY}/app:1")
    assert allowed(snapshot)[2][1] == "arn:aws:ecr:eu-central-1:210987654321:repository/app"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "docker.io/library/python:3.13",
        f"{REGISTRY}/*@sha256:{DIGEST}",
        f"{REGISTRY}/app?@sha256:{DIGEST}",
        f"{REGISTRY}/app/*",
        f"{REGISTRY}/${{aws:username}}",
        f"{REGISTRY}/App",
        f"2109876543.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:{DIGEST}",
        f"210987654321.dkr.ecr.*.amazonaws.com/app@sha256:{DIGEST}",
        f"evil.example/210987654321.dkr.ecr.eu-central-1.amazonaws.com/app@sha256:{DIGEST}",
    ],
)
def test_what_is_no_private_repository_gives_no_right(uri: str) -> None:
    assert allowed(image(uri)) == allowed(ZIP)


def test_a_zip_function_has_no_right_to_images() -> None:
    assert allowed(replace(ZIP, resolved_image_uri=f"{REGISTRY}/app@sha256:{DIGEST}")) == allowed(ZIP)


@pytest.mark.parametrize(
    "arn",
    [
        "*",
        "arn:aws:lambda:*:*:layer:*:*",
        layer("o*"),
        "arn:aws:lambda:::awslayer:AmazonLinux1803",
        "arn:aws:lambda:eu-central-1:770693421928:layer:one:?",
    ],
)
def test_a_wildcard_never_gets_in(arn: str) -> None:
    assert allowed(replace(ZIP, layers=(arn, layer("one"))))[1:] == [(["lambda:GetLayerVersion"], [layer("one")])]
    assert allowed(replace(ZIP, kms_key_arn=arn)) == allowed(ZIP)


def test_layers_that_do_not_fit_are_left_out_from_the_end() -> None:
    layers = tuple(layer(f"{number:03d}" + "n" * 137) for number in range(12))
    statements = allowed(replace(ZIP, layers=layers))
    kept = statements[1][1]
    assert 5 <= len(kept) < 12
    assert tuple(kept) == layers[: len(kept)]
    more = replace(ZIP, layers=layers[: len(kept) + 1])
    assert len(allowed(more)[1][1]) == len(kept)


names = st.from_regex(re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII), fullmatch=True)


@given(names, names, st.booleans())
def test_the_longest_policy_fits_and_sts_takes_it(name: str, layer_name: str, is_image: bool) -> None:
    arn = FunctionArn("aws-us-gov", "us-gov-west-1", "210987654321", name)
    snapshot = replace(
        image(f"{REGISTRY}/{'r' * 200}@sha256:{DIGEST}") if is_image else ZIP,
        arn=arn,
        layers=tuple(layer(f"{layer_name}{number}") for number in range(5)),
        kms_key_arn=KEY,
    )
    text = session_policy(snapshot)
    assert len(text) <= 2048
    assert re.fullmatch(r"[\u0009\u000A\u000D\u0020-\u00FF]+", text)
    assert str(arn) in text


@given(names, st.none() | st.integers(1, 10**9).map(str))
def test_session_names_are_what_sts_takes(name: str, version: str | None) -> None:
    text = session_name(replace(ARN, name=name, qualifier=version))
    limits = STS.shape_for("roleSessionNameType").metadata
    assert limits["max"] == MAX_SESSION_NAME
    assert limits["min"] <= len(text) <= limits["max"]
    assert re.compile(limits["pattern"], re.ASCII).fullmatch(text)
    assert text.startswith(f"scan-{name[:50]}")


def test_long_names_that_begin_alike_have_sessions_of_their_own() -> None:
    first, second = (session_name(replace(ARN, name="n" * 63 + end)) for end in "ab")
    assert first != second
    assert session_name(replace(ARN, name="f")) == "scan-f"
    assert session_name(replace(ARN, name="f", qualifier="live")) == "scan-f"


def test_each_version_has_a_session_name_of_its_own() -> None:
    assert session_name(replace(ARN, name="f", qualifier="7")) == "scan-f.7"
    long = [replace(ARN, name="n" * 64, qualifier=one) for one in (None, "1", "2", "12")]
    assert len({session_name(one) for one in long}) == 4
