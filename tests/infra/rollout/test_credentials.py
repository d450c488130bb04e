import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.rollout import credentials
from infra.rollout.hints import hint, with_hint
from infra.rollout.parameters import parse
from infra.rollout.stack_set_work import Waves
from infra.rollout.worker_image import newest
from spoke.errors import Misconfigured
from tests.infra.script import Script, refusal

CANARY = "canary-token-9Qx"
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub/external-id-AbCdEf"


def test_the_qualys_secret_is_read_from_a_file_or_the_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps({"qualys_pod": "EU1", "qualys_access_token": CANARY}) + "\n"
    path = tmp_path / "qualys.json"
    path.write_text(text)
    assert credentials.qualys_from_file(str(path)).get_secret_value() == text.strip()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    from_stdin = credentials.qualys_from_file("-")
    assert from_stdin.get_secret_value() == text.strip()
    assert CANARY not in repr(from_stdin)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps({"qualys_pod": "EU9", "qualys_access_token": CANARY}), "must be one of US1"),
        (json.dumps({"qualys_access_token": CANARY}), "set exactly one of qualys_pod and qualys_gateway_url"),
        (f"token={CANARY}", "JSON"),
    ],
)
def test_a_file_that_does_not_hold_what_the_worker_needs_is_refused_without_its_content(
    tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "qualys.json"
    path.write_text(content)
    with pytest.raises(Misconfigured, match=words) as caught:
        credentials.qualys_from_file(str(path))
    assert CANARY not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"cannot read .*none\.json: No such file"):
        credentials.qualys_from_file(str(tmp_path / "none.json"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match="not UTF-8"):
        credentials.qualys_from_file(str(tmp_path / "binary"))


def test_what_was_typed_in_becomes_the_secret() -> None:
    pod = json.loads(credentials.qualys_from_answers("us2", CANARY).get_secret_value())
    assert pod == {"qualys_pod": "us2", "qualys_access_token": CANARY}
    private = json.loads(credentials.qualys_from_answers("https://gateway.example.com", CANARY).get_secret_value())
    assert private["qualys_gateway_url"] == "https://gateway.example.com"
    with pytest.raises(Misconfigured) as caught:
        credentials.qualys_from_answers("US1", f"two words {CANARY}")
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("stages", "expected"), [({}, False), ({"1" * 32: ["AWSPENDING"]}, False), ({"1" * 32: ["AWSCURRENT"]}, True)]
)
def test_whether_a_secret_has_a_value_is_seen_without_reading_it(stages: dict[str, list[str]], expected: bool) -> None:
    script = Script("secretsmanager").on("DescribeSecret", {"ARN": ARN, "VersionIdsToStages": stages})
    assert credentials.has_value(script.client, ARN) is expected


def test_the_external_id_comes_with_its_version_and_never_shows() -> None:
    value = "canary0external0id0canary0external0id0"
    version = "11111111-2222-3333-4444-555555555555"
    script = Script("secretsmanager").on("GetSecretValue", {"ARN": ARN, "SecretString": value, "VersionId": version})
    found = credentials.external_id(script.client, ARN)
    assert (found.value.get_secret_value(), found.version) == (value, version)
    assert value not in repr(found)


def test_an_external_id_that_cannot_be_used_or_read_is_told_without_it() -> None:
    version = "11111111-2222-3333-4444-555555555555"
    bad = Script("secretsmanager").on(
        "GetSecretValue", {"ARN": ARN, "SecretString": "two words!", "VersionId": version}
    )
    with pytest.raises(Misconfigured, match="not usable") as caught:
        credentials.external_id(bad.client, ARN)
    assert "two words" not in str(caught.value)
    denied = Script("secretsmanager").on("GetSecretValue", refusal("AccessDeniedException", "no identity-based policy"))
    with pytest.raises(Misconfigured, match=r"reading the secret .*AccessDenied"):
        credentials.external_id(denied.client, ARN)


def test_parameters_are_read_and_a_malformed_one_is_refused_without_its_value() -> None:
    assert parse(["LogLevel=DEBUG", "ExcludeFunctions=a=b,c", "Empty="]) == {
        "LogLevel": "DEBUG",
        "ExcludeFunctions": "a=b,c",
        "Empty": "",
    }
    for text in (CANARY, f"={CANARY}", f"a b={CANARY}"):
        with pytest.raises(Misconfigured, match="write --parameter Key=Value") as caught:
            parse([text])
        assert CANARY not in str(caught.value)
    with pytest.raises(Misconfigured, match="--parameter LogLevel is given twice"):
        parse(["LogLevel=INFO", "LogLevel=DEBUG"])


@pytest.mark.parametrize(
    ("reason", "what_to_do"),
    [
        (
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
            "make the role",
        ),
        ("Account 2 should have 'stacksets-exec-1f' role with trust relationship", "activate-organizations-access"),
        ("User: x is not authorized to perform: iam:CreateRole with an explicit deny", "service control policy"),
        ("API: iam:CreateRole User: x is not authorized to perform: iam:CreateRole", "lacks this permission"),
        ("Role with name scanhub-spoke already exists.", "delete or rename it"),
        ("Rate exceeded (Service: AmazonIdentityManagement; Status Code: 400; Error Code: Throttling)", "patience"),
        ("The maximum number of addresses has been reached.", "Service Quotas"),
        ("Cancelled since failure tolerance has exceeded", "--failure-tolerance"),
        ("ECS Deployment Circuit Breaker was triggered.", "/scanhub/worker"),
    ],
)
def test_the_usual_reasons_come_with_what_to_do(reason: str, what_to_do: str) -> None:
    assert what_to_do in hint(reason)
    assert with_hint(reason) == f"{reason.rstrip('.')}; {hint(reason)}"


def test_an_unknown_reason_stays_as_it_is() -> None:
    assert with_hint("Internal Failure.") == "Internal Failure."


@pytest.mark.parametrize(
    ("accounts", "tolerance", "expected"), [(3, 10, 1), (1000, 10, 100), (1001, 10, 101), (9, 0, 0)]
)
def test_of_a_few_accounts_one_may_fail(accounts: int, tolerance: int, expected: int) -> None:
    preferences = Waves(failure_tolerance=tolerance).preferences(accounts, parallel=False)
    assert preferences["FailureToleranceCount"] == expected
    assert preferences["RegionConcurrencyType"] == "SEQUENTIAL"


def test_the_newest_image_is_named_by_its_digest() -> None:
    url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/scanhub"
    images = [
        {"imageDigest": f"sha256:{digit * 64}", "imageTags": [digit], "imagePushedAt": datetime.fromtimestamp(at, UTC)}
        for digit, at in (("1", 1_763_000_000), ("3", 1_763_900_000), ("2", 1_763_500_000))
    ]
    script = Script("ecr").on("DescribeRepositories", {"repositories": [{"repositoryUri": url}]})
    script.on("DescribeImages", {"imageDetails": images[:1], "nextToken": "more"}, {"imageDetails": images[1:]})
    assert newest(script.client) == f"{url}@sha256:{'3' * 64}"
    assert script.calls["DescribeImages"][0]["filter"] == {"tagStatus": "TAGGED"}
    empty = Script("ecr").on("DescribeRepositories", {"repositories": [{"repositoryUri": url}]})
    assert newest(empty.on("DescribeImages", {"imageDetails": []}).client) is None
    absent = Script("ecr").on("DescribeRepositories", refusal("RepositoryNotFoundException"))
    assert newest(absent.client) is None
    denied = Script("ecr").on("DescribeRepositories", refusal("AccessDeniedException"))
    with pytest.raises(Misconfigured, match="looking up the newest image"):
        newest(denied.client)
