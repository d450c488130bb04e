"""Which published versions of a function are in use: those to which an alias or a provisioned concurrency points."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from spoke.arn import FunctionArn
from spoke.errors import Gone
from spoke.pages import pages

if TYPE_CHECKING:
    from types_aiobotocore_lambda import LambdaClient
    from types_aiobotocore_lambda.type_defs import (
        ListAliasesRequestTypeDef,
        ListProvisionedConcurrencyConfigsRequestTypeDef,
    )

Answer = TypeVar("Answer")


class LambdaCalls(Protocol):
    """Makes a call to Lambda in an account and region, with botocore's errors as ours."""

    async def __call__(
        self, doing: str, account: str, region: str, call: Callable[["LambdaClient"], Awaitable[Answer]], /
    ) -> Answer:
        """The call's answer."""
        ...


async def versions_in_use(function: FunctionArn, calls: LambdaCalls) -> set[str]:
    """Their numbers; among them may be `$LATEST` and names of aliases. None, if the function is gone meanwhile.

    ListAliases, with the versions that share an alias by weight, and ListProvisionedConcurrencyConfigs, which names a
    version or an alias.

    Raises:
        NoAccess: The role may not ask.
        Throttled, Unavailable: Lambda could not answer.
    """
    try:
        return await _aliased(function, calls) | await _provisioned(function, calls)
    except Gone:
        return set()


async def _aliased(function: FunctionArn, calls: LambdaCalls) -> set[str]:
    doing = f"listing the aliases of {function}"

    async def ask(marker: str | None) -> tuple[set[str], str | None]:
        request: ListAliasesRequestTypeDef = {"FunctionName": str(function)}
        if marker:
            request["Marker"] = marker
        answer = await calls(doing, function.account, function.region, lambda client: client.list_aliases(**request))
        found: set[str] = set()
        for alias in answer["Aliases"]:
            found.add(alias.get("FunctionVersion", ""))
            found.update(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}))
        return found, answer.get("NextMarker")

    return {version async for page in pages(doing, ask) for version in page}


async def _provisioned(function: FunctionArn, calls: LambdaCalls) -> set[str]:
    doing = f"listing the provisioned concurrency of {function}"

    async def ask(marker: str | None) -> tuple[set[str], str | None]:
        request: ListProvisionedConcurrencyConfigsRequestTypeDef = {"FunctionName": str(function)}
        if marker:
            request["Marker"] = marker
        answer = await calls(
            doing,
            function.account,
            function.region,
            lambda client: client.list_provisioned_concurrency_configs(**request),
        )
        named = [one.get("FunctionArn", "") for one in answer["ProvisionedConcurrencyConfigs"]]
        return {arn.rpartition(":")[2] for arn in named}, answer.get("NextMarker")

    return {qualifier async for page in pages(doing, ask) for qualifier in page}
