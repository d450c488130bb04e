import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.calls import AwsClient
from infra.rollout.image_repository import LIFECYCLE, ImageRepository, hub_key
from spoke.errors import Misconfigured, ScanhubError, Unavailable
from tests.conftest import HUB_ACCOUNT, REGION

URI = f"{HUB_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/scanhub"
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"digest": "sha256:" + "a" * 64, "size": 1},
    "layers": [],
}


@pytest.fixture
def ecr(moto: str) -> AwsClient:
    return boto3.client("ecr", region_name=REGION, endpoint_url=moto)


@pytest.fixture
def kms(moto: str) -> AwsClient:
    return boto3.client("kms", region_name=REGION, endpoint_url=moto)


def described(ecr: AwsClient) -> dict[str, Any]:
    return ecr.describe_repositories(repositoryNames=["scanhub"])["repositories"][0]  # type: ignore[no-any-return]  # boto3 has no types here


def test_a_new_repository_scans_on_push_has_immutable_tags_and_the_hubs_key(ecr: AwsClient, kms: AwsClient) -> None:
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/scanhub", TargetKeyId=key["KeyId"])
    arn = hub_key(kms)
    assert arn == key["Arn"]
    repository = ImageRepository(ecr, "scanhub")
    assert repository.find() is None
    assert repository.ensure(key_arn=arn) == URI
    made = described(ecr)
    assert made["imageTagMutability"] == "IMMUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert made["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key["Arn"]}
    assert json.loads(ecr.get_lifecycle_policy(repositoryName="scanhub")["lifecyclePolicyText"]) == LIFECYCLE
    assert list(repository.differences()) == []


def test_without_a_hub_it_is_under_awss_own_key(ecr: AwsClient, kms: AwsClient) -> None:
    assert hub_key(kms) is None
    ImageRepository(ecr, "scanhub").ensure(key_arn=None)
    assert described(ecr)["encryptionConfiguration"]["encryptionType"] == "KMS"


def test_a_key_that_is_switched_off_is_said(kms: AwsClient) -> None:
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/scanhub", TargetKeyId=key)
    kms.disable_key(KeyId=key)
    with pytest.raises(Misconfigured, match="is not enabled"):
        hub_key(kms)


def test_a_repository_that_is_there_is_brought_in_line_and_its_own_lifecycle_stays(ecr: AwsClient) -> None:
    ecr.create_repository(repositoryName="scanhub")
    theirs = {"rules": [{**LIFECYCLE["rules"][0], "description": "theirs"}]}
    ecr.put_lifecycle_policy(repositoryName="scanhub", lifecyclePolicyText=json.dumps(theirs))
    repository = ImageRepository(ecr, "scanhub")
    assert list(repository.differences()) == ["the tags of scanhub are made immutable", "scanhub scans on push"]
    repository.ensure(key_arn=None)
    assert described(ecr)["imageTagMutability"] == "IMMUTABLE"
    assert described(ecr)["imageScanningConfiguration"]["scanOnPush"] is True
    assert "theirs" in ecr.get_lifecycle_policy(repositoryName="scanhub")["lifecyclePolicyText"]
    assert list(repository.differences()) == []


def test_what_would_be_made_is_told(ecr: AwsClient) -> None:
    assert list(ImageRepository(ecr, "scanhub").differences(share_with=["210000000001"])) == [
        "the repository scanhub is made: scan on push, immutable tags, KMS",
        "scanhub drops what has no tag, after 14 days",
        "scanhub lets these accounts pull: 210000000001",
    ]
    assert ecr.describe_repositories()["repositories"] == []


def test_sharing_adds_one_statement_and_leaves_those_of_others(ecr: AwsClient) -> None:
    repository = ImageRepository(ecr, "scanhub")
    repository.ensure(key_arn=None)
    other = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "ecr:DeleteRepository"}
    ecr.set_repository_policy(
        repositoryName="scanhub", policyText=json.dumps({"Version": "2012-10-17", "Statement": [other]})
    )
    for accounts in (["210000000001"], ["210000000002", "210000000001"]):
        repository.ensure(key_arn=None, share_with=accounts)
    policy = json.loads(ecr.get_repository_policy(repositoryName="scanhub")["policyText"])
    [theirs, ours] = policy["Statement"]
    assert theirs == other
    assert ours["Principal"] == {"AWS": ["arn:aws:iam::210000000001:root", "arn:aws:iam::210000000002:root"]}
    assert ours["Effect"] == "Allow"
    assert all(action.startswith(("ecr:BatchGet", "ecr:BatchCheck", "ecr:GetDownload")) for action in ours["Action"])
    assert list(repository.differences(share_with=["210000000001", "210000000002"])) == []


def test_without_sharing_it_has_no_policy(ecr: AwsClient) -> None:
    ImageRepository(ecr, "scanhub").ensure(key_arn=None)
    with pytest.raises(ecr.exceptions.RepositoryPolicyNotFoundException):
        ecr.get_repository_policy(repositoryName="scanhub")


def test_an_image_is_found_by_its_tag(ecr: AwsClient) -> None:
    repository = ImageRepository(ecr, "scanhub")
    assert repository.digest("1.0") is None
    repository.ensure(key_arn=None)
    assert repository.digest("1.0") is None
    pushed = ecr.put_image(repositoryName="scanhub", imageTag="1.0", imageManifest=json.dumps(MANIFEST))
    assert repository.digest("1.0") == pushed["image"]["imageId"]["imageDigest"]
    assert repository.digest("1.1") is None


def test_the_credentials_are_ecrs_and_never_shown(ecr: AwsClient) -> None:
    credentials = ImageRepository(ecr, "scanhub").credentials()
    assert credentials.user == "AWS"
    password = credentials.password.get_secret_value()
    assert password
    assert password not in repr(credentials)


def find(repository: ImageRepository) -> object:
    return repository.find()


def look(repository: ImageRepository) -> object:
    return repository.digest("1.0")


def sign_in(repository: ImageRepository) -> object:
    return repository.credentials()


@pytest.mark.parametrize(
    ("operation", "ask"),
    [("describe_repositories", find), ("describe_images", look), ("get_authorization_token", sign_in)],
)
def test_what_aws_refuses_is_said_and_not_taken_for_absence(
    ecr: AwsClient, operation: str, ask: Callable[[ImageRepository], object]
) -> None:
    with Stubber(ecr) as stub:
        stub.add_client_error(operation, "AccessDeniedException", "not authorized to perform this")
        with pytest.raises(ScanhubError, match="not authorized"):
            ask(ImageRepository(ecr, "scanhub"))


def test_a_lifecycle_and_a_policy_that_may_not_be_read_are_not_overwritten(ecr: AwsClient) -> None:
    repository = ImageRepository(ecr, "scanhub")
    repository.ensure(key_arn=None)
    found = {"repositories": [described(ecr)]}
    for operation in ("get_lifecycle_policy", "get_repository_policy"):
        with Stubber(ecr) as stub:
            stub.add_response("describe_repositories", found)
            if operation == "get_repository_policy":
                stub.add_response("get_lifecycle_policy", {"lifecyclePolicyText": json.dumps(LIFECYCLE)})
            stub.add_client_error(operation, "AccessDeniedException", "not authorized to perform this")
            with pytest.raises(ScanhubError, match="not authorized"):
                repository.ensure(key_arn=None, share_with=["210000000001"])


def test_a_key_that_may_not_be_looked_up_is_said(kms: AwsClient) -> None:
    with Stubber(kms) as stub:
        stub.add_client_error("describe_key", "AccessDeniedException", "not authorized to perform this")
        with pytest.raises(ScanhubError, match="not authorized"):
            hub_key(kms)


def test_a_token_of_another_form_is_said(ecr: AwsClient) -> None:
    with Stubber(ecr) as stub:
        stub.add_response("get_authorization_token", {"authorizationData": [{"authorizationToken": "QVdT"}]})
        with pytest.raises(Unavailable, match="no token that can be read"):
            ImageRepository(ecr, "scanhub").credentials()
