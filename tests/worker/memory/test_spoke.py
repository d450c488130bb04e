from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from spoke.arn import FunctionArn
from spoke.errors import Gone, NoAccess, Throttled, Unavailable
from spoke.snapshot import FunctionSnapshot
from worker.memory.clock import ManualClock
from worker.memory.spoke import MemorySpoke

ARN = FunctionArn("aws", "eu-central-1", "210987654321", "orders-api")
SNAPSHOT = FunctionSnapshot(
    arn=ARN,
    code_sha256="dpKPvmrCpyTQTwm1Pn6T8pXwoX8xgWQ+a5nP1yyLpkQ=",
    last_modified=datetime(2026, 1, 1, tzinfo=UTC),
    tags=None,
)
TAGS = {"QualysScanStatus": "success"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def spoke(clock: ManualClock) -> MemorySpoke:
    spoke = MemorySpoke(clock)
    spoke.put(SNAPSHOT)
    return spoke


async def test_a_function_can_be_replaced_and_removed(spoke: MemorySpoke) -> None:
    newer = replace(SNAPSHOT, code_sha256="aaaa", last_modified=SNAPSHOT.last_modified + timedelta(hours=1))
    spoke.put(newer)
    assert await spoke.describe(ARN) is newer
    spoke.remove(replace(ARN, qualifier="live"))
    spoke.remove(ARN)
    with pytest.raises(Gone):
        await spoke.describe(ARN)


async def test_faults_come_one_by_one_and_only_to_their_operation(spoke: MemorySpoke) -> None:
    spoke.fail("describe", Throttled("slow"))
    spoke.fail("describe", Unavailable("down"))
    assert await spoke.tag(ARN, TAGS, present=None)
    with pytest.raises(Throttled):
        await spoke.describe(ARN)
    with pytest.raises(Unavailable):
        await spoke.describe(ARN)
    assert (await spoke.describe(ARN)).arn == ARN


async def test_what_was_written_is_recorded(spoke: MemorySpoke) -> None:
    assert await spoke.tag(replace(ARN, qualifier="live"), TAGS, present=None)
    assert not await spoke.tag(ARN, TAGS, present=TAGS)
    assert spoke.tagged == [(ARN, TAGS)]
    assert (await spoke.describe(ARN)).tags == TAGS


async def test_nothing_is_written_for_a_version(spoke: MemorySpoke) -> None:
    assert not await spoke.tag(replace(ARN, qualifier="1"), TAGS, present=None)
    assert spoke.tagged == []


async def test_a_failed_write_changes_nothing(spoke: MemorySpoke) -> None:
    spoke.fail("tag", Unavailable("down"))
    with pytest.raises(Unavailable):
        await spoke.tag(ARN, TAGS, present=None)
    assert spoke.tagged == []
    assert (await spoke.describe(ARN)).tags is None


async def test_sessions_are_recorded_and_end_by_the_clock(spoke: MemorySpoke, clock: ManualClock) -> None:
    clock.advance(timedelta(minutes=7))
    credentials = await spoke.scan_credentials(SNAPSHOT)
    assert spoke.sessions == [(SNAPSHOT, credentials)]
    assert credentials.expires_at == clock.now() + timedelta(hours=1)


async def test_an_answer_may_be_lost_after_the_tags_were_written(clock: ManualClock) -> None:
    calls: list[tuple[str, bool]] = []

    async def lose_the_answer(operation: str, *, after: bool) -> None:
        calls.append((operation, after))
        if operation == "tag" and after:
            raise Unavailable("the connection broke")

    spoke = MemorySpoke(clock, on_call=lose_the_answer)
    spoke.put(SNAPSHOT)
    with pytest.raises(Unavailable):
        await spoke.tag(ARN, TAGS, present=None)
    assert (await spoke.describe(ARN)).tags == TAGS
    await spoke.scan_credentials(SNAPSHOT)
    assert calls == [(call, after) for call in ("tag", "describe", "scan_credentials") for after in (False, True)]


async def test_an_account_may_be_let_in_again(spoke: MemorySpoke) -> None:
    spoke.deny(ARN.account)
    with pytest.raises(NoAccess):
        await spoke.describe(ARN)
    spoke.allow(ARN.account)
    assert await spoke.describe(ARN) is SNAPSHOT
