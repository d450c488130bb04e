"""The circuit to Qualys: a fault there concerns every message alike, so none may pay for it.

::

    closed ──▶ open      a refused token; or uploads of several messages failed, and none passed in between
    open ──▶ probing     the pause is over and the secret was read anew: one message at a time may try
    probing ──▶ closed   a scan passed
    probing ──▶ open     a scan failed for Qualys's sake; the next pause is longer

Each opening begins a new *turn*. A scan counts only in the turn in which its message was received: what began before
the circuit opened says nothing of how things are now.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from spoke.clock import Clock
from spoke.errors import QualysFault, ScanhubError, UploadFailed
from worker import backoff

log = structlog.get_logger()

UPLOADS_TO_OPEN = 3
"""Messages whose upload failed, one after another: one alone may be the fault of its own report."""

MOST_SUSPECTS = 1000
"""Messages that are remembered for having met Qualys's refusal."""

Listener = Callable[[], object]


def _nobody() -> None:
    """Nobody listens."""


class CircuitState(StrEnum):
    """See the module."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Circuit:
    """One worker's circuit to Qualys.

    Args:
        clock: Tells when a pause ends.

    Attributes:
        state: See the module.
        turn: How often it has opened.
        reason: Why it opened last.
        has_passed: Whether any scan of this worker ever got what it wanted.
        on_change: Called after each change of state.
    """

    def __init__(self, clock: Clock) -> None:
        self.state = CircuitState.CLOSED
        self.turn = 0
        self.reason = ""
        self.has_passed = False
        self.on_change: Listener = _nobody
        self._clock = clock
        self._openings = 0
        self._ends_at: datetime | None = None
        self._failed_uploads: set[str] = set()
        self._passes = 0
        # A message that met Qualys's refusal, and how many scans had passed by then.
        self._suspects: OrderedDict[str, int] = OrderedDict()

    @property
    def is_open(self) -> bool:
        """Whether nothing may be scanned now."""
        return self.state is CircuitState.OPEN

    @property
    def is_closed(self) -> bool:
        """Whether all is well, as far as is known."""
        return self.state is CircuitState.CLOSED

    @property
    def pause(self) -> timedelta:
        """What is left until the next probe; zero if it is not open."""
        if self._ends_at is None or not self.is_open:
            return timedelta(0)
        return max(self._ends_at - self._clock.now(), timedelta(0))

    def failed(self, error: ScanhubError, *, message_id: str, turn: int) -> bool:
        """A scan ended so.

        Args:
            error: Any; only what Qualys is to blame for counts.
            message_id: For which message.
            turn: In which its message was received.

        Returns:
            Whether the circuit bears the fault, and the message pays nothing.
        """
        if not isinstance(error, (QualysFault, UploadFailed)):
            return False
        if self._is_to_blame(message_id):
            return False
        if turn == self.turn and self._is_reason_to_open(error, message_id):
            self._open(error.text)
        return isinstance(error, QualysFault) or not self.is_closed

    def passed(self, *, turn: int) -> None:
        """A scan got what it wanted of Qualys."""
        self.has_passed = True
        if turn != self.turn:
            return
        self._passes += 1
        self._failed_uploads.clear()
        if self.state is CircuitState.PROBING:
            self._openings = 0
            self._become(CircuitState.CLOSED)
            log.info("qualys takes our scans again")

    def probe(self) -> None:
        """The pause is over: one message at a time may try."""
        if self.is_open:
            self._become(CircuitState.PROBING)
            log.info("probing whether qualys takes our scans again", openings=self._openings)

    def stay_open(self, reason: str) -> None:
        """There is no sense in a probe; a longer pause begins."""
        self._open(reason)

    def _is_to_blame(self, message_id: str) -> bool:
        """Whether it is this message: it failed before, others have passed since, and it fails again.

        The scanner's words come from untrusted archives: one function must not keep all others from Qualys.
        """
        before = self._suspects.pop(message_id, self._passes)
        self._suspects[message_id] = self._passes
        if len(self._suspects) > MOST_SUSPECTS:
            self._suspects.popitem(last=False)
        return self._passes > before

    def _is_reason_to_open(self, error: ScanhubError, message_id: str) -> bool:
        if self.state is CircuitState.OPEN:
            return False
        if self.state is CircuitState.PROBING or isinstance(error, QualysFault):
            return True
        self._failed_uploads.add(message_id)
        return len(self._failed_uploads) >= UPLOADS_TO_OPEN

    def _open(self, reason: str) -> None:
        self.turn += 1
        self.reason = reason
        self._openings += 1
        self._failed_uploads.clear()
        pause = backoff.of_qualys(self._openings)
        self._ends_at = self._clock.now() + pause
        log.error(
            "qualys does not take our scans; nothing is received", reason=reason, pause=round(pause.total_seconds())
        )
        self._become(CircuitState.OPEN)

    def _become(self, state: CircuitState) -> None:
        self.state = state
        self.on_change()
