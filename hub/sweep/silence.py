"""How long a sweep waits for an account: shorter where its whole region has been silent of late."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import TypeVar

import structlog

from hub.sweep.patience import with_spoke
from hub.sweep.slots import SILENCE, Slot
from spoke.errors import ScanhubError, Unavailable

log = structlog.get_logger()

Result = TypeVar("Result")

PATIENCE = 300.0
"""Seconds without an answer after which an account is given up."""

IN_A_ROW = 3
"""Accounts that were given up in a region while nobody there was answered: then it is the region's silence."""

SHORT = 20.0
"""Seconds for which an account is waited for in a silent region. Whoever answers at all does so within seconds, and the
second try after a broken connection (`with_spoke`) falls into this time. Each of ten thousand accounts costs it."""

LENT_SOON = 1.0
"""Seconds until a slot is lent in a silent region: nobody expects an answer there, and the other regions need it."""


class Question(StrEnum):
    """What an account is asked. Services fall silent one by one, so of each question it is known apart."""

    REGIONS = "regions"
    FUNCTIONS = "functions"
    VERSIONS = "versions"
    TAGS = "tags"


class Silent(ScanhubError):
    """No answer came for as long as the sweep is willing to wait. It is not tried again: others want their turn."""


class Silence:
    """What all accounts of one sweep know of who answers, by question and region."""

    def __init__(self) -> None:
        self._regions: dict[tuple[Question, str], _Region] = {}

    @contextmanager
    def waited(self, question: Question, account: str, region: str, *, besides: float = 0.0) -> Iterator["Wait"]:
        """For all answers to one question of one account.

        Args:
            question: See `Question`.
            account: Twelve digits.
            region: Its name; empty where the question concerns none.
            besides: Seconds that the work itself may take before there is an answer.

        Raises:
            Silent, Unavailable: What was raised inside; it is counted against the region.
        """
        known = self._regions.setdefault((question, region), _Region(region))
        wait = Wait(known, account, besides)
        known.waits.add(wait)
        try:
            yield wait
        except (Silent, Unavailable):
            was_silent = known.is_silent
            known.give_up(wait)
            if known.is_silent and not was_silent:
                log.warning("region is silent", question=question.value, region=region, accounts=len(known.given_up))
            raise
        finally:
            known.waits.discard(wait)

    async def answer(
        self,
        question: Question,
        account: str,
        region: str,
        slot: Slot,
        call: Callable[[], Awaitable[Result]],
        *,
        besides: float = 0.0,
    ) -> Result:
        """The one answer to a question, with `with_spoke`'s tries. For the arguments see `waited` and `Wait.answer`.

        Raises:
            Silent: None came.
            ScanhubError: What the account, or the way there, said at the last.
        """
        with self.waited(question, account, region, besides=besides) as wait:
            async with wait.answer(slot):
                return await with_spoke(call)


class Wait:
    """One account's wait for the answers to one question."""

    def __init__(self, region: "_Region", account: str, besides: float) -> None:
        self.account = account
        self.since = _now()
        self._region = region
        self._besides = besides
        self._is_short = region.others(account) >= IN_A_ROW
        self._timeout: asyncio.Timeout | None = None

    @asynccontextmanager
    async def answer(self, slot: Slot) -> AsyncIterator[None]:
        """Around what brings an answer. The silence of an earlier try that failed counts on.

        Args:
            slot: Is lent while the wait is long; until it is there again, no silence counts.

        Raises:
            Silent: None came in time.
        """
        async with slot.lent_in_silence(LENT_SOON if self._is_short else SILENCE):
            try:
                async with asyncio.timeout_at(self._until) as self._timeout:
                    yield
            except TimeoutError:
                if self._timeout is None or not self._timeout.expired():
                    raise
                raise Silent(self._told()) from None
            finally:
                self._timeout = None
            self._region.answer()
        self.since = _now()

    def lengthen(self) -> None:
        """Somebody in the region was answered: there is reason to wait."""
        self._is_short = False
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(self._until)

    @property
    def _patience(self) -> float:
        return (SHORT if self._is_short else PATIENCE) + self._besides

    @property
    def _until(self) -> float:
        return self.since + self._patience

    def _told(self) -> str:
        told = f"no answer for {_in_words(self._patience)}"
        if self._is_short:
            told += f", as from {self._region.others(self.account)} other accounts"
            # An account's regions are asked for once, wherever they are.
            told += " in this region" if self._region.name else ""
        return told


class _Region:
    """Who waits for an answer of a region, and who has waited in vain.

    Args:
        name: Empty where the question concerns none.

    Attributes:
        given_up: The accounts of which no answer came, since the last one that did.
        waits: In hand.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.given_up: set[str] = set()
        self.waits: set[Wait] = set()
        self._answered = float("-inf")

    @property
    def is_silent(self) -> bool:
        return len(self.given_up) >= IN_A_ROW

    def others(self, account: str) -> int:
        """How many were given up besides this one."""
        return len(self.given_up) - (account in self.given_up)

    def answer(self) -> None:
        self._answered = _now()
        if self.is_silent:
            for wait in self.waits:
                wait.lengthen()
        self.given_up.clear()

    def give_up(self, wait: Wait) -> None:
        # Was another answered meanwhile, it is this account that is silent, and not the region.
        if wait.since > self._answered:
            self.given_up.add(wait.account)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
