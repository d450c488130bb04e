"""What the register tells: the pause, the last sweep, and what it left out. Each fault by its own check."""

from datetime import timedelta

import pytest

from hub.diagnosis import Check, Verdict
from hub.inquiry import answered
from hub.service_notes import Pause
from hub.sweeps import AccountClaimed, AccountOutcome, RegionOutcome, SweepCounts, SweepRun, SweepScope
from infra.doctor.inside import service_notes
from spoke.errors import NoAccess
from worker.memory.clock import ManualClock
from worker.memory.register import MemoryRegister

WHOLE = SweepScope(profile_id="35a321688970")
SOME = SweepScope(accounts=("210000000001",), profile_id="35a321688970")
DENIED = "assuming the role arn:aws:iam::210000000003:role/scanhub-spoke: AccessDenied"
SHUT = AccountOutcome(problem=DENIED, counts=SweepCounts(accounts=1, failed=1))
FINE = AccountOutcome(regions={"eu-central-1": RegionOutcome(functions=40)}, counts=SweepCounts(accounts=1))
SILENT = AccountOutcome(
    regions={
        "eu-central-1": RegionOutcome(functions=40),
        "us-east-1": RegionOutcome(problem="no page for 5 minutes"),
    }
)


class Service:
    """A register in which sweeps are written down as the sweep does it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.register = MemoryRegister(self.clock)

    async def begin(self, scope: SweepScope = WHOLE, accounts: int = 2) -> SweepRun:
        run = await self.register.begin_sweep(scope, now=self.clock.now(), adopt_within=timedelta(hours=36))
        await self.register.note_sweep(run, SweepCounts(accounts=1), accounts=accounts, now=self.clock.now())
        return run

    async def sweep(self, outcomes: dict[str, AccountOutcome], scope: SweepScope = WHOLE) -> SweepRun:
        run = await self.begin(scope, len(outcomes))
        for account, outcome in outcomes.items():
            claim = await self.register.claim_account(run, account, now=self.clock.now(), duration=timedelta(minutes=5))
            assert isinstance(claim, AccountClaimed)
            await self.register.complete_account(claim, outcome, now=self.clock.now())
        self.clock.advance(timedelta(hours=1))
        counts = SweepCounts(accounts=len(outcomes), functions=80)
        await self.register.finish_sweep(run, counts, accounts=len(outcomes), now=self.clock.now())
        return run

    async def checks(self) -> dict[str, Check]:
        asked = list(service_notes.inquiries(self.register, "scanhub-ledger", now=self.clock.now()))
        assert [one.kind for one in asked] == list(service_notes.KINDS)
        return {one.kind.name: await answered(one) for one in asked}

    async def not_well(self) -> dict[str, Check]:
        return {name: check for name, check in (await self.checks()).items() if check.verdict is not Verdict.OK}


async def test_a_service_that_was_swept_whole_and_takes_work() -> None:
    service = Service()
    run = await service.sweep({"210000000001": FINE, "210000000002": FINE})
    service.clock.advance(timedelta(days=2))
    found = await service.checks()
    assert {check.verdict for check in found.values()} == {Verdict.OK}
    assert found["last-sweep"].reason == (f"{run.id} finished at 2026-01-01 01:00 UTC: 80 functions in 2 accounts")
    assert found["swept-accounts"].reason == "all of 2 accounts, in all their regions"


@pytest.mark.parametrize(("reason", "told"), [("maintenance", ": maintenance"), ("", "")])
async def test_who_has_paused_it_and_since_when(reason: str, told: str) -> None:
    service = Service()
    await service.sweep({"210000000001": FINE})
    who = "arn:aws:sts::123456789012:assumed-role/oncall/ada"
    await service.register.pause(Pause(by=who, reason=reason, at=service.clock.now()))
    [(name, check)] = (await service.not_well()).items()
    assert (name, check.verdict) == ("pause", Verdict.WARNING)
    assert check.reason == f"paused since 2026-01-01 01:00 UTC by {who}{told}"
    assert "scanhub resume" in check.fix
    await service.register.resume()
    assert await service.not_well() == {}


async def test_a_sweep_that_is_overdue() -> None:
    service = Service()
    run = await service.sweep({"210000000001": FINE})
    service.clock.advance(timedelta(days=2, seconds=1))
    [(name, check)] = (await service.not_well()).items()
    assert (name, check.verdict) == ("last-sweep", Verdict.WARNING)
    assert check.reason.startswith(f"{run.id} finished at 2026-01-01 01:00 UTC")
    assert check.reason.endswith("1 accounts")
    assert "scanhub sweep --in-hub --wait" in check.fix
    begun = await service.begin(accounts=7)
    [check] = (await service.not_well()).values()
    assert check.reason.endswith(f"; {begun.id} has begun, and has gone over 1 of 7 accounts")


async def test_an_older_run_that_nobody_finished_is_not_under_way() -> None:
    service = Service()
    await service.begin(SweepScope(profile_id="another"))
    service.clock.advance(timedelta(hours=1))
    await service.sweep({"210000000001": FINE})
    service.clock.advance(timedelta(days=3))
    [check] = (await service.not_well()).values()
    assert "has begun" not in check.reason


async def test_a_hub_that_was_never_swept_whole() -> None:
    service = Service()
    [(name, check)] = (await service.not_well()).items()
    assert (name, check.reason) == ("last-sweep", "none has finished in the last 90 days")
    # One account is not the organization, and what has begun is not done.
    await service.sweep({"210000000001": FINE}, SOME)
    [check] = (await service.not_well()).values()
    assert check.reason == "none has finished in the last 90 days"
    begun = await service.begin()
    [check] = (await service.not_well()).values()
    assert check.reason == (
        f"none has finished in the last 90 days; {begun.id} has begun, and has gone over 1 of 2 accounts"
    )


async def test_accounts_that_the_last_sweep_could_not_go_over() -> None:
    service = Service()
    shut = {f"2100000000{number}": SHUT for number in range(10, 17)}
    await service.sweep({"210000000001": FINE, "210000000002": SILENT, **shut})
    [(name, check)] = (await service.not_well()).items()
    assert (name, check.verdict) == ("swept-accounts", Verdict.WARNING)
    named = ", ".join(list(shut)[:5])
    assert check.reason == (
        f"7 of 9 accounts could not be entered ({named} and 2 more); "
        "1 regions could not be listed to their end (210000000002 us-east-1)"
    )
    assert check.evidence[0] == f"210000000010: {DENIED}"
    assert check.evidence[-1] == "210000000002 us-east-1: no page for 5 minutes"


async def test_an_account_that_is_not_swept_any_more_is_no_news() -> None:
    service = Service()
    await service.sweep({"210000000001": FINE, "210000000003": SHUT})
    assert set(await service.not_well()) == {"swept-accounts"}
    service.clock.advance(timedelta(hours=1))
    await service.sweep({"210000000001": FINE})
    assert await service.not_well() == {}


async def test_one_that_a_sweep_of_it_alone_has_found_shut_since() -> None:
    service = Service()
    await service.sweep({"210000000001": FINE, "210000000002": FINE})
    await service.sweep({"210000000001": SHUT}, SOME)
    check = (await service.not_well())["swept-accounts"]
    assert "1 of 2 accounts could not be entered (210000000001)" in check.reason


@pytest.mark.parametrize("call", ["paused", "sweeps", "accounts"])
async def test_a_register_that_cannot_be_read_leaves_the_question_open(call: str) -> None:
    service = Service()
    await service.sweep({"210000000001": FINE})

    async def refuse(operation: str, *, after: bool) -> None:
        if operation == call and not after:
            raise NoAccess("querying the table scanhub-ledger: AccessDeniedException")

    service.register.on_call = refuse
    found = await service.not_well()
    assert {check.verdict for check in found.values()} == {Verdict.UNKNOWN}
    assert (
        set(found)
        == {
            "paused": {"pause"},
            "sweeps": {"last-sweep", "swept-accounts"},
            "accounts": {"swept-accounts"},
        }[call]
    )
    assert all("AccessDeniedException" in check.reason for check in found.values())
