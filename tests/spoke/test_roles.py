import asyncio
import json
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError, ParamValidationError
from pydantic import SecretStr

from spoke.arn import FunctionArn
from spoke.credentials import SessionCredentials
from spoke.errors import Misconfigured, NoAccess, Retry, ScanhubError, Throttled, Unavailable
from spoke.roles import DURATION, MARGIN, Roles
from spoke.session_policy import session_policy
from spoke.snapshot import FunctionSnapshot
from tests.conftest import REGION
from worker.memory.clock import ManualClock

if TYPE_CHECKING:
    from types_aiobotocore_sts import STSClient

ACCOUNT, OTHER = "210987654321", "345678901234"
EXTERNAL_ID = "canary-external-id-7f3a"
SNAPSHOT = FunctionSnapshot(
    arn=FunctionArn("aws", REGION, ACCOUNT, "orders-api"),
    code_sha256="dpKPvmrCpyTQTwm1Pn6T8pXwoX8xgWQ+a5nP1yyLpkQ=",
    last_modified=datetime(2026, 1, 1, tzinfo=UTC),
)


class FakeSts:
    """Notes each call; answers at once, or when told, or with an error."""

    def __init__(self, clock: ManualClock) -> None:
        self.calls: list[dict[str, Any]] = []
        self.errors: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._clock = clock

    async def assume_role(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        number = len(self.calls)
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        # STS answers in UTC; botocore hands the moment over in a zone class of its own.
        expires = (self._clock.now() + timedelta(seconds=request["DurationSeconds"])).astimezone(
            timezone(timedelta(0), "tzutc")
        )
        return {
            "Credentials": {
                "AccessKeyId": f"ASIAXT4VQ2Z7PEX{number:05d}",
                "SecretAccessKey": f"secret-{number}",
                "SessionToken": f"token-{number}",
                "Expiration": expires,
            }
        }


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sts(clock: ManualClock) -> FakeSts:
    return FakeSts(clock)


@pytest.fixture
def roles(sts: FakeSts, clock: ManualClock) -> Roles:
    return Roles(cast("STSClient", sts), role_name="scanhub-spoke", external_id=SecretStr(EXTERNAL_ID), clock=clock)


def client_error(code: str, message: str, status: int = 403) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }  # as much of an answer as counts
    return ClientError(response, "AssumeRole")


DENIED = client_error(
    "AccessDenied",
    "User: arn:aws:sts::123456789012:assumed-role/scanhub-worker/4f2a is not authorized to perform: sts:AssumeRole on "
    f"resource: arn:aws:iam::{ACCOUNT}:role/scanhub-spoke",
)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_asked_for_the_worker(roles: Roles, sts: FakeSts, clock: ManualClock) -> None:
    session = await roles.worker_session(ACCOUNT, "aws-us-gov")
    assert sts.calls == [
        {
            "RoleArn": f"arn:aws-us-gov:iam::{ACCOUNT}:role/scanhub-spoke",
            "RoleSessionName": "scanhub-worker",
            "DurationSeconds": 3600,
            "ExternalId": EXTERNAL_ID,
            "SourceIdentity": "scanhub",
        }
    ]
    assert session == SessionCredentials(
        access_key_id="ASIAXT4VQ2Z7PEX00001",
        secret_access_key=SecretStr("secret-1"),
        session_token=SecretStr("token-1"),
        expires_at=clock.now() + timedelta(hours=1),
    )
    assert session.expires_at.tzinfo is UTC


async def test_what_is_asked_for_a_scan(roles: Roles, sts: FakeSts) -> None:
    await roles.scan_session(SNAPSHOT)
    (call,) = sts.calls
    assert call["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/scanhub-spoke"
    assert call["RoleSessionName"] == "scan-orders-api"
    assert call["DurationSeconds"] == 3600
    assert call["ExternalId"] == EXTERNAL_ID
    assert call["SourceIdentity"] == "scanhub"
    assert call["Policy"] == session_policy(SNAPSHOT)


async def test_a_role_may_lie_on_a_path(sts: FakeSts, clock: ManualClock) -> None:
    roles = Roles(
        cast("STSClient", sts),
        role_name="scanhub-spoke",
        role_path="/security/scan/",
        external_id=SecretStr(EXTERNAL_ID),
        clock=clock,
    )
    await roles.worker_session(ACCOUNT)
    await roles.scan_session(SNAPSHOT)
    arns = [call["RoleArn"] for call in sts.calls]
    assert arns == [f"arn:aws:iam::{ACCOUNT}:role/security/scan/scanhub-spoke"] * 2


async def test_every_scan_has_a_session_of_its_own(roles: Roles, sts: FakeSts) -> None:
    sessions = [await roles.scan_session(SNAPSHOT) for _ in range(2)] + [await roles.worker_session(ACCOUNT)]
    assert len({session.access_key_id for session in sessions}) == len(sts.calls) == 3


async def test_a_session_is_kept_until_five_minutes_before_its_end(
    roles: Roles, sts: FakeSts, clock: ManualClock
) -> None:
    first = await roles.worker_session(ACCOUNT)
    clock.advance(DURATION - MARGIN - timedelta(seconds=1))
    assert await roles.worker_session(ACCOUNT) is first
    clock.advance(timedelta(seconds=1))
    second = await roles.worker_session(ACCOUNT)
    assert second.access_key_id != first.access_key_id
    assert await roles.worker_session(ACCOUNT) is second
    assert len(sts.calls) == 2
    assert timedelta(minutes=5) == MARGIN


async def test_accounts_and_partitions_have_sessions_of_their_own(roles: Roles, sts: FakeSts) -> None:
    first, other, china = (
        await roles.worker_session(ACCOUNT),
        await roles.worker_session(OTHER),
        await roles.worker_session(ACCOUNT, "aws-cn"),
    )
    assert len({session.access_key_id for session in (first, other, china)}) == 3
    assert await roles.worker_session(OTHER) is other
    assert len(sts.calls) == 3


async def test_one_call_for_an_account_however_many_wait(roles: Roles, sts: FakeSts) -> None:
    sts.gate.clear()
    waiters = [asyncio.create_task(roles.worker_session(ACCOUNT)) for _ in range(100)]
    await settle()
    sts.gate.set()
    sessions = await asyncio.gather(*waiters)
    assert len(sts.calls) == 1
    assert all(session is sessions[0] for session in sessions)


async def test_all_who_wait_get_the_same_error_and_nothing_is_kept(roles: Roles, sts: FakeSts) -> None:
    sts.gate.clear()
    sts.errors = [DENIED]
    waiters = [asyncio.create_task(roles.worker_session(ACCOUNT)) for _ in range(10)]
    await settle()
    sts.gate.set()
    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [NoAccess] * 10
    assert len(sts.calls) == 1
    assert (await roles.worker_session(ACCOUNT)).access_key_id == "ASIAXT4VQ2Z7PEX00002"


async def test_a_cancelled_waiter_does_not_end_the_shared_call(roles: Roles, sts: FakeSts) -> None:
    sts.gate.clear()
    first, second = (asyncio.create_task(roles.worker_session(ACCOUNT)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    sts.gate.set()
    assert (await second).access_key_id == "ASIAXT4VQ2Z7PEX00001"
    assert first.cancelled()
    assert len(sts.calls) == 1


async def test_accounts_do_not_wait_for_one_another(roles: Roles, sts: FakeSts) -> None:
    sts.gate.clear()
    waiters = [asyncio.create_task(roles.worker_session(account)) for account in (ACCOUNT, OTHER)]
    await settle()
    assert len(sts.calls) == 2
    sts.gate.set()
    await asyncio.gather(*waiters)


async def test_a_session_that_was_forgotten_is_made_anew(roles: Roles, sts: FakeSts) -> None:
    first = await roles.worker_session(ACCOUNT)
    other = await roles.worker_session(OTHER)
    roles.forget(first)
    second = await roles.worker_session(ACCOUNT)
    roles.forget(first)
    assert await roles.worker_session(ACCOUNT) is second
    assert await roles.worker_session(OTHER) is other
    assert len(sts.calls) == 3


async def failing(call: Callable[[], Any], sts: FakeSts, error: Exception) -> ScanhubError:
    sts.errors = [error]
    with pytest.raises(ScanhubError) as caught:
        await call()
    return caught.value


async def test_no_access_names_role_and_account(roles: Roles, sts: FakeSts) -> None:
    for call in (lambda: roles.worker_session(ACCOUNT), lambda: roles.scan_session(SNAPSHOT)):
        error = await failing(call, sts, DENIED)
        assert type(error) is NoAccess
        assert error.text.startswith(
            f"assuming the role arn:aws:iam::{ACCOUNT}:role/scanhub-spoke in account {ACCOUNT}: AccessDenied: User: "
        )
        assert "\n" not in error.text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (client_error("ExpiredTokenException", "The security token included in the request is expired"), Misconfigured),
        (client_error("InvalidClientTokenId", "The security token included in the request is invalid"), Misconfigured),
        (client_error("Throttling", "Rate exceeded", 400), Throttled),
        (client_error("ServiceUnavailable", "try again", 503), Unavailable),
        (client_error("PackedPolicyTooLarge", "Packed size of session tags consumes 112%", 400), Retry),
        (client_error("RegionDisabledException", "STS is not activated in this region"), Retry),
    ],
)
async def test_other_refusals(roles: Roles, sts: FakeSts, error: ClientError, kind: type[ScanhubError]) -> None:
    assert type(await failing(lambda: roles.worker_session(ACCOUNT), sts, error)) is kind


@pytest.mark.parametrize(
    "error",
    [
        client_error(
            "ValidationError",
            f"1 validation error detected: Value '{EXTERNAL_ID}' at 'externalId' failed to satisfy constraint",
            400,
        ),
        client_error("AccessDenied", f"not with {EXTERNAL_ID}"),
        ParamValidationError(report=f"Invalid type for parameter ExternalId, value: {EXTERNAL_ID}"),
    ],
)
async def test_the_external_id_shows_nowhere(roles: Roles, sts: FakeSts, error: Exception) -> None:
    caught = await failing(lambda: roles.scan_session(SNAPSHOT), sts, error)
    assert EXTERNAL_ID not in "".join(traceback.format_exception(caught))
    assert EXTERNAL_ID not in repr(caught)
    assert caught.__cause__ is None
    assert caught.__context__ is None
    assert EXTERNAL_ID not in repr(vars(roles))


async def test_sts_itself_takes_the_request(aws: AioSession) -> None:
    requests: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        requests.append(dict(params))

    async with aws.create_client("sts", region_name=REGION) as client:
        client.meta.events.register("provide-client-params.sts.AssumeRole", note)
        clock = ManualClock(datetime.now(UTC))
        real = Roles(client, role_name="scanhub-spoke", external_id=SecretStr(EXTERNAL_ID), clock=clock)
        session = await real.scan_session(SNAPSHOT)
        assert session.access_key_id.startswith("ASIA")
        assert timedelta(minutes=55) < session.expires_at - clock.now() <= timedelta(minutes=61)
        assert session.expires_at.tzinfo is UTC
        assert json.loads(requests[0]["Policy"])["Statement"][0]["Resource"] == str(SNAPSHOT.arn)
        assert await real.worker_session(ACCOUNT) is await real.worker_session(ACCOUNT)
        async with aws.create_client(
            "sts",
            region_name=REGION,
            aws_access_key_id=session.access_key_id,
            aws_secret_access_key=session.secret_access_key.get_secret_value(),
            aws_session_token=session.session_token.get_secret_value(),
        ) as spoke:
            identity = await spoke.get_caller_identity()
        assert identity["Account"] == ACCOUNT
        assert identity["Arn"].endswith("scanhub-spoke/scan-orders-api")
