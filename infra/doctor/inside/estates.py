"""What a sweep stands on: which accounts there are, and whether each lets it ask for regions and tags."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from hub.diagnosis import Check, Kind, Verdict
from hub.settings import Settings
from infra.doctor.inside import refusals
from infra.doctor.inside.accounts import AT_ONCE, PATIENCE, Look, refused
from spoke.errors import NoAccess

ROSTER = Kind(
    name="sweep-roster",
    group="sweep",
    asks="can a sweep learn which accounts there are, from AWS Organizations or from a file?",
    wrong="Each sweep of the organization ends at once.",
    fix="let the hub's account ask (docs/sweep.md#the-accounts), or name a file: SCANHUB_ACCOUNTS_FILE",
)
SWEEP = Kind(
    name="account-sweep",
    group="accounts",
    asks="does the account's role let a sweep ask for its regions and for tags?",
    wrong="Without its regions a sweep leaves the account out; without tags, functions excluded by one are queued, and "
    "only the worker sees it.",
    fix="run `scanhub rollout spokes`: it puts the role's policy back",
)
KINDS = (ROSTER, SWEEP)


class Estate(Protocol):
    """Of the member accounts, what is asked; see `hub.sweep.ports.Estate`. `account-read` asks for functions."""

    async def regions(self, account: str) -> Sequence[str]:
        """The regions that the account has enabled."""
        ...

    async def tagged(self, account: str, region: str, key: str) -> Mapping[str, str]:
        """The functions that carry a tag of this key."""
        ...


async def look(
    looks: Iterable[Look],
    *,
    estate: Estate,
    settings: Settings,
    region: str,
    at_once: int = AT_ONCE,
    patience: float = PATIENCE,
) -> tuple[Check, ...]:
    """The accounts that let the worker in, several at once; one that hangs delays no other.

    Args:
        looks: What is known of the accounts.
        estate: As a sweep has it.
        settings: For the tag, and for the regions, which then nobody asks for.
        region: The hub's: where tags are asked for if no region of the account could be read.
        at_once: How many accounts at once.
        patience: Seconds for each of both questions.
    """
    free = asyncio.Semaphore(at_once)

    async def one(of: Look) -> Check:
        where = min((name for name, is_there in sorted(of.functions.items()) if is_there), default=None)
        where = where or min(of.functions, default=region)
        async with free:
            return await _look_at(of.account, where, estate=estate, settings=settings, patience=patience)

    entered = [of for of in looks if of.checks[0].verdict is Verdict.OK]  # the first is of its role
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(of)) for of in entered]
    return tuple(task.result() for task in tasks)


async def _look_at(account: str, region: str, *, estate: Estate, settings: Settings, patience: float) -> Check:
    try:
        async with asyncio.timeout(patience):
            regions = settings.sweep_regions or await estate.regions(account)
        async with asyncio.timeout(patience):
            tags = await _tags(account, region, estate, settings)
    except Exception as error:  # noqa: BLE001  # whatever one account does, the others are asked too
        return refused(SWEEP, account, error, patience)
    if isinstance(tags, Check):
        return tags
    named = "regions are named" if settings.sweep_regions else "regions"
    excluded = f"in {region} {len(tags)} functions with the tag {settings.exclusion_tag}"
    return SWEEP.ok(account, f"{len(regions)} {named}; {excluded}")


async def _tags(account: str, region: str, estate: Estate, settings: Settings) -> Mapping[str, str] | Check:
    try:
        return await estate.tagged(account, region, settings.exclusion_tag)
    except NoAccess as error:
        # Without them a sweep goes on.
        refusal = refusals.read(error.text)
        means, fix = (f"{refusal.means}: ", refusal.fix) if refusal is not None else ("", None)
        return SWEEP.warning(account, f"tags may not be asked for: {means}{error.text}", fix=fix)
