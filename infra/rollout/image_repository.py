"""The ECR repository of the worker's image: made, brought in line, asked for an image and for credentials."""

import base64
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from pydantic import SecretStr

from infra.calls import AwsClient, calling
from spoke.aws_errors import error_code
from spoke.errors import Misconfigured, Unavailable

KEY_ALIAS = "alias/scanhub"
"""The hub's key. An image that comes before the hub is under AWS's own key for ECR instead."""

LIFECYCLE: Mapping[str, Any] = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "what was pushed and has no tag",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}
"""Images with a tag stay: a task definition may name them."""

_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_PULL_SID = "ScanhubPull"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What an engine signs in to the registry with; ECR's last twelve hours."""

    user: str
    password: SecretStr


class ImageRepository:
    """One repository in one region. Every method may be repeated.

    Args:
        ecr: A boto3 ECR client of the account and region.
        name: The repository's.

    Raises (all methods):
        Misconfigured: AWS refuses the call.
        Throttled, Unavailable: AWS cannot be asked now.
    """

    def __init__(self, ecr: AwsClient, name: str) -> None:
        self._ecr = ecr
        self.name = name

    def find(self) -> Mapping[str, Any] | None:
        """The repository as ECR describes it; None if there is none."""
        with calling(f"looking up the repository {self.name}"):
            try:
                answer = self._ecr.describe_repositories(repositoryNames=[self.name])
            except ClientError as error:
                if error_code(error) == "RepositoryNotFoundException":
                    return None
                raise
        repository: Mapping[str, Any] = answer["repositories"][0]
        return repository

    def differences(self, *, share_with: Collection[str] = ()) -> Iterator[str]:
        """What `ensure` would change, in words."""
        found = self.find()
        if found is None:
            yield f"the repository {self.name} is made: scan on push, immutable tags, KMS"
        else:
            if found["imageTagMutability"] != "IMMUTABLE":
                yield f"the tags of {self.name} are made immutable"
            if not found.get("imageScanningConfiguration", {}).get("scanOnPush"):
                yield f"{self.name} scans on push"
        if found is None or self._lifecycle() is None:
            yield f"{self.name} drops what has no tag, after 14 days"
        if share_with and self._shared(found) != self._policy(found, share_with):
            yield f"{self.name} lets these accounts pull: {', '.join(sorted(share_with))}"

    def ensure(self, *, key_arn: str | None, share_with: Collection[str] = ()) -> str:
        """Make the repository, or bring one that is there in line.

        What cannot be changed (the encryption), and a lifecycle policy that somebody else gave it, stays.

        Args:
            key_arn: The KMS key of a new one; None for AWS's own.
            share_with: Accounts beside its own that may pull.

        Returns:
            Its URI, such as `123456789012.dkr.ecr.eu-central-1.amazonaws.com/scanhub`.
        """
        found = self.find()
        with calling(f"bringing the repository {self.name} in line"):
            if found is None:
                encryption = {"encryptionType": "KMS"} | ({"kmsKey": key_arn} if key_arn else {})
                found = self._ecr.create_repository(
                    repositoryName=self.name,
                    imageTagMutability="IMMUTABLE",
                    imageScanningConfiguration={"scanOnPush": True},
                    encryptionConfiguration=encryption,
                )["repository"]
            if found["imageTagMutability"] != "IMMUTABLE":
                self._ecr.put_image_tag_mutability(repositoryName=self.name, imageTagMutability="IMMUTABLE")
            if not found.get("imageScanningConfiguration", {}).get("scanOnPush"):
                self._ecr.put_image_scanning_configuration(
                    repositoryName=self.name, imageScanningConfiguration={"scanOnPush": True}
                )
        if self._lifecycle() is None:
            with calling(f"giving the repository {self.name} a lifecycle policy"):
                self._ecr.put_lifecycle_policy(repositoryName=self.name, lifecyclePolicyText=json.dumps(LIFECYCLE))
        if share_with:
            self._share(found, share_with)
        return str(found["repositoryUri"])

    def digest(self, tag: str) -> str | None:
        """The digest of the image with a tag, `sha256:...`; None if there is none."""
        with calling(f"looking up the image {self.name}:{tag}"):
            try:
                images = self._ecr.describe_images(repositoryName=self.name, imageIds=[{"imageTag": tag}])
            except ClientError as error:
                if error_code(error) in {"ImageNotFoundException", "RepositoryNotFoundException"}:
                    return None
                raise
        return str(images["imageDetails"][0]["imageDigest"])

    def credentials(self) -> Credentials:
        """What to sign in with.

        Raises:
            Unavailable: ECR answers with something else than a user and a password.
        """
        with calling("asking ECR for a token"):
            data = self._ecr.get_authorization_token()["authorizationData"]
        # "AWS:<password>" in base64 (ECR API reference, AuthorizationData).
        user, _, password = base64.b64decode(data[0]["authorizationToken"]).decode("ascii").partition(":")
        if not password:
            raise Unavailable("ECR gave no token that can be read")
        return Credentials(user=user, password=SecretStr(password))

    def _lifecycle(self) -> str | None:
        with calling(f"reading the lifecycle policy of the repository {self.name}"):
            try:
                return str(self._ecr.get_lifecycle_policy(repositoryName=self.name)["lifecyclePolicyText"])
            except ClientError as error:
                if error_code(error) == "LifecyclePolicyNotFoundException":
                    return None
                raise

    def _share(self, found: Mapping[str, Any], accounts: Collection[str]) -> None:
        policy = self._policy(found, accounts)
        if policy == self._shared(found):
            return
        with calling(f"sharing the repository {self.name}"):
            self._ecr.set_repository_policy(repositoryName=self.name, policyText=json.dumps(policy))

    def _shared(self, found: Mapping[str, Any] | None) -> dict[str, Any]:
        empty = {"Version": "2012-10-17", "Statement": []}
        if found is None:
            return empty
        with calling(f"reading the policy of the repository {self.name}"):
            try:
                text = self._ecr.get_repository_policy(repositoryName=self.name)["policyText"]
            except ClientError as error:
                if error_code(error) == "RepositoryPolicyNotFoundException":
                    return empty
                raise
        policy: dict[str, Any] = json.loads(text)
        return policy

    def _policy(self, found: Mapping[str, Any] | None, accounts: Collection[str]) -> dict[str, Any]:
        partition = found["repositoryArn"].split(":")[1] if found else "aws"
        pull = {
            "Sid": _PULL_SID,
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:{partition}:iam::{account}:root" for account in sorted(accounts)]},
            "Action": _PULL,
        }
        there = self._shared(found)
        others = [statement for statement in there["Statement"] if statement.get("Sid") != _PULL_SID]
        return {**there, "Statement": [*others, pull]}


def hub_key(kms: AwsClient) -> str | None:
    """The ARN of the hub's key in a region; None where there is none.

    Raises:
        Misconfigured: AWS refuses the call.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"looking up the key {KEY_ALIAS}"):
        try:
            key = kms.describe_key(KeyId=KEY_ALIAS)["KeyMetadata"]
        except ClientError as error:
            if error_code(error) == "NotFoundException":
                return None
            raise
    if not key["Enabled"]:
        raise Misconfigured(f"the key {KEY_ALIAS} is not enabled, so no repository can be made under it: enable it")
    return str(key["Arn"])
