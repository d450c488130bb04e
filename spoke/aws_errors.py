"""botocore's errors, turned into the error tree at the edge where each call is made."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from spoke.errors import Misconfigured, Retry, ScanhubError, Throttled, Unavailable

THROTTLING = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""Error codes that ask for patience, across services (the AWS SDKs' retry specification)."""

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "KMS.AccessDeniedException",
        "KMSAccessDeniedException",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
"""Error codes of a call that the caller may not make."""

ABSENT = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchKey",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)
"""Error codes of a thing that does not exist."""


def error_code(error: ClientError) -> str:
    """The service's word for what went wrong, or an empty string."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(
    doing: str,
    *,
    denied: type[ScanhubError] = Misconfigured,
    absent: type[ScanhubError] = Misconfigured,
) -> Iterator[None]:
    """Turn botocore's errors into ours.

    Args:
        doing: What was being done to what, for the message: "reading the ledger table scanhub-ledger".
        denied: What a refused call means here: `Misconfigured` in the hub, `NoAccess` in a spoke.
        absent: What a missing thing means here: `Misconfigured` in the hub, `Gone` for a function.

    Raises:
        Throttled, Unavailable: After botocore's own retries.
        Retry: Any other answer of the service, so that one odd message is parked at the last and never stops the worker.
        ScanhubError: `denied` or `absent`.
    """
    try:
        yield
    except ClientError as error:
        raise _from_response(error, doing, denied, absent) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise Misconfigured(f"{doing}: no AWS credentials were found; give the process a role or a profile") from error
    except NoRegionError as error:
        raise Misconfigured(f"{doing}: no AWS region is set; set AWS_REGION") from error
    except EndpointConnectionError as error:
        raise Unavailable(f"{doing}: no connection to {error.kwargs.get('endpoint_url', 'the endpoint')}") from error
    except (BotoCoreError, TimeoutError, OSError) as error:
        raise Unavailable(f"{doing}: {type(error).__name__}: {_one_line(str(error))}") from error


def _from_response(
    error: ClientError, doing: str, denied: type[ScanhubError], absent: type[ScanhubError]
) -> ScanhubError:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    text = f"{doing}: {code}: {_one_line(str(error.response.get('Error', {}).get('Message', '')))}"
    if code in THROTTLING or status == 429:
        return Throttled(text)
    if status >= 500:
        return Unavailable(text)
    if code in DENIED:
        return denied(text)
    if code in ABSENT:
        return absent(text)
    return Retry(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
