"""Calls of an operator's commands: nobody tries again later, so what is refused is refused for good."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from spoke.aws_errors import translated
from spoke.errors import Misconfigured, Retry

AwsClient = Any
"""A boto3 client: boto3 makes its methods at run time, from AWS's service models."""


@contextmanager
def calling(doing: str) -> Iterator[None]:
    """As `translated`, but an answer that the worker would try again later is `Misconfigured` here.

    Args:
        doing: What was being done to what, for the message.

    Raises:
        Misconfigured: AWS, or the local cloud, refuses the call.
        Throttled, Unavailable: After botocore's own retries.
    """
    try:
        with translated(doing):
            yield
    except Retry as error:
        if type(error) is Retry:
            raise Misconfigured(error.text) from error
        raise
