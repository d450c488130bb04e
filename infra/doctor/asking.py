"""Reads of a doctor: what may not be read and what is not there are answers too."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from infra.calls import AwsClient
from spoke.aws_errors import error_code, translated
from spoke.errors import Gone, NoAccess, Retry

__all__ = ["AwsClient", "asking"]

ABSENT = frozenset(
    {
        "ClusterNotFoundException",  # ECS
        "ImageNotFoundException",  # ECR
        "NoSuchBucketPolicy",  # S3
        "NoSuchPublicAccessBlockConfiguration",  # S3
        "RepositoryNotFoundException",  # ECR
        "ServerSideEncryptionConfigurationNotFoundError",  # S3
        "ServiceNotFoundException",  # ECS
        "StackSetNotFoundException",  # CloudFormation
        "TrailNotFoundException",  # CloudTrail
    }
)
"""Further error codes of a thing that does not exist, of services that the worker does not call."""


@contextmanager
def asking(doing: str) -> Iterator[None]:
    """As `translated`, for one read.

    Args:
        doing: What was being read, for the message.

    Raises:
        NoAccess: The caller may not read it.
        Gone: It is not there.
        ScanhubError: Whatever else keeps the answer away.
    """
    try:
        with translated(doing, denied=NoAccess, absent=Gone):
            yield
    except Retry as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and _is_absent(cause):
            raise Gone(error.text) from error
        raise


def _is_absent(error: ClientError) -> bool:
    # CloudFormation has no code of its own for a stack that is not there.
    return error_code(error) in ABSENT or "does not exist" in str(error)
