"""Each account: does its role let the worker in, and can it read functions in each region?"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.diagnosis import Check, Kind
from infra.doctor.inside import refusals
from spoke.credentials import SessionCredentials
from spoke.errors import Misconfigured, ScanhubError

GROUP = "accounts"
AT_ONCE = 16
"""Accounts at once: a thousand take a minute, and STS's rate is left to the worker."""
PATIENCE = 20.0
"""Seconds for one account's role, and for each of its regions."""

ROLE = Kind(
    name="account-role",
    group=GROUP,
    asks="does the account's spoke role let the worker in?",
    wrong="Its functions are in the state NO_ACCESS; nothing there is scanned.",
    fix="see `spoke-stacks` for this account, then run `scanhub rollout spokes`",
)
READ = Kind(
    name="account-read",
    group=GROUP,
    asks="can the worker list functions there by that role?",
    wrong="Functions of this account and region are in the state NO_ACCESS; nothing there is scanned.",
    fix="run `scanhub rollout spokes`: it puts the role's policy back",
)
KINDS = (ROLE, READ)


class Entrance(Protocol):
    """`spoke.roles.Roles`, as far as it is needed here."""

    async def worker_session(self, account: str, partition: str = "aws") -> SessionCredentials:
        """A session in the account."""
        ...


Reader = Callable[[str, SessionCredentials], Awaitable[bool]]
"""Whether there is a function in a region, read with a session."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one account.

    Attributes:
        account: Twelve digits.
        checks: Of its role, then of its regions.
        functions: By region that could be read, whether there are functions.
    """

    account: str
    checks: tuple[Check, ...]
    functions: dict[str, bool]


async def look(
    accounts: Sequence[str],
    regions: Sequence[str],
    *,
    roles: Entrance,
    read: Reader,
    partition: str = "aws",
    at_once: int = AT_ONCE,
    patience: float = PATIENCE,
) -> tuple[Look, ...]:
    """All accounts, several at once; one that hangs delays no other.

    Args:
        accounts: Twelve digits each.
        regions: Those that matter, the same for each account.
        roles: Gives a session.
        read: Reads with it.
        partition: Of all of them.
        at_once: How many accounts at once.
        patience: Seconds for a role and for each region.
    """
    free = asyncio.Semaphore(at_once)

    async def one(account: str) -> Look:
        async with free:
            return await _look_at(account, regions, roles=roles, read=read, partition=partition, patience=patience)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(account)) for account in accounts]
    return tuple(task.result() for task in tasks)


async def _look_at(
    account: str, regions: Sequence[str], *, roles: Entrance, read: Reader, partition: str, patience: float
) -> Look:
    try:
        async with asyncio.timeout(patience):
            session = await roles.worker_session(account, partition)
    except Exception as error:  # noqa: BLE001  # whatever one account does, the others are asked too
        return Look(account, (refused(ROLE, account, error, patience),), {})
    functions: dict[str, bool] = {}

    async def one(region: str) -> Check:
        subject = f"{account} {region}"
        try:
            async with asyncio.timeout(patience):
                functions[region] = await read(region, session)
        except Exception as error:  # noqa: BLE001  # as above
            return refused(READ, subject, error, patience)
        return READ.ok(subject, "functions can be listed" if functions[region] else "readable; there are no functions")

    checks = await asyncio.gather(*(one(region) for region in regions))
    return Look(account, (ROLE.ok(account, "the worker gets in"), *checks), functions)


def refused(kind: Kind, subject: str, error: Exception, patience: float) -> Check:
    """What an account's refusal, silence or odd answer means.

    Args:
        kind: Of the check.
        subject: The account, and its region.
        error: What was raised.
        patience: Seconds that it had.
    """
    if isinstance(error, TimeoutError):
        return kind.failed(subject, f"no answer within {patience:g} s")
    if not isinstance(error, ScanhubError):
        return kind.unknown(subject, f"the check itself failed: {type(error).__name__}: {error}")
    refusal = refusals.read(error.text)
    if refusal is refusals.NOT_ENABLED and kind is ROLE:
        # Refused before any account was asked: these are the hub's own credentials.
        return kind.failed(
            subject, error.text, fix="give the worker's task its role again: its own credentials are refused"
        )
    if refusal is None:
        fix = "give the worker's task its role again" if isinstance(error, Misconfigured) else None
        return kind.failed(subject, error.text, fix=fix)
    return kind.failed(subject, f"{refusal.means}: {error.text}", fix=refusal.fix)
