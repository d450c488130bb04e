import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoke.arn import FunctionArn
from spoke.changes import Change, ChangeKind
from spoke.events import read
from spoke.own_requests import RequestReason, scan_request
from tests.spoke.recorded_events import ACCOUNT, REGION, changed, function


def test_a_request_of_our_own() -> None:
    assert changed("scan_request") == Change(
        kind=ChangeKind.REQUESTED,
        function=function("orders-api"),
        account=ACCOUNT,
        region=REGION,
        at=None,
        event_id=None,
        reason="manual",
        force=True,
    )


@pytest.mark.parametrize("reason", list(RequestReason))
@pytest.mark.parametrize("force", [False, True])
def test_what_is_written_is_read(reason: RequestReason, force: bool) -> None:
    arn = FunctionArn.parse(f"arn:aws-cn:lambda:cn-north-1:{ACCOUNT}:function:orders-api:live")
    reading = read(scan_request(arn, reason=reason, force=force))
    assert reading == Change(
        kind=ChangeKind.REQUESTED,
        function=arn.unqualified,
        account=ACCOUNT,
        region="cn-north-1",
        reason=reason.value,
        force=force,
    )


def test_a_request_keeps_a_version() -> None:
    version = FunctionArn.parse(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-api:7")
    reading = read(scan_request(version, reason="sweep"))
    assert isinstance(reading, Change)
    assert reading.function == version
    assert reading.account == version.account


@pytest.mark.parametrize("qualifier", ["live", "$LATEST"])
def test_a_request_of_an_alias_is_one_of_its_function(qualifier: str) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-api"
    written = json.loads(scan_request(FunctionArn.parse(f"{arn}:{qualifier}"), reason="sweep"))
    assert written["detail"]["functionArn"] == arn
    written["detail"]["functionArn"] = f"{arn}:{qualifier}"
    reading = read(json.dumps(written))
    assert isinstance(reading, Change)
    assert str(reading.function) == arn


@given(
    name=st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True),
    qualifier=st.none() | st.integers(0, 10**9).map(str) | st.sampled_from(["live", "$LATEST", "7a"]),
)
def test_a_request_is_read_as_the_content_that_it_names(name: str, qualifier: str | None) -> None:
    arn = FunctionArn("aws", REGION, ACCOUNT, name, qualifier)
    reading = read(scan_request(arn, reason="manual"))
    assert isinstance(reading, Change)
    assert reading.function == arn.content


def test_a_request_follows_the_published_contract() -> None:
    assert json.loads(scan_request(function("orders-api"), reason="sweep")) == {
        "source": "scanhub",
        "detail-type": "Scan Request",
        "account": ACCOUNT,
        "region": REGION,
        "detail": {
            "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-api",
            "reason": "sweep",
            "force": False,
        },
    }


def test_an_unknown_reason_is_not_written() -> None:
    with pytest.raises(ValueError, match="curiosity"):
        scan_request(function("orders-api"), reason="curiosity")
