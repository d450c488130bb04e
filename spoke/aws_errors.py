"""botocore's errors, turned into the error tree at the edge where each call is made."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

from aiohttp import ClientError as HttpError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    EndpointConnectionError,
    InvalidChecksumConfigError,
    InvalidConfigError,
    InvalidDefaultsMode,
    InvalidRegionError,
    InvalidRetryConfigurationError,
    InvalidSTSRegionalEndpointsConfigError,
    LoginError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)

from spoke.errors import Misconfigured, Retry, ScanhubError, Throttled, Unavailable

THROTTLING = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "KMS.ThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",
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
        "403",  # S3's HEAD has no body that could hold a better code
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Forbidden",
        "KMS.AccessDeniedException",
        "KMSAccessDeniedException",
        "NotAuthorized",
        "UnauthorizedOperation",
    }
)
"""Error codes of a call that the caller may not make."""

REFUSED = frozenset(
    {
        "AuthFailure",  # EC2's word for it
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
"""Error codes of a call whose credentials are expired, unknown or wrong (AWS's common errors)."""

TRANSIENT = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "RequestTimeoutException",
        "ResourceConflictException",
        "ServiceException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "TransactionConflictException",
    }
)
"""Error codes that pass by themselves, whatever HTTP status they come with.

`ResourceConflictException` is Lambda's word for an update of the function that is still under way.
"""

ABSENT = frozenset(
    {
        "404",  # S3's HEAD has no body that could hold a better code
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


_BROKEN_SETUP = (
    ConfigNotFound,
    ConfigParseError,
    InvalidChecksumConfigError,
    InvalidConfigError,
    InvalidDefaultsMode,
    InvalidRegionError,
    InvalidRetryConfigurationError,
    InvalidSTSRegionalEndpointsConfigError,
    LoginError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
)


_PAGE = re.compile(r"\s*(<!--[^>]*>\s*)?<(!doctype\s+html|html)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_PAGE_HEAD = 4096
"""Characters; a title comes early."""


def error_code(error: ClientError) -> str:
    """The service's word for what went wrong, or an empty string."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(
    doing: str,
    *,
    denied: type[ScanhubError] = Misconfigured,
    absent: type[ScanhubError] = Misconfigured,
    refused: type[ScanhubError] = Misconfigured,
) -> Iterator[None]:
    """Turn botocore's errors into ours.

    Args:
        doing: What was being done to what, for the message: "reading the ledger table scanhub-ledger".
        denied: What a refused call means here: `Misconfigured` in the hub, `NoAccess` in a spoke.
        absent: What a missing thing means here: `Misconfigured` in the hub, `Gone` for a function.
        refused: What refused credentials mean here: `Misconfigured` in the hub, `SessionRefused` in a spoke.

    Raises:
        Throttled, Unavailable: After botocore's own retries.
        Retry: Any other answer of the service: one odd message is parked at the last and never stops the worker.
        Misconfigured: No credentials, no region, or a broken AWS profile.
        ScanhubError: `denied`, `absent` or `refused`.
    """
    try:
        yield
    except ClientError as error:
        kind = _kind(error, denied=denied, absent=absent, refused=refused)
        message = _one_line(_words(str(error.response.get("Error", {}).get("Message", ""))))
        raise kind(f"{doing}: {error_code(error)}: {message}") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise Misconfigured(f"{doing}: no AWS credentials were found; give the process a role or a profile") from error
    except NoRegionError as error:
        raise Misconfigured(f"{doing}: no AWS region is set; set AWS_REGION") from error
    except _BROKEN_SETUP as error:
        raise Misconfigured(f"{doing}: {_one_line(str(error))}") from error
    except EndpointConnectionError as error:
        raise Unavailable(f"{doing}: no connection to {error.kwargs.get('endpoint_url', 'the endpoint')}") from error
    except ParamValidationError as error:
        # The text would repeat what was sent.
        raise Retry(f"{doing}: the request does not fit the service's model") from error
    except (BotoCoreError, HttpError, TimeoutError, OSError) as error:
        raise Unavailable(f"{doing}: {type(error).__name__}: {_one_line(str(error))}") from error


def _kind(
    error: ClientError, *, denied: type[ScanhubError], absent: type[ScanhubError], refused: type[ScanhubError]
) -> type[ScanhubError]:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in THROTTLING or status == 429:
        return Throttled
    if code in TRANSIENT or status >= 500:
        return Unavailable
    for codes, kind in ((REFUSED, refused), (DENIED, denied), (ABSENT, absent)):
        if code in codes:
            return kind
    return Retry


def _words(text: str) -> str:
    """The title of a page of HTML, which a proxy or a load balancer answers with in the service's place."""
    if _PAGE.match(text) is None:
        return text
    title = _TITLE.search(text[:_PAGE_HEAD])
    return unescape(title[1]).strip() if title is not None and title[1].strip() else "a page of HTML"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
