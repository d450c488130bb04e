"""Any sequence of operations has the same answers and leaves the same items in memory and in DynamoDB (moto)."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from aiobotocore.session import AioSession
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.coverage import CoverageState
from hub.scans import Claimed, Effect, Held, Lease, ScanKey
from hub.sightings import Sighting
from hub.tries import Failure
from spoke.errors import ScanhubError
from tests.conftest import REGION
from tests.ledger_rig import DynamoRig, LedgerRig, MemoryRig, create_table
from tests.ledger_samples import CHECKOUT, FAILED, KEY, NEW_CODE, NOW, OLD_CODE, PARTIAL, SUMMARY, coverage

Operation = Callable[["Player"], Awaitable[Any]]


@dataclass
class Player:
    """One ledger, and the leases that it has given; operations name a lease by its number."""

    rig: LedgerRig
    name: str
    account: str
    leases: list[Lease] = field(default_factory=list)

    def key(self, code: str) -> ScanKey:
        return replace(KEY, function=replace(CHECKOUT, name=self.name), fingerprint=code)


CODES = st.sampled_from([OLD_CODE, NEW_CODE])
# Within a minute they lie as far apart as clocks may, and by more than that.
MOMENTS = st.builds(
    lambda minutes, seconds: NOW + timedelta(minutes=minutes, seconds=seconds),
    st.integers(0, 6),
    st.sampled_from([0, 0, 5, 10, 11]),
)
RESULTS = st.sampled_from([SUMMARY, PARTIAL, FAILED]).map(
    lambda summary: replace(summary, fresh_until=min(summary.fresh_until, NOW + timedelta(minutes=4)))
)


@st.composite
def claim(draw: st.DrawFn) -> Operation:
    code, now, force, message = draw(CODES), draw(MOMENTS), draw(st.booleans()), draw(st.sampled_from("ab"))

    async def play(player: Player) -> Any:  # noqa: ANN401  # whatever the ledger answers
        answer = await player.rig.ledger.claim(
            player.key(code), message_id=message, now=now, duration=timedelta(minutes=2), force=force
        )
        if isinstance(answer, Claimed):
            player.leases.append(answer.lease)
            return replace(answer.lease, owner=""), answer.abandoned_by
        return answer if isinstance(answer, Held) else replace(answer.record, lease=None)

    return play


@st.composite
def with_lease(draw: st.DrawFn) -> Operation:
    kind, number, now = draw(st.sampled_from(["renew", "release", "commit"])), draw(st.integers(0, 3)), draw(MOMENTS)
    summary, state = draw(RESULTS), draw(st.sampled_from(CoverageState))
    as_of, owed = draw(MOMENTS), draw(st.sets(st.sampled_from(Effect)))

    async def play(player: Player) -> Any:  # noqa: ANN401  # whatever the ledger answers
        if not player.leases:
            return None
        lease, ledger = player.leases[number % len(player.leases)], player.rig.ledger
        if kind == "renew":
            return replace(await ledger.renew(lease, now=now, duration=timedelta(minutes=2)), owner="")
        if kind == "release":
            return await ledger.release(lease)
        shown = coverage(state, at=now, as_of=as_of, function=lease.key.function)
        return await ledger.commit(lease, summary, shown, owed=owed)

    return play


@st.composite
def record(draw: st.DrawFn) -> Operation:
    state, at, as_of, code = draw(st.sampled_from(CoverageState)), draw(MOMENTS), draw(st.none() | MOMENTS), draw(CODES)
    reason, good = draw(st.sampled_from(["", "throttled"])), draw(st.none() | RESULTS)

    async def play(player: Player) -> Any:  # noqa: ANN401  # whatever the ledger answers
        one = coverage(state, at=at, as_of=as_of, code=code, reason=reason, function=player.key(code).function)
        return await player.rig.ledger.record(replace(one, last_good=good))

    return play


@st.composite
def replaced(draw: st.DrawFn) -> Operation:
    state, at, as_of, code = draw(st.sampled_from(CoverageState)), draw(MOMENTS), draw(st.none() | MOMENTS), draw(CODES)
    knows, queued_at, runtime = draw(st.booleans()), draw(st.none() | MOMENTS), draw(st.sampled_from([None, "image"]))

    async def play(player: Player) -> Any:  # noqa: ANN401  # whatever the ledger answers
        function = player.key(code).function
        seen = (await player.rig.ledger.standings([function])).get(function)
        if seen is not None and not knows:
            seen = replace(seen, at=at)
        one = coverage(state, at=at, as_of=as_of, code=code, function=function)
        return await player.rig.ledger.replace(replace(one, queued_at=queued_at, runtime=runtime), seen=seen)

    return play


@st.composite
def mark_done(draw: st.DrawFn) -> Operation:
    code, effect, result = draw(CODES), draw(st.sampled_from(Effect)), draw(RESULTS)

    async def play(player: Player) -> Any:  # noqa: ANN401  # whatever the ledger answers
        return await player.rig.ledger.mark_done(player.key(code), {effect}, scan_id=result.scan_id)

    return play


@st.composite
def note_failure(draw: st.DrawFn) -> Operation:
    reason = draw(st.sampled_from(["throttled", "worker_died"]))
    failure = Failure(draw(st.integers(1, 3)), reason, draw(st.sampled_from(["", "x" * 400])), draw(MOMENTS))

    async def play(player: Player) -> Any:  # noqa: ANN401  # whatever the ledger answers
        return list(await player.rig.ledger.note_failure(player.name, failure))

    return play


@st.composite
def announce(draw: st.DrawFn) -> Operation:
    now, quiet = draw(MOMENTS), draw(st.sampled_from([timedelta(0), timedelta(minutes=2)]))

    async def play(player: Player) -> Any:  # noqa: ANN401  # whatever the ledger answers
        return await player.rig.ledger.announce(player.name, now=now, quiet=quiet)

    return play


@st.composite
def sight(draw: st.DrawFn) -> Operation:
    region, event_at, received_at = draw(st.sampled_from(["eu-central-1", "us-east-1"])), draw(MOMENTS), draw(MOMENTS)

    async def play(player: Player) -> Any:  # noqa: ANN401  # whatever the ledger answers
        seen = Sighting(account=player.account, region=region, event_at=event_at, received_at=received_at)
        return await player.rig.ledger.sight(seen)

    return play


async def answer(player: Player, operation: Operation) -> object:
    try:
        return await operation(player)
    except ScanhubError as error:
        return type(error)


async def shown(player: Player) -> object:
    """Everything that can be read, without the random tokens."""
    ledger = player.rig.ledger
    records = await ledger.look_up([player.key(code) for code in (OLD_CODE, NEW_CODE)])
    coverages = await ledger.coverage(player.key(OLD_CODE).function)
    items = [
        {name: value for name, value in item.items() if name not in {"leaseOwner", "teller"}}
        | {"leased": "leaseOwner" in item}
        for key, item in sorted((await player.rig.items()).items())
        if player.name in key.pk or key.sk.startswith(player.account)
    ]
    standing = await ledger.standings([player.key(OLD_CODE).function])
    sightings = [one async for one in ledger.sightings() if one.account == player.account]
    plain = {key: replace(one, lease=one.lease and replace(one.lease, owner="")) for key, one in records.items()}
    return plain, coverages, standing, sightings, items


NOTES = note_failure() | announce() | sight()
OPERATIONS = st.lists(
    claim() | claim() | with_lease() | with_lease() | record() | replaced() | mark_done() | NOTES, max_size=12
)


def test_both_ledgers_agree(aws: AioSession) -> None:
    """One client and one table serve all examples; each has a function of its own."""
    numbers = itertools.count()

    with asyncio.Runner() as runner:
        clients = AsyncExitStack()
        client = runner.run(clients.enter_async_context(aws.create_client("dynamodb", region_name=REGION)))
        runner.run(create_table(client))

        @given(OPERATIONS)
        @settings(max_examples=40, deadline=None)
        def agree(operations: list[Operation]) -> None:
            async def play() -> None:
                number = next(numbers)
                memory, dynamo = (
                    Player(rig, f"function-{number}-", f"21{number:010}") for rig in (MemoryRig(), DynamoRig(client))
                )
                for operation in operations:
                    assert await answer(memory, operation) == await answer(dynamo, operation)
                assert await shown(memory) == await shown(dynamo)

            runner.run(play())

        agree()
        runner.run(clients.aclose())
