"""Accounts that are not active any more, and what is known of their functions."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest

from hub.coverage import CoverageState
from hub.sweeps import SweepScope
from tests.hub.sweep.rig import (
    REGIONS,
    SCOPE,
    Rig,
    account,
    covered,
    function,
    snapshot,
)
from tests.virtual_time import run


def fill(rig: Rig, *, accounts: int, regions: Sequence[str] = REGIONS, functions: int) -> list[str]:
    """Accounts with functions in every region; returns the accounts."""
    for one, region, number in itertools.product(range(accounts), regions, range(functions)):
        rig.has(function(f"function-{number:04}", account=account(one), region=region))
    return [account(one) for one in range(accounts)]


class TestClosedAccounts:
    async def known(self, rig: Rig) -> list[str]:
        accounts = fill(rig, accounts=2, regions=("eu-central-1",), functions=2)
        closed = function("payments", account=account(77))
        await rig.knows(covered(snapshot(closed)))
        await rig.register.know_account(closed.account, now=rig.clock.now())
        return accounts

    @pytest.mark.parametrize(
        ("scope", "is_organization", "state"),
        [
            (SCOPE, True, CoverageState.GONE),
            (SCOPE, False, CoverageState.COVERED),
            (replace(SCOPE, regions=("eu-central-1",)), True, CoverageState.COVERED),
            (replace(SCOPE, ous=("ou-ab12-34567890",)), True, CoverageState.COVERED),
        ],
        ids=["the organization", "a file", "some regions", "a unit"],
    )
    def test_functions_of_an_account_that_was_closed_are_gone_only_by_the_organizations_word(
        self, scope: SweepScope, is_organization: bool, state: CoverageState
    ) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = await self.known(rig)
            report = await rig.sweep(accounts, scope=scope, is_organization=is_organization)
            known = await rig.coverage(function("payments", account=account(77)))
            assert known.state is state
            assert report.counts.gone == (state is CoverageState.GONE)
            assert len(report.accounts) == 2

        run(main())

    def test_an_organization_without_accounts_is_not_believed(self) -> None:
        async def main() -> None:
            rig = Rig()
            await self.known(rig)
            report = await rig.sweep((), is_organization=True)
            assert report.counts.gone == 0
            known = await rig.coverage(function("payments", account=account(77)))
            assert known.state is CoverageState.COVERED

        run(main())

    def test_in_a_dry_run_they_are_counted_only(self) -> None:
        async def main() -> None:
            rig = Rig()
            accounts = await self.known(rig)
            report = await rig.sweep(accounts, is_organization=True, dry_run=True)
            assert report.counts.gone == 1
            assert (await rig.coverage(function("payments", account=account(77)))).state is CoverageState.COVERED

        run(main())
