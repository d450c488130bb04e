from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from hub.coverage import Coverage, CoverageState
from hub.scan_selection import Wanted, choose
from hub.service_notes import ObjectiveDay
from hub.sightings import Sighting
from hub.sweeps import AccountNote
from hub.tagged_functions import Tag
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured, NoAccess
from tests.ledger_samples import CHECKOUT, NOW, REFUNDS
from worker.memory.ledger import MemoryLedger

ORDERS = replace(CHECKOUT, name="orders")
FRANKFURT = CHECKOUT.region
OTHER = replace(CHECKOUT, region="eu-west-1", name="invoices")
CLOSED_TO_US = "999999999999"


@dataclass
class Notes:
    """The accounts that the register knows."""

    known: Sequence[str] = ()

    async def accounts(self) -> AsyncIterator[AccountNote]:
        for account in self.known:
            yield AccountNote(account=account, first_seen_at=NOW)

    async def objective(self) -> AsyncIterator[ObjectiveDay]:
        days: Sequence[ObjectiveDay] = ()
        for day in days:
            yield day


@dataclass
class Members:
    """Member accounts with tagged functions: by account, region and key."""

    tags: Mapping[tuple[str, str, str], Mapping[str, str]]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def regions(self, account: str) -> Sequence[str]:
        if account == CLOSED_TO_US:
            raise NoAccess("the role cannot be assumed")
        return [FRANKFURT, "us-east-1"]

    async def tagged(self, account: str, region: str, key: str) -> Mapping[str, str]:
        self.asked.append((account, region))
        return self.tags.get((account, region, key), {})


async def ledger(*functions: tuple[FunctionArn, CoverageState]) -> MemoryLedger:
    made = MemoryLedger()
    for function, state in functions:
        await made.record(Coverage(function=function, state=state, at=NOW, as_of=NOW))
    return made


async def nobody() -> Members:
    raise AssertionError("nobody asked for a tag")


async def test_an_account_is_all_that_is_to_be_scanned_in_it() -> None:
    known = await ledger(
        (CHECKOUT, CoverageState.COVERED),
        (ORDERS, CoverageState.GONE),
        (OTHER, CoverageState.FAILED),
        (REFUNDS, CoverageState.COVERED),
    )
    chosen = await choose(Wanted(accounts=(CHECKOUT.account,)), known, Notes(), nobody)
    assert (chosen.named, set(chosen.many), chosen.problems) == ((), {CHECKOUT, OTHER}, ())
    chosen = await choose(Wanted(accounts=(CHECKOUT.account,), regions=("eu-west-1",)), known, Notes(), nobody)
    assert chosen.many == (OTHER,)


async def test_what_is_named_comes_first_and_once() -> None:
    known = await ledger((CHECKOUT, CoverageState.COVERED), (ORDERS, CoverageState.COVERED))
    wanted = Wanted(named=(ORDERS, REFUNDS, ORDERS), accounts=(CHECKOUT.account,))
    chosen = await choose(wanted, known, Notes(), nobody)
    assert (chosen.named, chosen.many) == ((ORDERS, REFUNDS), (CHECKOUT,))
    assert chosen.everything == (ORDERS, REFUNDS, CHECKOUT)


@pytest.mark.parametrize(("regions", "where"), [((), ""), (("eu-west-1", "eu-west-2"), " in eu-west-1, eu-west-2")])
async def test_an_account_without_any_is_told_with_what_helps(regions: tuple[str, ...], where: str) -> None:
    known = await ledger((CHECKOUT, CoverageState.COVERED))
    account = CHECKOUT.account if regions else REFUNDS.account
    with pytest.raises(Misconfigured) as refused:
        await choose(Wanted(accounts=(account,), regions=regions), known, Notes(), nobody)
    assert f"no function of the account {account}{where} is known" in refused.value.text
    assert f"scanhub sweep --accounts {account}" in refused.value.text


async def test_tags_are_looked_for_in_every_account_but_those_that_are_excluded() -> None:
    known = await ledger((CHECKOUT, CoverageState.COVERED))
    await known.sight(Sighting(account=REFUNDS.account, region="us-east-1", event_at=NOW, received_at=NOW))
    members = Members(
        {
            (CHECKOUT.account, FRANKFURT, "team"): {"checkout-api": "orders", "orders": "payments"},
            (REFUNDS.account, "us-east-1", "team"): {"refunds_worker": "payments"},
            (REFUNDS.account, "us-east-1", "tier"): {"refunds_worker": "1", "ledger": ""},
        }
    )

    async def enter() -> Members:
        return members

    notes = Notes([CHECKOUT.account, CLOSED_TO_US, "888888888888"])
    wanted = Wanted(tags=(Tag.parse("team=payments"), Tag.parse("tier")))
    chosen = await choose(wanted, known, notes, enter, excluded=["888888888888"])
    assert set(chosen.many) == {ORDERS, REFUNDS, replace(REFUNDS, name="ledger")}
    assert len(chosen.many) == 3
    assert chosen.problems == (f"{CLOSED_TO_US}: the role cannot be assumed",)
    assert "888888888888" not in {account for account, _ in members.asked}


async def test_with_accounts_tags_are_looked_for_there_alone() -> None:
    members = Members({(CHECKOUT.account, FRANKFURT, "team"): {"orders": "payments"}})

    async def enter() -> Members:
        return members

    wanted = Wanted(accounts=(CHECKOUT.account,), regions=(FRANKFURT,), tags=(Tag.parse("team"),))
    chosen = await choose(wanted, await ledger(), Notes([REFUNDS.account]), enter)
    assert (chosen.many, members.asked) == ((ORDERS,), [(CHECKOUT.account, FRANKFURT)])


@pytest.mark.parametrize("text", ["team", "team=", "team=payments", "a=b=c"])
def test_a_tag_is_written_as_it_was_read(text: str) -> None:
    assert str(Tag.parse(text)) == text
