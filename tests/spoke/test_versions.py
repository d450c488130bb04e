from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from spoke.arn import FunctionArn
from spoke.errors import Gone, NoAccess, Unavailable
from spoke.versions import versions_in_use
from tests.conftest import REGION

Answer = TypeVar("Answer")

ARN = FunctionArn("aws", REGION, "210987654321", "orders-api")


class FakeLambda:
    """Answers in pages; notes each call."""

    def __init__(self) -> None:
        self.aliases: list[list[dict[str, Any]]] = [[]]
        self.provisioned: list[list[str]] = [[]]
        self.asked: list[dict[str, Any]] = []
        self.error: Exception | None = None

    async def __call__(
        self, doing: str, account: str, region: str, call: Callable[[Any], Awaitable[Answer]], /
    ) -> Answer:
        assert str(ARN) in doing
        assert (account, region) == (ARN.account, ARN.region)
        return await call(self)

    async def list_aliases(self, **request: Any) -> dict[str, Any]:
        return self._page("Aliases", self.aliases, request)

    async def list_provisioned_concurrency_configs(self, **request: Any) -> dict[str, Any]:
        pages = [[{"FunctionArn": f"{ARN}:{one}", "Status": "READY"} for one in page] for page in self.provisioned]
        return self._page("ProvisionedConcurrencyConfigs", pages, request)

    def _page(self, name: str, pages: list[list[dict[str, Any]]], request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        number = int(request.get("Marker", "0"))
        more = {"NextMarker": str(number + 1)} if number + 1 < len(pages) else {}
        return {name: pages[number], **more}


def alias(version: str, **weights: float) -> dict[str, Any]:
    routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}
    return {"AliasArn": f"{ARN}:live", "Name": "live", "FunctionVersion": version, "RevisionId": "1", **routing}


async def test_what_aliases_and_provisioned_concurrency_name_over_all_pages() -> None:
    calls = FakeLambda()
    calls.aliases = [[alias("3", **{"4": 0.1}), alias("$LATEST")], [alias("9")]]
    calls.provisioned = [["live"], ["12"]]
    assert {"3", "4", "9", "12"} <= await versions_in_use(ARN, calls) <= {"3", "4", "9", "12", "$LATEST", "live"}
    assert [one.get("Marker") for one in calls.asked] == [None, "1", None, "1"]
    assert {one["FunctionName"] for one in calls.asked} == {str(ARN)}


async def test_nothing_in_use() -> None:
    calls = FakeLambda()
    assert await versions_in_use(ARN, calls) == set()
    assert len(calls.asked) == 2


async def test_what_lambda_leaves_out_or_says_anew() -> None:
    calls = FakeLambda()
    calls.aliases = [[{}, {"FunctionVersion": "2", "RoutingConfig": {}}]]
    assert await versions_in_use(ARN, calls) - {""} == {"2"}


async def test_a_function_that_goes_meanwhile_has_none() -> None:
    calls = FakeLambda()
    calls.error = Gone("ResourceNotFoundException")
    assert await versions_in_use(ARN, calls) == set()


async def test_what_may_not_be_asked_is_said() -> None:
    calls = FakeLambda()
    calls.error = NoAccess("AccessDeniedException")
    with pytest.raises(NoAccess):
        await versions_in_use(ARN, calls)


async def test_aliases_without_an_end() -> None:
    class Endless(FakeLambda):
        async def list_aliases(self, **request: Any) -> dict[str, Any]:
            self.asked.append(request)
            return {"Aliases": [], "NextMarker": "again"}

    calls = Endless()
    with pytest.raises(Unavailable, match="aliases"):
        await versions_in_use(ARN, calls)
    assert len(calls.asked) == 2
