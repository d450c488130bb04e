"""The half of `scanhub doctor` that sees what the worker sees: the questions, wired to the worker's own adapters."""

import dataclasses
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hub import logs
from hub.credentials import SecretReader
from hub.diagnosis import Check
from hub.inquiry import Inquiry, answered
from hub.redaction import Redactor
from hub.settings import Settings, load
from infra.doctor.inside import accounts as entrances
from infra.doctor.inside import estates, parts, service_notes, sightings
from infra.doctor.inside.reader import function_reader
from infra.doctor.kinds import QUALYS_SECRET
from scanhub.sweep_wiring import roster_of
from scanhub.wiring import Hub, open_hub
from spoke.arn import FunctionArn
from spoke.clock import SystemClock
from spoke.errors import Misconfigured, ScanhubError
from spoke.estate import AwsEstate
from spoke.gateway import AwsSpoke
from spoke.roles import Roles
from worker.scanner import fitness, open_points, questions
from worker.scanner.trials import Bench

if TYPE_CHECKING:
    from hub.qualys import QualysCredentials

KINDS = (
    *parts.KINDS,
    *fitness.KINDS,
    *service_notes.KINDS,
    *estates.KINDS,
    *entrances.KINDS,
    *sightings.KINDS,
    *open_points.KINDS,
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked.

    Attributes:
        accounts: None named: those that the ledger knows.
        regions: As `accounts`.
        accounts_only: Nothing but the accounts.
        function: On which the scanner's open questions are asked.
        rules: A file with rules for secrets, for one of them.
        quiet: From when on silence of an account and region is worth a warning.
    """

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts_only: bool = False
    function: FunctionArn | None = None
    rules: Path | None = None
    quiet: timedelta


async def look(wanted: Wanted, tell: Callable[[Check], None], progress: Callable[[str], None]) -> None:
    """Ask everything; each answer is told as soon as it is there."""
    redactor = Redactor()
    try:
        settings = load()
        logs.configure("WARNING", stream=sys.stderr, redactor=redactor)
        async with open_hub(settings, os.environ) as hub:
            if not wanted.accounts_only:
                tell(parts.SETTINGS.ok("SCANHUB_*", "complete"))
            async for check in _Inside(hub, redactor, wanted, progress).checks():
                tell(_redacted(check, redactor))
    except Misconfigured as error:
        tell(parts.SETTINGS.failed("SCANHUB_*", error.text))


def _redacted(check: Check, redactor: Redactor) -> Check:
    """A last net: every text here was made without secrets."""
    return dataclasses.replace(
        check,
        subject=redactor.text(check.subject),
        reason=redactor.text(check.reason),
        fix=redactor.text(check.fix),
        evidence=tuple(map(redactor.text, check.evidence)),
    )


class _Inside:
    """The questions in their order, and what one learns for the next."""

    def __init__(self, hub: Hub, redactor: Redactor, wanted: Wanted, progress: Callable[[str], None]) -> None:
        self._hub = hub
        self._redactor = redactor
        self._wanted = wanted
        self._progress = progress
        self._qualys: QualysCredentials | None = None
        self._roles: Roles | None = None

    @property
    def _settings(self) -> Settings:
        return self._hub.settings

    async def checks(self) -> AsyncIterator[Check]:
        """All of them."""
        for inquiry in self._inquiries():
            self._progress(inquiry.kind.asks)
            yield await answered(inquiry)
        async for check in self._of_accounts():
            yield check
        if self._wanted.function is not None:
            async for check in self._of_scanner(self._wanted.function):
                yield check

    def _inquiries(self) -> Iterator[Inquiry]:
        settings = self._settings
        yield Inquiry(parts.EXTERNAL_ID, settings.external_id_secret_arn or "SCANHUB_EXTERNAL_ID", self._enter)
        if self._wanted.accounts_only:
            return
        yield Inquiry(QUALYS_SECRET, settings.qualys_secret_arn, self._sign_in)
        hub, queues = self._hub, {source.value: queue for source, queue in self._hub.queues.items()}
        yield from parts.inquiries(settings, queues=queues, ledger=hub.ledger, results=hub.results)
        yield from fitness.inquiries(settings, redactor=self._redactor, environ=os.environ)
        if agent := os.environ.get("ECS_AGENT_URI"):
            yield parts.protection(agent)
        yield from service_notes.inquiries(hub.register, settings.ledger_table, now=hub.clock.now())
        yield Inquiry(estates.ROSTER, str(settings.accounts_file or "AWS Organizations"), self._roster)

    async def _secrets(self) -> SecretReader:
        return SecretReader(await self._hub.clients.get("secretsmanager"))

    async def _sign_in(self) -> str:
        self._qualys = await (await self._secrets()).qualys(self._settings.qualys_secret_arn)
        self._redactor.add(*self._qualys.secret_values())
        return f"for {self._qualys.pod or self._qualys.gateway_url}"

    async def _enter(self) -> str:
        settings = self._settings
        external_id = settings.external_id
        if settings.external_id_secret_arn is not None:
            external_id = await (await self._secrets()).external_id(settings.external_id_secret_arn)
        if external_id is None:
            raise AssertionError("the settings hold exactly one of the two")
        self._redactor.add(external_id.get_secret_value())
        self._roles = Roles(
            await self._hub.clients.get("sts"),
            role_name=settings.spoke_role_name,
            role_path=settings.spoke_role_path,
            external_id=external_id,
            clock=self._hub.clock,
        )
        return "it holds one"

    async def _roster(self) -> str:
        roster = await roster_of(self._settings, (), (), await self._region())
        return f"{len(roster.accounts)} accounts"

    async def _region(self) -> str:
        return (await self._hub.clients.get("sts")).meta.region_name

    async def _of_accounts(self) -> AsyncIterator[Check]:
        if self._roles is None:
            yield entrances.ROLE.unknown("all accounts", "the external id could not be read")
            return
        seen, fault = await self._seen()
        accounts = self._wanted.accounts or tuple(sorted({account for account, _ in seen}))
        regions = self._wanted.regions or tuple(sorted({region for _, region in seen}))
        if not accounts:
            yield entrances.ROLE.unknown(
                "all accounts", "none was named, and the ledger knows none", fix="name some: --accounts"
            )
            return
        self._progress(f"entering {len(accounts)} accounts")
        looks = await entrances.look(
            accounts, regions, roles=self._roles, read=function_reader(self._hub.clients), partition=self._partition()
        )
        for one in looks:
            for check in one.checks:
                yield check
        region, settings = await self._region(), self._settings
        estate = AwsEstate(
            self._hub.clients, self._roles, region=region, calls_per_second=settings.sweep_calls_per_second
        )
        for check in await estates.look(looks, estate=estate, settings=settings, region=region):
            yield check
        if fault is not None:
            yield sightings.LAST_EVENT.unknown(self._settings.ledger_table, fault.text)
            return
        now = SystemClock().now()
        known = {place: at for place, at in seen.items() if at is not None}
        for check in sightings.judged(looks, regions, known, now=now, quiet=self._wanted.quiet):
            yield check

    async def _seen(self) -> tuple[Mapping[tuple[str, str], datetime | None], ScanhubError | None]:
        """By account and region, the last event; where none is named also those of which only functions are known."""
        seen: dict[tuple[str, str], datetime | None] = {}
        try:
            if not (self._wanted.accounts and self._wanted.regions):
                async for coverage in self._hub.ledger.coverages():
                    seen[coverage.function.account, coverage.function.region] = None
            async for sighting in self._hub.ledger.sightings():
                seen[sighting.account, sighting.region] = sighting.event_at
        except ScanhubError as error:
            return seen, error
        return seen, None

    def _partition(self) -> str:
        return self._settings.qualys_secret_arn.split(":")[1]

    async def _of_scanner(self, function: FunctionArn) -> AsyncIterator[Check]:
        roles, qualys = self._roles, self._qualys
        if roles is None or qualys is None:
            for kind in open_points.KINDS:
                yield kind.unknown(str(function), "the secrets could not be read")
            return
        try:
            snapshot = await AwsSpoke(self._hub.clients, roles).describe(function)
        except ScanhubError as error:
            for kind in open_points.KINDS:
                yield kind.unknown(str(function), error.text)
            return
        subject = questions.Subject(
            settings=self._settings,
            snapshot=snapshot,
            qualys=qualys,
            session=roles.scan_session,
            wide=lambda one: roles.worker_session(one.arn.account, one.arn.partition),
            rules=self._wanted.rules,
        )
        bench = Bench(self._settings, qualys=qualys, redactor=self._redactor, environ=os.environ)
        async for check in questions.answers(subject, bench, progress=self._progress):
            yield check


def names(text: str | None) -> tuple[str, ...]:
    """A comma list of the command line."""
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))


def account_ids(text: str | None) -> tuple[str, ...]:
    """As `names`, of accounts.

    Raises:
        Misconfigured: One is no account id.
    """
    ids = names(text)
    wrong = [one for one in ids if not (len(one) == 12 and one.isascii() and one.isdecimal())]
    if wrong:
        raise Misconfigured(f"--accounts: an account id has twelve digits: {', '.join(wrong)}")
    return ids
