import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from pydantic import SecretStr

from hub.sweep.ports import Estate
from spoke.arn import FunctionArn
from spoke.clients import Clients
from spoke.errors import NoAccess, Retry, ScanhubError, SessionRefused, Throttled, Unavailable
from spoke.estate import AwsEstate
from spoke.roles import Roles
from spoke.snapshot import FunctionSnapshot
from tests.conftest import MODELS, REGION
from tests.contracts.spokes import Early
from worker.memory.clock import ManualClock

ACCOUNT = "210987654321"
EXTERNAL_ID = "canary-external-id-7f3a"
ARN = FunctionArn("aws", REGION, ACCOUNT, "orders-api")
AT = datetime(2026, 11, 20, tzinfo=UTC)
SNAPSHOT = FunctionSnapshot(arn=ARN, code_sha256="x" * 43 + "=", last_modified=AT)

Answer = tuple[int, Any]


class Aws:
    """Every service of every account, answered before anything is sent.

    Attributes:
        answers: By operation: what answers it, given the request's own words; (status, body or error code).
        calls: (operation, region, access key id) of each request, in order.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Mapping[str, Any]], Answer]] = {}
        self.calls: list[tuple[str, str, str]] = []
        self._sessions = 0

    def count(self) -> Counter[str]:
        return Counter(operation for operation, _, _ in self.calls)

    def __call__(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        authorization = request.headers["Authorization"]
        signature = authorization.decode() if isinstance(authorization, bytes) else authorization
        key, _day, region = signature.partition("Credential=")[2].split("/")[:3]
        self.calls.append((operation, region, key))
        url = urlsplit(request.url)
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        if operation == "AssumeRole":
            self._sessions += 1
            return Early(request.url, 200, {}, _session(self._sessions).encode())
        words: dict[str, Any] = {name: values[0] for name, values in parse_qs(url.query).items()}
        words |= json.loads(body) if body.startswith("{") else {}
        status, answer = self.answers[operation]({**words, "region": region, "path": url.path})
        if status >= 300:
            return _refusal(request.url, operation, status, answer)
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Early(request.url, status, {}, raw)


def _session(number: int) -> str:
    end = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    given = (
        f"<AccessKeyId>ASIA{number:016}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
        f"<SessionToken>token</SessionToken><Expiration>{end}</Expiration>"
    )
    return (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
        f"<Credentials>{given}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def _refusal(url: str, operation: str, status: int, code: str) -> AWSResponse:
    if operation == "DescribeRegions":
        error = f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"
        return Early(url, status, {}, error.encode())
    return Early(url, status, {"x-amzn-errortype": code}, json.dumps({"__type": code, "message": "no"}).encode())


def regions_xml(**regions: str) -> bytes:
    items = "".join(
        f"<item><regionName>{name.replace('_', '-')}</regionName><optInStatus>{status}</optInStatus></item>"
        for name, status in regions.items()
    )
    return (
        '<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<regionInfo>{items}</regionInfo></DescribeRegionsResponse>"
    ).encode()


def entry(name: str, version: str = "") -> dict[str, Any]:
    return {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}{version}",
        "CodeSha256": "x" * 43 + "=",
        "LastModified": "2026-11-20T10:11:12.345+0000",
        "PackageType": "Zip",
        "Runtime": "python3.13",
    }


@asynccontextmanager
async def estate_of(aws: Aws, *, calls_per_second: float = 1000) -> AsyncIterator[AwsEstate]:
    session = get_session()
    session.register_component("data_loader", MODELS)
    session.register("before-send", aws)
    async with Clients(session=session, config=AioConfig(retries={"total_max_attempts": 1})) as clients:
        roles = Roles(
            await clients.get("sts"),
            role_name="scanhub-spoke",
            external_id=SecretStr(EXTERNAL_ID),
            clock=ManualClock(datetime.now(UTC)),
        )
        yield AwsEstate(clients, roles, region=REGION, calls_per_second=calls_per_second)


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
async def estate(aws: Aws) -> AsyncIterator[Estate]:
    async with estate_of(aws) as estate:
        yield estate


async def listed(estate: Estate, region: str = REGION) -> list[str]:
    return [one.arn.name async for page in estate.functions(ACCOUNT, region) for one in page]


async def test_regions_that_are_enabled(aws: Aws, estate: Estate) -> None:
    statuses = {"us_east_1": "opt-in-not-required", "eu_south_1": "opted-in", "me_south_1": "not-opted-in"}
    aws.answers["DescribeRegions"] = lambda _: (200, regions_xml(**statuses, af_south_1="later", nowhere="opted-in"))
    assert await estate.regions(ACCOUNT) == ["eu-south-1", "us-east-1"]
    # In the hub's own region, whatever the account has.
    assert aws.calls[-1][:2] == ("DescribeRegions", REGION)


async def test_a_hundred_functions_are_two_calls(aws: Aws, estate: Estate) -> None:
    def answer(asked: Mapping[str, Any]) -> Answer:
        first = int(asked.get("Marker", 0))
        more = {"NextMarker": "50"} if first == 0 else {}
        return 200, {"Functions": [entry(f"job-{number}") for number in range(first, first + 50)], **more}

    aws.answers["ListFunctions"] = answer
    assert await listed(estate) == [f"job-{number}" for number in range(100)]
    assert aws.count() == {"AssumeRole": 1, "ListFunctions": 2}


async def test_a_list_that_breaks_off_is_not_the_whole(aws: Aws, estate: Estate) -> None:
    def answer(asked: Mapping[str, Any]) -> Answer:
        return (500, "ServiceException") if "Marker" in asked else (200, {"Functions": [entry("a")], "NextMarker": "m"})

    aws.answers["ListFunctions"] = answer
    pages = aiter(estate.functions(ACCOUNT, REGION))
    assert [one.arn.name for one in await anext(pages)] == ["a"]
    with pytest.raises(Unavailable):
        await anext(pages)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"Message": "wait"}'])
async def test_an_answer_that_is_no_list_is_not_an_empty_one(aws: Aws, estate: Estate, body: bytes) -> None:
    aws.answers["ListFunctions"] = lambda _: (200, body)
    with pytest.raises(Unavailable, match="listing"):
        await listed(estate)


async def test_a_marker_that_comes_again(aws: Aws, estate: Estate) -> None:
    aws.answers["ListFunctions"] = lambda _: (200, {"Functions": [entry("a")], "NextMarker": "again"})
    with pytest.raises(Unavailable, match="leads back"):
        await listed(estate)
    assert aws.count()["ListFunctions"] == 2


async def call_each(estate: Estate) -> list[tuple[str, BaseException | None]]:
    """What each method ends with."""
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "DescribeRegions": lambda: estate.regions(ACCOUNT),
        "ListFunctions": lambda: listed(estate),
        "GetResources": lambda: estate.tagged(ACCOUNT, REGION, "team"),
        "versions": lambda: estate.versions([SNAPSHOT.arn]),
    }
    ended: list[tuple[str, BaseException | None]] = []
    for name, call in calls.items():
        try:
            await call()
        except ScanhubError as error:
            ended.append((name, error))
        else:
            ended.append((name, None))
    return ended


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDeniedException", 403, NoAccess),
        ("UnauthorizedOperation", 403, NoAccess),
        ("UnrecognizedClientException", 403, SessionRefused),
        ("InvalidClientTokenId", 403, SessionRefused),
        ("AuthFailure", 401, SessionRefused),
        ("ExpiredTokenException", 403, SessionRefused),
        ("TooManyRequestsException", 429, Throttled),
        ("RequestLimitExceeded", 503, Throttled),
        ("ThrottledException", 400, Throttled),
        ("ServiceException", 500, Unavailable),
        ("PaginationTokenExpiredException", 400, Retry),
    ],
)
async def test_refusals(aws: Aws, estate: Estate, code: str, status: int, kind: type[ScanhubError]) -> None:
    for operation in ("DescribeRegions", "ListFunctions", "GetResources"):
        aws.answers[operation] = lambda _: (status, code)
    for name, error in await call_each(estate):
        assert type(error) is kind, name
        assert ACCOUNT in str(error)
        assert code in str(error)
        assert EXTERNAL_ID not in str(error)


async def test_a_session_that_ended_is_made_anew_once(aws: Aws, estate: Estate) -> None:
    refused: set[str] = set()

    def answer(_: Mapping[str, Any]) -> Answer:
        if aws.calls[-1][2] in refused:
            return 403, "ExpiredTokenException"
        return 200, {"Functions": [entry("a")]}

    aws.answers["ListFunctions"] = answer
    await listed(estate)
    refused.add(aws.calls[-1][2])
    assert await listed(estate) == ["a"]
    assert aws.count() == {"AssumeRole": 2, "ListFunctions": 3}


async def test_a_region_that_is_not_enabled_spoils_no_session(aws: Aws, estate: Estate) -> None:
    def answer(asked: Mapping[str, Any]) -> Answer:
        if asked["region"] == "me-south-1":
            return 403, "UnrecognizedClientException"
        return 200, {"Functions": []}

    aws.answers["ListFunctions"] = answer
    for _ in range(5):
        with pytest.raises(NoAccess, match="me-south-1"):
            await listed(estate, "me-south-1")
        assert await listed(estate) == []
    assert aws.count()["AssumeRole"] == 2


@pytest.mark.parametrize(
    ("account", "region"),
    [
        (ACCOUNT, "nowhere"),
        (ACCOUNT, ""),
        (ACCOUNT, "eu-central-1.evil.example"),
        ("21098765432", REGION),
        ("", REGION),
    ],
)
async def test_what_is_no_place_is_never_asked(aws: Aws, estate: Estate, account: str, region: str) -> None:
    with pytest.raises(NoAccess, match="there is no account"):
        [page async for page in estate.functions(account, region)]
    with pytest.raises(NoAccess, match="there is no account"):
        await estate.excluded(account, region, "team")
    assert aws.calls == []


async def test_a_region_whose_name_leads_nowhere_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that nobody listens on, as a host that cannot be resolved: both are a connection that fails."""
    aws = Aws()
    session = get_session()
    session.register_component("data_loader", MODELS)
    session.register("before-send.sts", aws)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    async with Clients(session=session, config=AioConfig(retries={"total_max_attempts": 1})) as clients:
        roles = Roles(
            await clients.get("sts"),
            role_name="scanhub-spoke",
            external_id=SecretStr(EXTERNAL_ID),
            clock=ManualClock(datetime.now(UTC)),
        )
        estate = AwsEstate(clients, roles, region=REGION)
        with pytest.raises(Unavailable, match="no connection"):
            await listed(estate, "xx-moon-1")


async def test_resources_of_other_places_and_without_the_tag_are_left_out(aws: Aws, estate: Estate) -> None:
    def answer(asked: Mapping[str, Any]) -> Answer:
        assert asked["TagFilters"] == [{"Key": "team"}]
        assert asked["ResourceTypeFilters"] == ["lambda:function"]
        if asked.get("PaginationToken"):
            return 200, {"PaginationToken": "", "ResourceTagMappingList": [mapping("last", team="x")]}
        found = [
            mapping("orders-api", team="orders", tier="1"),
            mapping("untagged"),
            mapping("other-key", Team="orders"),
            {"ResourceARN": "arn:aws:lambda:us-east-1:210987654321:function:edge", "Tags": tags(team="x")},
            {"ResourceARN": "arn:aws:s3:::bucket", "Tags": tags(team="x")},
            {},
        ]
        return 200, {"PaginationToken": "next", "ResourceTagMappingList": found}

    def tags(**pairs: str) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in pairs.items()]

    def mapping(name: str, **pairs: str) -> dict[str, Any]:
        return {"ResourceARN": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}", "Tags": tags(**pairs)}

    aws.answers["GetResources"] = answer
    assert await estate.tagged(ACCOUNT, REGION, "team") == {"orders-api": "orders", "last": "x"}
    assert aws.count()["GetResources"] == 2


async def test_only_functions_that_have_versions_are_asked_about(aws: Aws, estate: Estate) -> None:
    """A hundred functions, one of them with versions: two pages, and two calls more."""

    def functions(asked: Mapping[str, Any]) -> Answer:
        assert asked["FunctionVersion"] == "ALL"
        first = int(asked.get("Marker", 0))
        found = [entry(f"job-{number}", ":$LATEST") for number in range(first, first + 50)]
        if first == 0:
            return 200, {
                "Functions": [*found[:3], *(entry("job-2", f":{one}") for one in range(1, 12)), *found[3:]]
            } | {"NextMarker": "50"}
        return 200, {"Functions": found}

    aws.answers["ListFunctions"] = functions
    aws.answers["ListAliases"] = lambda _: (200, {"Aliases": [{"Name": "live", "FunctionVersion": "10"}]})
    aws.answers["ListProvisionedConcurrencyConfigs"] = lambda _: (
        200,
        {"ProvisionedConcurrencyConfigs": [{"FunctionArn": f"{entry('job-2')['FunctionArn']}:9"}]},
    )
    asked = [FunctionArn("aws", REGION, ACCOUNT, f"job-{number}") for number in range(100)]
    found = await estate.versions(asked)
    assert [str(one.arn).rpartition(":function:")[2] for one in found] == ["job-2:9", "job-2:10"]
    assert aws.count() == {
        "AssumeRole": 1,
        "ListFunctions": 2,
        "ListAliases": 1,
        "ListProvisionedConcurrencyConfigs": 1,
    }


async def test_versions_may_not_be_asked_for_in_an_older_spoke(aws: Aws, estate: Estate) -> None:
    aws.answers["ListFunctions"] = lambda _: (200, {"Functions": [entry("orders-api", ":1")]})
    aws.answers["ListAliases"] = lambda _: (403, "AccessDeniedException")
    with pytest.raises(NoAccess, match="aliases"):
        await estate.versions([SNAPSHOT.arn])


async def test_a_function_that_goes_while_its_versions_are_asked_for(aws: Aws, estate: Estate) -> None:
    aws.answers["ListFunctions"] = lambda _: (200, {"Functions": [entry("orders-api", ":1")]})
    aws.answers["ListAliases"] = lambda _: (404, "ResourceNotFoundException")
    assert list(await estate.versions([SNAPSHOT.arn])) == []


async def test_one_session_and_one_parser_for_all_places_of_an_account(aws: Aws, estate: Estate) -> None:
    aws.answers["ListFunctions"] = lambda asked: (
        200,
        {"Functions": [entry("a") | {"FunctionArn": entry("a")["FunctionArn"].replace(REGION, asked["region"])}]},
    )
    regions = (REGION, "us-east-1", "eu-west-1") * 5
    answers = await asyncio.gather(*(listed(estate, region) for region in regions))
    assert answers == [["a"]] * 15
    assert aws.count() == {"AssumeRole": 1, "ListFunctions": 15}


async def test_calls_of_one_place_are_spread(aws: Aws) -> None:
    aws.answers["ListFunctions"] = lambda _: (200, {"Functions": []})
    async with estate_of(aws, calls_per_second=20) as estate:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.gather(*(listed(estate) for _ in range(26)))
        assert loop.time() - begun >= 0.25


async def test_a_role_that_cannot_be_assumed(aws: Aws, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: object, **__: object) -> None:
        raise NoAccess(f"assuming the role arn:aws:iam::{ACCOUNT}:role/scanhub-spoke: AccessDenied")

    monkeypatch.setattr(Roles, "worker_session", refused)
    for _, error in await call_each(estate):
        assert type(error) is NoAccess
    assert aws.calls == []


async def test_a_client_that_was_closed_is_made_again_with_its_parser(aws: Aws) -> None:
    """Two regions with room for one client: each has its own handler, on a client that is new each time."""
    aws.answers["ListFunctions"] = lambda _: (200, {"Functions": []})
    session = get_session()
    session.register_component("data_loader", MODELS)
    session.register("before-send", aws)
    async with Clients(session=session, config=AioConfig(retries={"total_max_attempts": 1}), limit=1) as clients:
        roles = Roles(
            await clients.get("sts"),
            role_name="scanhub-spoke",
            external_id=SecretStr(EXTERNAL_ID),
            clock=ManualClock(datetime.now(UTC)),
        )
        estate = AwsEstate(clients, roles, region=REGION)
        for region in (REGION, "us-east-1", REGION):
            assert await listed(estate, region) == []
