"""What the member accounts have: their regions, functions, tags and the versions in use, on AWS."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from spoke import listing
from spoke.arn import FunctionArn, InvalidArn, is_account, is_region
from spoke.aws_errors import translated
from spoke.clients import Clients
from spoke.entry import Entry
from spoke.errors import Gone, NoAccess, SessionRefused
from spoke.listing import Page
from spoke.pace import Pace
from spoke.pages import pages
from spoke.roles import Roles
from spoke.snapshot import FunctionSnapshot
from spoke.tags import is_excluded
from spoke.versions import versions_in_use

if TYPE_CHECKING:
    from types_aiobotocore_ec2 import EC2Client
    from types_aiobotocore_lambda import LambdaClient
    from types_aiobotocore_lambda.type_defs import ListFunctionsRequestTypeDef
    from types_aiobotocore_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from types_aiobotocore_resourcegroupstaggingapi.type_defs import GetResourcesInputTypeDef, GetResourcesOutputTypeDef

Answer = TypeVar("Answer")
Client = TypeVar("Client")

ENABLED = frozenset({"opt-in-not-required", "opted-in"})
"""`OptInStatus` of a region that an account can use (EC2's API reference, `Region`)."""

RESOURCES = 100
"""Resources of one page: the most that GetResources gives (its API reference, `ResourcesPerPage`)."""


class AwsEstate:
    """The port `hub.sweep.ports.Estate` on AWS, each account seen through its own role.

    Args:
        clients: Open for as long as this is used.
        roles: Give the sessions.
        region: The hub's: where each account is asked which regions it has.
        calls_per_second: In each account and region. Lambda allows 15 of these calls (GetFunction has a rate of its
            own) and shares them with the customer's own deployments.
    """

    def __init__(self, clients: Clients, roles: Roles, *, region: str, calls_per_second: float = 5) -> None:
        self._entry = Entry(clients, roles)
        self._region = region
        self._pace = Pace(calls_per_second)

    async def regions(self, account: str) -> Sequence[str]:
        """DescribeRegions: those that need no opt-in, or have it, sorted.

        Raises:
            NoAccess: The role cannot be assumed, or may not ask.
            Throttled, Unavailable: EC2 could not answer.
        """
        _guard(account, self._region)

        doing = f"asking which regions account {account} has enabled"
        return await self._entry.call("ec2", account, self._region, _translated(doing, _enabled))

    async def functions(self, account: str, region: str) -> AsyncIterator[Sequence[FunctionSnapshot]]:
        """ListFunctions: every function, in pages of at most 50; an account without any has one empty page.

        Raises:
            NoAccess: The role cannot be assumed, or may not list them, or the account has not enabled the region.
            Throttled, Unavailable: Lambda could not answer; what came so far is not the whole.
        """
        async for page in self._listed(account, region):
            yield page.functions

    async def tagged(self, account: str, region: str, key: str) -> Mapping[str, str]:
        """GetResources: the functions that carry a tag of this key, by name, with its value.

        The index behind it follows the tags within minutes, not at once.

        Raises:
            NoAccess: The role may not ask.
            Throttled, Unavailable: The Resource Groups Tagging API could not answer.
        """
        _guard(account, region)
        doing = f"asking for functions tagged {key[:128]!r} in account {account}, {region}"

        async def ask(token: str | None) -> tuple[Mapping[str, str], str | None]:
            request: GetResourcesInputTypeDef = {
                "TagFilters": [{"Key": key}],
                "ResourceTypeFilters": ["lambda:function"],
                "ResourcesPerPage": RESOURCES,
            }
            if token:
                request["PaginationToken"] = token

            async def call(client: "ResourceGroupsTaggingAPIClient") -> "GetResourcesOutputTypeDef":
                return await client.get_resources(**request)

            await self._pace.turn(account, region)
            answer = await self._entry.call("resourcegroupstaggingapi", account, region, _translated(doing, call))
            return _values(answer, key, account=account, region=region), answer.get("PaginationToken")

        return {name: value async for page in pages(doing, ask) for name, value in page.items()}

    async def excluded(self, account: str, region: str, tag: str) -> frozenset[str]:
        """The names of the functions that `tagged` finds, except where the value is `false`; raises what that does."""
        found = await self.tagged(account, region, tag)
        return frozenset(name for name, value in found.items() if is_excluded({tag: value}, tag))

    async def versions(self, functions: Sequence[FunctionArn]) -> Sequence[FunctionSnapshot]:
        """The versions of these functions that an alias (also by weight) or a provisioned concurrency points to.

        One list of the whole place tells which functions have versions at all, and what code each version has: a call
        for fifty versions or functions. Only functions that have one cost two calls more, ListAliases and
        ListProvisionedConcurrencyConfigs. Asking every function would be two calls for each, and a version's code
        (GetFunctionConfiguration) one more. So ask once for all functions of a place, not page by page.

        Args:
            functions: All of one account and region.

        Returns:
            Each with its number as qualifier, by function and number.

        Raises:
            NoAccess: The role may not ask.
            Throttled, Unavailable: Lambda could not answer.
        """
        if not functions:
            return []
        account, region = functions[0].account, functions[0].region
        published: dict[FunctionArn, dict[str, FunctionSnapshot]] = {one.unqualified: {} for one in functions}
        async for page in self._listed(account, region, versions=True):
            for version in page.functions:
                if version.arn.is_version and version.arn.unqualified in published:
                    published[version.arn.unqualified][version.arn.qualifier or ""] = version
        found = []
        for function, versions in published.items():
            if versions:
                in_use = await versions_in_use(function, self._lambda)
                found += [versions[number] for number in sorted(in_use & versions.keys(), key=int)]
        return found

    async def _listed(self, account: str, region: str, *, versions: bool = False) -> AsyncIterator[Page]:
        _guard(account, region)
        doing = f"listing the functions of account {account} in {region}"

        async def ask(marker: str | None) -> tuple[Page, str | None]:
            request: ListFunctionsRequestTypeDef = {"FunctionVersion": "ALL"} if versions else {}
            if marker:
                request["Marker"] = marker
            body = await self._lambda(doing, account, region, lambda client: _raw_list(client, request))
            page = listing.page_of(body, account=account, region=region)
            return page, page.marker

        async for page in pages(doing, ask):
            yield page

    async def _lambda(
        self, doing: str, account: str, region: str, call: Callable[["LambdaClient"], Awaitable[Answer]]
    ) -> Answer:
        await self._pace.turn(account, region)
        return await self._entry.call("lambda", account, region, _translated(doing, call))


def _translated(doing: str, call: Callable[[Client], Awaitable[Answer]]) -> Callable[[Client], Awaitable[Answer]]:
    """The call, with botocore's errors as ours: so `Entry` sees that a session is refused."""

    async def translating(client: Client) -> Answer:
        with translated(doing, denied=NoAccess, absent=Gone, refused=SessionRefused):
            return await call(client)

    return translating


async def _enabled(client: "EC2Client") -> Sequence[str]:
    answer = await client.describe_regions()
    names = [one.get("RegionName", "") for one in answer["Regions"] if one.get("OptInStatus") in ENABLED]
    return sorted(name for name in names if is_region(name))


async def _raw_list(client: "LambdaClient", request: "ListFunctionsRequestTypeDef") -> bytes:
    # Under its id it is registered once, however often the client of this region is borrowed.
    client.meta.events.register("before-parse.lambda.ListFunctions", listing.keep_raw, unique_id="scanhub-listing")
    answer: Mapping[str, Any] = await client.list_functions(**request)
    body: bytes = answer[listing.RAW]
    return body


def _guard(account: str, region: str) -> None:
    """No client is made for a region that cannot be one: its name would be a part of a host's.

    Raises:
        NoAccess: It is no region, or no account.
    """
    if not is_account(account) or not is_region(region):
        raise NoAccess(f"there is no account {account[:20]!r} with a region {region[:40]!r}")


def _values(answer: "GetResourcesOutputTypeDef", key: str, *, account: str, region: str) -> dict[str, str]:
    found = {}
    for one in answer["ResourceTagMappingList"]:
        name = _name(one.get("ResourceARN", ""), account, region)
        values = [tag.get("Value", "") for tag in one.get("Tags", ()) if tag.get("Key") == key]
        if name is not None and values:
            found[name] = values[0]
    return found


def _name(arn: str, account: str, region: str) -> str | None:
    try:
        function = FunctionArn.parse(arn)
    except InvalidArn:
        return None
    return function.name if (function.account, function.region) == (account, region) else None
