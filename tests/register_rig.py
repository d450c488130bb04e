"""Two processes' registers on one table, in memory or in moto's DynamoDB, and a look at the items from outside."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from hub.ledger_schema import Key
from hub.ledger_wire import plain, wire_item
from hub.register import DynamoRegister
from hub.sweep.ports import SweepRegister
from hub.sweeps import AccountClaimed, AccountOutcome, RegionOutcome, SweepCounts, SweepRun, SweepScope
from tests.ledger_rig import TABLE
from tests.ledger_samples import NOW, PROFILE
from worker.memory.clock import ManualClock
from worker.memory.register import MemoryRegister
from worker.ports import Register

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient

PAYMENTS = "210987654321"
LOGISTICS = "310987654322"
CLAIM = timedelta(minutes=5)
DAY = timedelta(days=1)

WHOLE = SweepScope(profile_id=PROFILE.id)
NARROW = SweepScope(accounts=(PAYMENTS,), profile_id=PROFILE.id)

OUTCOME = AccountOutcome(
    regions={
        "eu-central-1": RegionOutcome(functions=412),
        "us-east-1": RegionOutcome(problem="the role may not list the functions"),
    },
    counts=SweepCounts(
        accounts=1,
        functions=412,
        fresh=380,
        waiting=2,
        excluded=9,
        queued={"changed": 3, "missing": 18},
        gone=4,
        failed=1,
        calls=25,
    ),
)


class BothPorts(Register, SweepRegister, Protocol):
    async def paused(self) -> Any: ...  # noqa: ANN401  # both ports have it


class RegisterRig(Protocol):
    clock: ManualClock
    register: BothPorts
    other: BothPorts

    async def put(self, item: Mapping[str, Any]) -> None: ...

    async def items(self) -> dict[Key, dict[str, Any]]: ...


class MemoryRegisterRig:
    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self._memory = MemoryRegister(self.clock)
        self.register: BothPorts = self._memory
        self.other: BothPorts = MemoryRegister(self.clock, beside=self._memory)

    async def put(self, item: Mapping[str, Any]) -> None:
        self._memory.items[Key(item["pk"], item["sk"])] = dict(item)

    async def items(self) -> dict[Key, dict[str, Any]]:
        return dict(self._memory.items)


class DynamoRegisterRig:
    def __init__(self, client: "DynamoDBClient") -> None:
        self._client = client
        self.clock = ManualClock(NOW)
        self.register: BothPorts = DynamoRegister(client, TABLE, self.clock)
        self.other: BothPorts = DynamoRegister(client, TABLE, self.clock)

    async def put(self, item: Mapping[str, Any]) -> None:
        await self._client.put_item(TableName=TABLE, Item=wire_item(item))

    async def items(self) -> dict[Key, dict[str, Any]]:
        found = [dict(plain(item)) for item in (await self._client.scan(TableName=TABLE))["Items"]]
        return {Key(item["pk"], item["sk"]): item for item in found}


async def begun(rig: RegisterRig, scope: SweepScope = WHOLE) -> SweepRun:
    """The run of the scope that is under way, by the rig's clock."""
    return await rig.register.begin_sweep(scope, now=rig.clock.now(), adopt_within=DAY)


async def claimed(rig: RegisterRig, run: SweepRun, account: str = PAYMENTS) -> AccountClaimed:
    """The claim, which is granted."""
    claim = await rig.register.claim_account(run, account, now=rig.clock.now(), duration=CLAIM)
    assert isinstance(claim, AccountClaimed), claim
    return claim


async def swept(rig: RegisterRig, run: SweepRun, account: str = PAYMENTS) -> None:
    """The account is gone over to its end for this run."""
    await rig.register.complete_account(await claimed(rig, run, account), OUTCOME, now=rig.clock.now())
