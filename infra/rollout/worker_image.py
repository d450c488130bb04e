"""Which image the worker runs: the newest in the hub's repository, by its digest."""

from typing import Any

from botocore.exceptions import ClientError

from infra.calls import AwsClient, calling
from spoke.aws_errors import error_code

REPOSITORY = "scanhub"


def newest(client: AwsClient, repository: str = REPOSITORY) -> str | None:
    """The newest image that has a tag, such as `123456789012.dkr.ecr.eu-central-1.amazonaws.com/scanhub@sha256:...`.

    An image without a tag is a part of another one (of a platform, or an attestation), or was replaced.

    Args:
        client: A boto3 ECR client of the hub's account and region.
        repository: Its name.

    Returns:
        None if there is no such repository, or none in it.

    Raises:
        Misconfigured: The caller may not ask.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling(f"looking up the newest image of the repository {repository}"):
        try:
            url = client.describe_repositories(repositoryNames=[repository])["repositories"][0]["repositoryUri"]
            pages = client.get_paginator("describe_images").paginate(
                repositoryName=repository, filter={"tagStatus": "TAGGED"}
            )
            images: list[dict[str, Any]] = [image for page in pages for image in page["imageDetails"]]
        except ClientError as error:
            if error_code(error) == "RepositoryNotFoundException":
                return None
            raise
    if not images:
        return None
    latest = max(images, key=lambda image: image["imagePushedAt"])
    return f"{url}@{latest['imageDigest']}"
