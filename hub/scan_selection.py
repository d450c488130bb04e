"""Which functions somebody wants scanned: by name, by account, by tag."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub import scan_requests
from hub.coverage_report import Notes, Sightings, known_accounts
from hub.scan_requests import Standings
from hub.tagged_functions import Tag, Tags, find
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for.

    Attributes:
        named: Function by function.
        accounts: All functions that the ledger knows of these; with tags, where those are looked for.
        regions: Of accounts and tags, only there.
        tags: The functions with one of these.
    """

    named: tuple[FunctionArn, ...] = ()
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What that comes down to, each function once.

    Attributes:
        named: As in `Wanted`: they go before all others.
        many: The functions of accounts and tags that were not named besides.
        problems: What could not be looked through, in one line each.
    """

    named: tuple[FunctionArn, ...]
    many: tuple[FunctionArn, ...]
    problems: tuple[str, ...] = ()

    @property
    def everything(self) -> tuple[FunctionArn, ...]:
        """All of them."""
        return (*self.named, *self.many)


async def choose(
    wanted: Wanted,
    ledger: "Known",
    notes: Notes,
    member_accounts: Callable[[], Awaitable[Tags]],
    *,
    excluded: Collection[str] = (),
) -> Chosen:
    """The functions that are wanted.

    Args:
        wanted: What is asked for.
        ledger: The functions that are known.
        notes: The accounts that are known.
        member_accounts: The way into them; only tags need it.
        excluded: Accounts in which nothing is scanned; they need not let us in.

    Raises:
        Misconfigured: No function of an account is known.
        Throttled, Unavailable: The ledger does not answer, or the way into the accounts cannot be found now.
    """
    named = tuple(dict.fromkeys(wanted.named))
    if wanted.tags:
        accounts = wanted.accounts or sorted(await known_accounts(notes, ledger) - set(excluded))
        found = [await find(await member_accounts(), tag, accounts, wanted.regions) for tag in wanted.tags]
        many: Sequence[FunctionArn] = [function for one in found for function in one.functions]
        problems = tuple(dict.fromkeys(problem for one in found for problem in one.problems))
    else:
        many = [function for one in wanted.accounts for function in await _of_account(one, wanted, ledger)]
        problems = ()
    apart = tuple(one for one in dict.fromkeys(many) if one not in set(named))
    return Chosen(named=named, many=apart, problems=problems)


class Known(Standings, Sightings, Protocol):
    """Of the ledger, what is read here."""


async def _of_account(account: str, wanted: Wanted, ledger: Standings) -> Sequence[FunctionArn]:
    found = await scan_requests.of_account(ledger, account, wanted.regions)
    if not found:
        where = f" in {', '.join(wanted.regions)}" if wanted.regions else ""
        raise Misconfigured(
            f"no function of the account {account}{where} is known that could be scanned; look for them with: "
            f"scanhub sweep --accounts {account}"
        )
    return found
