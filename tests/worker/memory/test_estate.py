import asyncio
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.sweep.ports import Estate
from spoke.arn import FunctionArn
from spoke.errors import NoAccess, Throttled, Unavailable
from spoke.snapshot import FunctionSnapshot
from worker.memory.estate import MemoryEstate

REGION = "eu-central-1"
ACCOUNT, OTHER = "210987654321", "345678901234"
ARN = FunctionArn("aws", REGION, ACCOUNT, "orders-api")
SNAPSHOT = FunctionSnapshot(
    arn=ARN,
    code_sha256="dpKPvmrCpyTQTwm1Pn6T8pXwoX8xgWQ+a5nP1yyLpkQ=",
    last_modified=datetime(2026, 1, 1, tzinfo=UTC),
    tags={"team": "orders"},
)


def place(account: str, count: int) -> Iterator[FunctionSnapshot]:
    for number in range(count):
        yield replace(SNAPSHOT, arn=FunctionArn("aws", REGION, account, f"job-{number}"), tags=None)


async def listed(estate: Estate, account: str = ACCOUNT, region: str = REGION) -> list[str]:
    return [one.arn.name async for page in estate.functions(account, region) for one in page]


async def test_a_place_makes_its_functions_as_it_is_listed() -> None:
    estate = MemoryEstate()
    estate.generate(ACCOUNT, REGION, lambda: place(ACCOUNT, 120))
    estate.put(SNAPSHOT)
    for _ in range(2):
        names = await listed(estate)
        assert len(names) == 121
        assert {"orders-api", "job-0", "job-119"} <= set(names)
    assert estate.calls == {"functions": 6}
    assert await estate.regions(ACCOUNT) == [REGION]


async def test_full_pages_need_no_empty_one_after_them() -> None:
    estate = MemoryEstate()
    estate.generate(ACCOUNT, REGION, lambda: place(ACCOUNT, 100))
    assert [len(page) async for page in estate.functions(ACCOUNT, REGION)] == [50, 50]
    assert estate.calls == {"functions": 2}


async def test_a_million_functions_take_the_memory_of_a_page() -> None:
    estate = MemoryEstate()
    for number in range(20):
        account = f"{number:012}"
        estate.generate(account, REGION, lambda account=account: place(account, 500))  # type: ignore[misc]  # mypy knows no default of a lambda
    tracemalloc.start()
    try:
        for number in range(20):
            async for _ in estate.functions(f"{number:012}", REGION):
                pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Of 10,000 functions, two pages at a time.
    assert peak < 300 * 2 * sys.getsizeof(SNAPSHOT) * 4


async def test_deleted_functions_take_their_versions_along() -> None:
    estate = MemoryEstate()
    estate.put(SNAPSHOT)
    for number in ("2", "10", "1"):
        estate.put(replace(SNAPSHOT, arn=replace(ARN, qualifier=number)))
    assert [one.arn.qualifier for one in await estate.versions([ARN])] == ["1", "2", "10"]
    assert await listed(estate) == ["orders-api"]
    estate.remove(replace(ARN, qualifier="2"))
    assert [one.arn.qualifier for one in await estate.versions([ARN])] == ["1", "10"]
    estate.remove(ARN)
    estate.remove(ARN)
    assert await estate.versions([ARN]) == []
    assert await listed(estate) == []


async def test_regions_are_those_enabled_or_those_in_use() -> None:
    estate = MemoryEstate()
    assert await estate.regions(ACCOUNT) == []
    estate.put(SNAPSHOT)
    estate.put(replace(SNAPSHOT, arn=replace(ARN, region="us-east-1", account=OTHER)))
    assert await estate.regions(ACCOUNT) == [REGION]
    estate.remove(ARN)
    assert await estate.regions(ACCOUNT) == []
    estate.enable(ACCOUNT, "us-east-1", "eu-west-1")
    assert await estate.regions(ACCOUNT) == ["eu-west-1", "us-east-1"]
    with pytest.raises(NoAccess, match=REGION):
        await listed(estate)
    assert await listed(estate, region="us-east-1") == []


async def test_denials_of_an_account_a_region_or_one_call() -> None:
    estate = MemoryEstate()
    for account in (ACCOUNT, OTHER):
        estate.put(replace(SNAPSHOT, arn=replace(ARN, account=account)))
    estate.deny(ACCOUNT, call="tagged")
    with pytest.raises(NoAccess, match=ACCOUNT):
        await estate.excluded(ACCOUNT, REGION, "team")
    assert await listed(estate) == ["orders-api"]
    estate.deny(ACCOUNT, REGION)
    with pytest.raises(NoAccess):
        await listed(estate)
    assert await listed(estate, region="us-east-1") == []
    estate.deny(OTHER)
    with pytest.raises(NoAccess):
        await estate.regions(OTHER)
    with pytest.raises(NoAccess):
        await estate.versions([replace(ARN, account=OTHER)])
    estate.allow(ACCOUNT)
    assert await estate.excluded(ACCOUNT, REGION, "team") == {"orders-api"}
    with pytest.raises(NoAccess):
        await listed(estate, OTHER)


async def test_faults_come_one_by_one_and_only_where_they_were_planned() -> None:
    estate = MemoryEstate()
    estate.put(SNAPSHOT)
    estate.fail("functions", Throttled("slow down"), account=ACCOUNT, region="us-east-1")
    estate.fail("functions", Unavailable("time-out"), account=ACCOUNT)
    estate.fail("regions", Throttled("slow down"))
    with pytest.raises(Unavailable):
        await listed(estate)
    assert await listed(estate) == ["orders-api"]
    with pytest.raises(Throttled):
        await listed(estate, region="us-east-1")
    with pytest.raises(Throttled):
        await estate.regions(OTHER)
    assert await estate.regions(ACCOUNT) == [REGION]


async def test_a_hook_steps_into_every_call_and_every_page() -> None:
    seen: list[tuple[str, str, str, bool]] = []

    async def note(operation: str, account: str, region: str, *, after: bool) -> None:
        seen.append((operation, account, region, after))

    estate = MemoryEstate(page_size=2, on_call=note)
    estate.generate(ACCOUNT, REGION, lambda: place(ACCOUNT, 3))
    await estate.regions(ACCOUNT)
    await listed(estate)
    await estate.tagged(ACCOUNT, REGION, "team")
    await estate.versions([ARN])
    calls = ["regions", "functions", "functions", "tagged", "versions"]
    assert [(one[0], one[3]) for one in seen] == [(call, after) for call in calls for after in (False, True)]
    assert {one[1:3] for one in seen} == {(ACCOUNT, ""), (ACCOUNT, REGION)}
    assert estate.calls == {"regions": 1, "functions": 2, "tagged": 1, "versions": 1}


async def test_a_place_that_hangs_delays_no_other() -> None:
    never = asyncio.Event()

    async def hang(operation: str, account: str, region: str, *, after: bool) -> None:
        if (account, region, operation, after) == (OTHER, REGION, "functions", False):
            await never.wait()

    estate = MemoryEstate(on_call=hang)
    estate.put(SNAPSHOT)
    waiting = asyncio.create_task(listed(estate, OTHER))
    assert await listed(estate) == ["orders-api"]
    assert not waiting.done()
    never.set()
    assert await waiting == []
