from typing import Any

import aiohttp
import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)

from spoke.aws_errors import ABSENT, DENIED, REFUSED, THROTTLING, TRANSIENT, error_code, translated
from spoke.errors import (
    Gone,
    Misconfigured,
    NoAccess,
    Retry,
    ScanhubError,
    SessionRefused,
    Throttled,
    Unavailable,
)
from tests.conftest import REGION


def client_error(code: str, *, status: int = 400, message: str = "no") -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }  # as much of an answer as counts
    return ClientError(response, "GetFunction")


def outcome(error: Exception) -> ScanhubError:
    with (
        pytest.raises(ScanhubError) as caught,
        translated("describing f", denied=NoAccess, absent=Gone, refused=SessionRefused),
    ):
        raise error
    assert caught.value.__cause__ is error
    assert caught.value.text.startswith("describing f: ")
    assert "\n" not in caught.value.text
    return caught.value


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (THROTTLING, Throttled),
        (TRANSIENT, Unavailable),
        (DENIED, NoAccess),
        (REFUSED, SessionRefused),
        (ABSENT, Gone),
        ({"ValidationException", "InvalidParameterValueException", ""}, Retry),
    ],
)
def test_codes(codes: frozenset[str], kind: type[ScanhubError]) -> None:
    for code in codes:
        assert type(outcome(client_error(code))) is kind, code


def test_no_code_means_two_things() -> None:
    everything = [*THROTTLING, *TRANSIENT, *DENIED, *REFUSED, *ABSENT]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("Whatever", 429, Throttled),
        ("Whatever", 500, Unavailable),
        ("Whatever", 503, Unavailable),
        ("SlowDown", 503, Throttled),
        ("AccessDenied", 503, Unavailable),
        ("Whatever", 418, Retry),
    ],
)
def test_the_status_speaks_where_the_code_does_not(code: str, status: int, kind: type[ScanhubError]) -> None:
    assert type(outcome(client_error(code, status=status))) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NoCredentialsError(), Misconfigured),
        (PartialCredentialsError(provider="env", cred_var="aws_secret_access_key"), Misconfigured),
        (NoRegionError(), Misconfigured),
        (ProfileNotFound(profile="prod"), Misconfigured),
        (ParamValidationError(report="Invalid length for parameter ExternalId, value: 1"), Retry),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), Unavailable),
        (ConnectTimeoutError(endpoint_url="http://127.0.0.1:1"), Unavailable),
        (ReadTimeoutError(endpoint_url="http://127.0.0.1:1"), Unavailable),
        (aiohttp.ClientPayloadError("cut off"), Unavailable),
        (TimeoutError(), Unavailable),
        (ConnectionResetError("peer"), Unavailable),
    ],
)
def test_what_never_reached_the_service(error: Exception, kind: type[ScanhubError]) -> None:
    assert type(outcome(error)) is kind


def test_in_the_hub_everything_is_a_matter_of_setting_up() -> None:
    for code in ("AccessDenied", "ExpiredToken", "ResourceNotFoundException"):
        with pytest.raises(Misconfigured), translated("reading the table"):
            raise client_error(code)


def test_a_long_message_becomes_one_line() -> None:
    error = outcome(client_error("AccessDenied", message="User:  a\n\tis not\nauthorized " + "x" * 10_000))
    assert "User: a is not authorized" in error.text
    assert len(error.text) < 600


PAGE = "<!doctype html>\n<html lang=en>\n<title>{}</title>\n<h1>{}</h1>\n<p>The server encountered an error.</p>\n"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (PAGE.format("500 Internal Server Error", "Internal Server Error"), "500 Internal Server Error"),
        (
            "\r\n<HTML>\r\n<HEAD><TITLE>503 Service Temporarily\r\nUnavailable</TITLE></HEAD>\r\n<BODY></BODY></HTML>",
            "503 Service Temporarily Unavailable",
        ),
        ("<!-- squid -->\n<!DOCTYPE html PUBLIC '-//W3C//DTD HTML 4.01//EN'><title>A &amp; B</title>", "A & B"),
        ("<html><head><title> </title></head><body>Access denied by policy</body></html>", "a page of HTML"),
        ("<html><body>no</body></html>", "a page of HTML"),
        ("the tag <html> is not admitted", "the tag <html> is not admitted"),
        ("<htmlx>", "<htmlx>"),
    ],
)
def test_of_a_page_of_html_the_title_is_told(body: str, told: str) -> None:
    assert outcome(client_error("500", status=500, message=body)).text == f"describing f: 500: {told}"


def test_a_page_that_was_made_to_take_long_does_not() -> None:
    assert outcome(client_error("502", status=502, message="<html>" + "<title" * 300_000)).text.endswith("page of HTML")


def test_a_request_that_does_not_fit_the_model_is_not_quoted() -> None:
    assert "ExternalId" not in outcome(ParamValidationError(report="ExternalId, value: s3cret")).text


def test_our_own_errors_and_bugs_pass() -> None:
    for error in (Gone("gone"), ValueError("bug")):
        with pytest.raises(type(error)) as caught, translated("describing f"):
            raise error
        assert caught.value is error


def test_a_response_without_an_error_has_no_code() -> None:
    assert error_code(ClientError({}, "GetFunction")) == ""


async def test_a_real_answer_of_a_real_server(aws: AioSession) -> None:
    async with aws.create_client("lambda", region_name=REGION) as client:
        with pytest.raises(Gone, match="ResourceNotFoundException"), translated("describing f", absent=Gone):
            await client.get_function(FunctionName="nobody")


async def test_a_real_refused_connection(monkeypatch: pytest.MonkeyPatch, aws: AioSession) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    async with aws.create_client("lambda", region_name=REGION) as client:
        with pytest.raises(Unavailable, match=r"no connection to http://127\.0\.0\.1:9"), translated("describing f"):
            await client.get_function(FunctionName="nobody")
