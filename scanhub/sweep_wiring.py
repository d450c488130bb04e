"""A sweep, put together from the settings."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from hub.message import Source
from hub.profile_in_force import profile_in_force
from hub.qualys import QualysCredentials
from hub.redaction import Redactor
from hub.scans import ScanProfile
from hub.settings import Settings
from hub.sweep.course import SweepWorld
from hub.sweep.progress import SweepObserver
from hub.sweep.sweep import Sweep
from infra import roster
from infra.rollout.sessions import Sessions
from infra.roster import Roster
from scanhub.collection import collected_seldom
from scanhub.spoke_wiring import estate
from scanhub.wiring import Hub, open_hub
from spoke.errors import Misconfigured
from worker.scanner.driver import prepare


@dataclass(frozen=True, kw_only=True)
class ReadySweep:
    """A sweep that may begin.

    Attributes:
        sweep: The sweep.
        hub: What it works with.
        profile: What results are compared with.
        region: The hub's.
    """

    sweep: Sweep
    hub: Hub
    profile: ScanProfile
    region: str


@asynccontextmanager
async def open_sweep(
    settings: Settings, environ: Mapping[str, str], *, observer: SweepObserver | None, redactor: Redactor
) -> AsyncIterator[ReadySweep]:
    """A sweep; everything it stands on was asked once.

    Args:
        settings: The settings.
        environ: The environment, for the AWS session and the scanner's version.
        observer: Is told as it goes on.
        redactor: Learns the secrets.

    Raises:
        Misconfigured: A setting, a secret or one of the hub's parts is not usable, or which scanner is in use is not
            known.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    async with open_hub(settings, environ) as hub:
        await hub.check()
        world = SweepWorld(
            estate=await estate(settings, hub.clients, hub.clock, redactor),
            ledger=hub.ledger,
            register=hub.register,
            queue=hub.queues.get(Source.SWEEP, hub.queues[Source.CHANGES]),
            objects=hub.objects,
            settings=settings,
            clock=hub.clock,
        )
        profile = await _profile(hub, environ, redactor)
        with collected_seldom():
            yield ReadySweep(
                sweep=Sweep(world, observer=observer, calls=hub.calls),
                hub=hub,
                profile=profile,
                region=(await hub.clients.get("sts")).meta.region_name,
            )


def check_names(accounts: tuple[str, ...], ous: tuple[str, ...]) -> None:
    """What can be told of these without asking anybody.

    Raises:
        Misconfigured: Both are given, or one is no account id.
    """
    if accounts and ous:
        raise Misconfigured("--accounts and --ou: choose one")
    roster.of_names(accounts)


async def roster_of(settings: Settings, accounts: tuple[str, ...], ous: tuple[str, ...], region: str) -> Roster:
    """The accounts to go over: those named, else those of the file, else those of the organization.

    Raises:
        Misconfigured: There are none, or nobody may ask for them.
        Throttled, Unavailable: AWS Organizations cannot be asked now.
    """
    if accounts:
        return roster.of_names(accounts)
    if settings.accounts_file is not None and not ous:
        return roster.of_file(settings.accounts_file)
    # boto3 waits for each answer: not on the event loop.
    return await asyncio.to_thread(lambda: roster.of_organization(Sessions(region=region), ous))


async def _profile(hub: Hub, environ: Mapping[str, str], redactor: Redactor) -> ScanProfile:
    async def installed() -> ScanProfile:
        scanner = await prepare(hub.settings, credentials=_nobody, redactor=redactor, environ=environ, clock=hub.clock)
        return scanner.profile

    notes = [note async for note in hub.register.workers()]
    return await profile_in_force(notes, hub.clock.now(), of_binary=installed)


def _nobody() -> QualysCredentials:
    raise AssertionError("a sweep scans nothing")
