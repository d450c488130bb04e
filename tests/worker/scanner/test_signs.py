import pytest

from worker.scanner import signs
from worker.scanner.signs import Sign

SDK = "operation error Lambda: GetFunction, https response error StatusCode: "


@pytest.mark.parametrize(
    "line",
    [
        "Error: POST https://gateway.qg2.apps.qualys.com/csapi/v1.3/upload: 401",
        "gateway.qg1.apps.qualys.eu answered 403 Forbidden",
        "FATAL authentication failed: invalid access token",
        "response code 401 from the backend",
        "error: 401",
        "Unauthorized",
        "the token has expired",
        "time=2026-01-01T00:00:00Z level=error msg='status: 403'",
    ],
)
def test_a_refused_token_is_recognised(line: str) -> None:
    assert signs.qualys(f"starting\n{line}\nscan failed\n") is Sign.QUALYS_REFUSED


@pytest.mark.parametrize(
    "line",
    [
        "Post https://gateway.qg2.apps.qualys.com/upload: dial tcp 64.39.96.1:443: i/o timeout",
        "gateway.qg2.apps.qualys.com: 502 Bad Gateway",
        "dial tcp: lookup gateway.qg9.apps.qualys.com: no such host",
    ],
)
def test_a_qualys_that_does_not_answer_is_recognised(line: str) -> None:
    assert signs.qualys(line) is Sign.QUALYS_DOWN


@pytest.mark.parametrize(
    "line",
    [
        f"{SDK}403, RequestID: 1, api error AccessDeniedException: User: arn:aws:sts::2:role/qualys.com/x is not",
        f"{SDK}403, RequestID: 1, UnrecognizedClientException: The security token included in the request is invalid.",
        "api error ExpiredTokenException: The security token included in the request is expired",
        "GET https://registry.example.com/v2/: unauthorized: authentication required",
        "scanning arn:aws:lambda:eu-west-1:210987654321:function:qualys-com-token-expired-401",
        "scanned 401 files in 403 ms",
        "found a token in qualys_agent.py",
        "uploading to gateway.qg2.apps.qualys.com",
        "502 Bad Gateway",
        "",
    ],
)
def test_what_is_not_qualys_is_not_taken_for_it(line: str) -> None:
    assert signs.qualys(line) is None


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        (f"{SDK}429, RequestID: 1, TooManyRequestsException: Rate Exceeded.", Sign.THROTTLED),
        ("api error ThrottlingException: Rate exceeded", Sign.THROTTLED),
        ("toomanyrequests: Rate exceeded", Sign.THROTTLED),
        ("api error ExpiredToken: The provided token has expired.", Sign.SESSION_EXPIRED),
        (f"{SDK}502, KMSAccessDeniedException: Lambda was unable to decrypt", Sign.UNREADABLE),
        ("KMSDisabledException: the key is disabled", Sign.UNREADABLE),
        ("name unknown: The repository with name 'team/orders' does not exist in the registry", Sign.UNREADABLE),
        ("GET https://r.example.com/token: unauthorized: authentication required", Sign.UNREADABLE),
        (f"{SDK}404, RequestID: 1, ResourceNotFoundException: Function not found: arn:aws:lambda:x", Sign.GONE),
        (f"{SDK}403, RequestID: 1, api error AccessDeniedException: no", Sign.DENIED),
        ("The security token included in the request is invalid.", Sign.DENIED),
        ("SignatureDoesNotMatch: check your key", Sign.DENIED),
        (f"{SDK}500, RequestID: 1, ServiceException: ", Sign.NETWORK),
        ("dial tcp 10.0.0.2:443: connect: connection refused", Sign.NETWORK),
        ("read: unexpected EOF", Sign.NETWORK),
        ("Post https://gateway.qg2.apps.qualys.com/upload: i/o timeout", None),
        ("could not open archive", None),
        ("", None),
    ],
)
def test_aws_answers_are_recognised(line: str, sign: Sign | None) -> None:
    assert signs.aws(line) is sign


def test_the_last_word_counts() -> None:
    throttle, denial = "retrying: ThrottlingException: Rate exceeded", "AccessDeniedException: no"
    assert signs.aws(f"{throttle}\n{denial}\nscan failed") is Sign.DENIED
    assert signs.aws(f"{denial}\n{throttle}\nscan failed") is Sign.THROTTLED


@pytest.mark.parametrize(
    ("text", "panics"),
    [
        ("panic: runtime error: invalid memory address", True),
        ("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:", True),
        ("Error: unknown flag: --panic", False),
        ("found npm package panic-overlay", False),
    ],
)
def test_a_panic_is_recognised(text: str, panics: bool) -> None:
    assert bool(signs.PANIC.search(text)) is panics
