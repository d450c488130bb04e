"""Every lease that the ledger's table ever held, noted inside of the table: not what a worker believes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from hub.scans import CLOCK_SKEW
from infra.local.mends.replacement import replaced
from tests.chaos.scans import Scan

_WRITES = ("put_item", "transact_write_items", "update_item")
_READING = 0.01
"""Seconds by which two readings of one clock in two processes may seem to be apart."""


@dataclass(frozen=True, slots=True)
class Tenure:
    """How long one claim had the right to scan.

    Attributes:
        function: The ARN.
        key: Fingerprint and profile.
        owner: The claim's own token.
        claimed: Monotonic seconds.
        expires: When it ended or would have ended by itself, by its last renewal.
        given_up: When it was released or committed; None if it ran out.
        taken_over: When another claim replaced it; None if that did not happen.
    """

    function: str
    key: str
    owner: str
    claimed: float
    expires: float
    given_up: float | None = None
    taken_over: float | None = None

    @property
    def end(self) -> float:
        """From then on it gave no right any more."""
        return min(self.expires, self.given_up if self.given_up is not None else self.expires)


class LeaseJournal:
    """The tenures, in the order of their claims."""

    def __init__(self) -> None:
        self.tenures: list[Tenure] = []
        self._current: dict[tuple[str, str], int] = {}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Look at the table after each write. Entered before the cloud starts, it is under the lock of its writes."""
        with ExitStack() as stack:
            for name in _WRITES:
                stack.enter_context(replaced(DynamoHandler, name, self._observed(getattr(DynamoHandler, name))))
            yield

    def _observed(self, original: Any) -> Any:  # noqa: ANN401  # passes through
        def observed(handler: DynamoHandler, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # passes through
            try:
                return original(handler, *args, **kwargs)
            finally:
                backend = dynamodb_backends[handler.current_account][handler.region]
                for table in backend.tables.values():
                    for items in table.items.values():
                        for item in items.values():
                            self._note({name: value.value for name, value in item.attrs.items()})

        return observed

    def _note(self, item: dict[str, Any]) -> None:
        if not item["sk"].startswith("scan#"):
            return
        now = time.monotonic()
        function, key = item["pk"].removeprefix("function#"), item["sk"].removeprefix("scan#")
        standing = self._current.get((function, key))
        tenure = self.tenures[standing] if standing is not None else None
        owner = item.get("leaseOwner")
        if tenure is not None and owner != tenure.owner:
            over = {"given_up": now} if owner is None else {"taken_over": now}
            self._put(tenure, **over)
            del self._current[function, key]
        if owner is None:
            return
        expires = now + int(item["leaseExpiresAt"]) / 1000 - time.time()
        if tenure is not None and owner == tenure.owner:
            self._put(tenure, expires=expires)
        else:
            self._current[function, key] = len(self.tenures)
            self.tenures.append(Tenure(function, key, owner, now, expires))

    def _put(self, tenure: Tenure, **changes: float) -> None:
        fields = {name: getattr(tenure, name) for name in Tenure.__slots__}
        self.tenures[self._current[tenure.function, tenure.key]] = Tenure(**{**fields, **changes})


def violations(tenures: Sequence[Tenure], scans: Sequence[Scan]) -> list[str]:
    """Where two could scan one content, or did; in words."""
    found = []
    for tenure in tenures:
        earliest = tenure.expires + CLOCK_SKEW.total_seconds() - _READING
        if tenure.taken_over is not None and tenure.taken_over < earliest:
            found.append(f"the lease {tenure} was taken over {earliest - tenure.taken_over:.2f} s too early")
    rights: dict[str, Scan] = {}
    for scan in scans:
        tenure_of_scan = _right_of(scan, tenures)
        if tenure_of_scan is None:
            found.append(f"{scan} started without a lease")
            continue
        if tenure_of_scan.owner in rights:
            found.append(f"{scan} and {rights[tenure_of_scan.owner]} ran by one claim")
        for earlier in rights.values():
            found += _overlap(earlier, scan, tenures)
        rights[tenure_of_scan.owner] = scan
    return found


def _right_of(scan: Scan, tenures: Sequence[Tenure]) -> Tenure | None:
    for tenure in tenures:
        if tenure.function == scan.function and tenure.claimed - _READING <= scan.started <= tenure.end:
            return tenure
    return None


def _overlap(earlier: Scan, later: Scan, tenures: Sequence[Tenure]) -> list[str]:
    if earlier.function != later.function or earlier.last_alive <= later.started:
        return []
    first, second = _right_of(earlier, tenures), _right_of(later, tenures)
    if first is None or second is None or first.key != second.key:
        return []
    if first.given_up is None and first.expires <= second.claimed:
        # Nobody can end the scan of a worker that stands still; what counts is that its lease had run out.
        return []
    return [f"{earlier} and {later} ran at once"]
