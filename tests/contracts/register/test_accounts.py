"""Which accounts are known, and which process sweeps them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.ledger_schema import Key
from hub.scans import CLOCK_SKEW
from hub.sweeps import AccountClaimed, AccountDone, AccountHeld, AccountNote, AccountOutcome, SweepRun, SweepScope
from spoke.errors import LeaseLost, Misconfigured
from tests.ledger_samples import HOUR, MINUTE, NOW, SECOND
from tests.register_rig import (
    CLAIM,
    DAY,
    LOGISTICS,
    NARROW,
    OUTCOME,
    PAYMENTS,
    WHOLE,
    RegisterRig,
    begun,
    claimed,
    swept,
)

MILLISECOND = timedelta(milliseconds=1)


async def known(rig: RegisterRig) -> list[AccountNote]:
    return [one async for one in rig.register.accounts()]


async def anew(rig: RegisterRig, run: SweepRun, scope: SweepScope = WHOLE) -> SweepRun:
    """The scope's next run, a minute after this one was finished."""
    await rig.register.finish_sweep(run, OUTCOME.counts, accounts=1, now=rig.clock.now())
    rig.clock.advance(MINUTE)
    return await begun(rig, scope)


class TestKnown:
    async def test_an_account_is_known_since_it_was_first_seen(self, rig: RegisterRig) -> None:
        await rig.register.know_account(LOGISTICS, now=NOW)
        await rig.register.know_account(PAYMENTS, now=NOW + HOUR)
        await rig.other.know_account(LOGISTICS, now=NOW + DAY)
        assert await known(rig) == [
            AccountNote(account=PAYMENTS, first_seen_at=NOW + HOUR),
            AccountNote(account=LOGISTICS, first_seen_at=NOW),
        ]

    async def test_a_claim_makes_its_account_known(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        rig.clock.advance(MINUTE)
        await claimed(rig, run)
        assert await known(rig) == [AccountNote(account=PAYMENTS, first_seen_at=NOW + MINUTE)]

    async def test_what_was_found_comes_back_whole(self, rig: RegisterRig) -> None:
        await rig.register.know_account(PAYMENTS, now=NOW - DAY)
        run = await begun(rig)
        claim = await claimed(rig, run)
        await rig.register.complete_account(claim, OUTCOME, now=NOW + MINUTE)
        (note,) = await known(rig)
        assert note == AccountNote(
            account=PAYMENTS,
            first_seen_at=NOW - DAY,
            swept_at=NOW + MINUTE,
            sweep_id=run.id,
            sweep_scope_id=WHOLE.id,
            outcome=OUTCOME,
        )

    async def test_what_the_sweep_before_found_stays_while_the_next_is_at_it(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        await swept(rig, run)
        claim = await claimed(rig, await anew(rig, run))
        assert [one.outcome for one in await known(rig)] == [OUTCOME]
        refused = AccountOutcome(problem="the role cannot be assumed")
        await rig.register.complete_account(claim, refused, now=rig.clock.now())
        assert [one.outcome for one in await known(rig)] == [refused]


class TestClaims:
    async def test_two_claims_at_once_yield_exactly_one(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        claims = await asyncio.gather(
            *(one.claim_account(run, PAYMENTS, now=NOW, duration=CLAIM) for one in (rig.register, rig.other) * 3)
        )
        (won,) = [claim for claim in claims if isinstance(claim, AccountClaimed)]
        held = AccountHeld(account=PAYMENTS, until=won.expires_at + CLOCK_SKEW)
        assert [claim for claim in claims if claim != won] == [held] * 5

    async def test_each_account_has_a_claim_of_its_own(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        first, second = await claimed(rig, run), await claimed(rig, run, LOGISTICS)
        assert (first.account, second.account) == (PAYMENTS, LOGISTICS)
        assert first.owner != second.owner

    async def test_a_run_of_another_scope_waits_too(self, rig: RegisterRig) -> None:
        claim = await claimed(rig, await begun(rig))
        narrow = await begun(rig, NARROW)
        assert await rig.other.claim_account(narrow, PAYMENTS, now=NOW, duration=CLAIM) == AccountHeld(
            account=PAYMENTS, until=claim.expires_at + CLOCK_SKEW
        )

    async def test_the_claim_of_a_process_that_died_is_free_ten_seconds_after_its_end(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        dead = await claimed(rig, run)
        rig.clock.advance(CLAIM + CLOCK_SKEW - MILLISECOND)
        held = await rig.other.claim_account(run, PAYMENTS, now=rig.clock.now(), duration=CLAIM)
        assert isinstance(held, AccountHeld)
        rig.clock.advance(MILLISECOND)
        assert (await claimed(rig, run)).owner != dead.owner

    async def test_a_claim_that_is_renewed_goes_on(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        claim = await claimed(rig, run)
        longer = await rig.register.renew_account(claim, now=NOW + 4 * MINUTE, duration=CLAIM)
        assert longer == replace(claim, expires_at=NOW + 9 * MINUTE)
        assert await rig.other.claim_account(run, PAYMENTS, now=NOW + 6 * MINUTE, duration=CLAIM) == AccountHeld(
            account=PAYMENTS, until=NOW + 9 * MINUTE + CLOCK_SKEW
        )

    async def test_a_claim_that_ended_but_that_nobody_took_is_still_ours(self, rig: RegisterRig) -> None:
        claim = await claimed(rig, await begun(rig))
        late = await rig.register.renew_account(claim, now=NOW + HOUR, duration=CLAIM)
        await rig.register.complete_account(late, OUTCOME, now=NOW + HOUR)
        assert [one.outcome for one in await known(rig)] == [OUTCOME]

    async def test_who_was_taken_over_cannot_renew_complete_or_release(self, rig: RegisterRig) -> None:
        """It stalled for longer than its claim; another process, of another run, has gone on with the account."""
        stalled = await claimed(rig, await begun(rig))
        rig.clock.advance(CLAIM + CLOCK_SKEW)
        taken = await claimed(rig, await begun(rig, NARROW))
        before = await rig.items()
        with pytest.raises(LeaseLost, match=PAYMENTS):
            await rig.other.renew_account(stalled, now=rig.clock.now(), duration=CLAIM)
        await rig.other.complete_account(stalled, AccountOutcome(problem="hangs"), now=rig.clock.now())
        await rig.other.release_account(stalled)
        assert await rig.items() == before
        await rig.register.complete_account(taken, OUTCOME, now=rig.clock.now())
        assert [one.outcome for one in await known(rig)] == [OUTCOME]

    async def test_an_account_that_was_given_up_is_free_and_not_done(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        claim = await claimed(rig, run)
        await rig.register.release_account(claim)
        assert [one.swept_at for one in await known(rig)] == [None]
        await claimed(rig, run)
        with pytest.raises(LeaseLost):
            await rig.register.renew_account(claim, now=NOW, duration=CLAIM)

    async def test_a_claim_is_kept_in_whole_milliseconds(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        claim = await rig.register.claim_account(run, PAYMENTS, now=NOW + timedelta(microseconds=999), duration=CLAIM)
        assert isinstance(claim, AccountClaimed)
        assert claim.expires_at == NOW + CLAIM


class TestDone:
    async def test_a_run_does_no_account_twice(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        await swept(rig, run)
        rig.clock.advance(HOUR)
        for register in (rig.register, rig.other):
            claim = await register.claim_account(run, PAYMENTS, now=rig.clock.now(), duration=CLAIM)
            assert claim == AccountDone(account=PAYMENTS, outcome=OUTCOME)

    async def test_a_clock_that_is_behind_cannot_undo_what_is_done(self, rig: RegisterRig) -> None:
        """Another process joined the run, and its clock is eight seconds slow."""
        run = await begun(rig)
        behind = NOW - 8 * SECOND
        claim = await rig.other.claim_account(run, PAYMENTS, now=behind, duration=CLAIM)
        assert isinstance(claim, AccountClaimed)
        await rig.other.complete_account(claim, OUTCOME, now=behind + SECOND)
        assert isinstance(await rig.register.claim_account(run, PAYMENTS, now=NOW, duration=CLAIM), AccountDone)
        assert [one.swept_at for one in await known(rig)] == [run.started_at]

    async def test_the_next_run_does_it_again(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        await swept(rig, run)
        await claimed(rig, await anew(rig, run))

    async def test_an_older_run_leaves_to_the_newer_what_that_has_done(self, rig: RegisterRig) -> None:
        """It was interrupted; a day later a new run began, and then the old process woke up."""
        old = await begun(rig)
        rig.clock.advance(DAY + MINUTE)
        new = await begun(rig)
        assert new.id != old.id
        await swept(rig, new)
        claim = await rig.other.claim_account(old, PAYMENTS, now=rig.clock.now(), duration=CLAIM)
        assert claim == AccountDone(account=PAYMENTS, outcome=OUTCOME)

    async def test_a_narrow_run_leaves_to_one_of_everything_what_that_has_done_since(self, rig: RegisterRig) -> None:
        narrow = await begun(rig, NARROW)
        rig.clock.advance(MINUTE)
        await swept(rig, await begun(rig))
        claim = await rig.other.claim_account(narrow, PAYMENTS, now=rig.clock.now(), duration=CLAIM)
        assert claim == AccountDone(account=PAYMENTS, outcome=OUTCOME)

    async def test_a_run_of_everything_that_began_before_is_not_enough(self, rig: RegisterRig) -> None:
        whole = await begun(rig)
        rig.clock.advance(MINUTE)
        narrow = await begun(rig, NARROW)
        await swept(rig, whole)
        await claimed(rig, narrow)

    @pytest.mark.parametrize(
        "whole",
        [SweepScope(profile_id="000000000000"), replace(WHOLE, exclude=("legacy-*",))],
        ids=["another profile", "more exclusions"],
    )
    async def test_a_run_of_everything_that_looked_for_something_else_is_not_enough(
        self, rig: RegisterRig, whole: SweepScope
    ) -> None:
        narrow = await begun(rig, NARROW)
        rig.clock.advance(MINUTE)
        await swept(rig, await begun(rig, whole))
        await claimed(rig, narrow)

    async def test_a_narrow_run_is_not_enough_for_one_of_everything(self, rig: RegisterRig) -> None:
        whole = await begun(rig)
        rig.clock.advance(MINUTE)
        await swept(rig, await begun(rig, replace(NARROW, regions=("eu-central-1",))))
        await claimed(rig, whole)

    async def test_a_run_that_nobody_says_the_whole_of_is_claimed_all_the_same(self, rig: RegisterRig) -> None:
        run = replace(await begun(rig, NARROW), whole_scope_id="")
        rig.clock.advance(MINUTE)
        await swept(rig, await begun(rig))
        await claimed(rig, run)

    async def test_processes_that_claim_at_once_divide_the_accounts(self, rig: RegisterRig) -> None:
        run = await begun(rig)
        accounts = [f"{number:012}" for number in range(20)]
        done: list[str] = []

        async def process(register_of: RegisterRig, order: list[str]) -> None:
            register = register_of.register
            for account in order:
                claim = await register.claim_account(run, account, now=NOW, duration=CLAIM)
                if isinstance(claim, AccountClaimed):
                    done.append(account)
                    await register.complete_account(claim, OUTCOME, now=NOW + MINUTE)

        await asyncio.gather(process(rig, accounts), process(rig, accounts), process(rig, accounts[::-1]))
        assert sorted(done) == accounts


async def test_what_a_newer_version_wrote_is_refused_and_left_alone(rig: RegisterRig) -> None:
    run = await begun(rig)
    await rig.put({"pk": "accounts", "sk": PAYMENTS, "schema": 2, "firstSeenAt": 1})
    before = await rig.items()
    for attempt in (
        rig.register.know_account(PAYMENTS, now=NOW),
        rig.register.claim_account(run, PAYMENTS, now=NOW, duration=CLAIM),
        known(rig),
    ):
        with pytest.raises(Misconfigured, match="accounts 210987654321 has schema 2"):
            await attempt
    assert await rig.items() == before


async def test_the_item_is_that_of_the_reference(rig: RegisterRig) -> None:
    run = await begun(rig)
    claim = await claimed(rig, run)
    item = (await rig.items())[Key("accounts", PAYMENTS)]
    assert item == {
        "pk": "accounts",
        "sk": PAYMENTS,
        "schema": 1,
        "firstSeenAt": 1795253415250,
        "claimOwner": claim.owner,
        "claimRunId": run.id,
        "claimExpiresAt": 1795253715250,
    }
    await rig.register.complete_account(claim, OUTCOME, now=NOW + MINUTE)
    item = (await rig.items())[Key("accounts", PAYMENTS)]
    assert item.keys() == {
        "pk",
        "sk",
        "schema",
        "firstSeenAt",
        "sweptAt",
        "sweepId",
        "sweepScopeId",
        "sweepStartedAt",
        "outcome",
    }
