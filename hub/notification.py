"""What a person is told: of one scan, or of what stops them all."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.scans import ScanSummary
from spoke.arn import FunctionArn


class NotificationKind(StrEnum):
    """Why somebody is told."""

    FAILED = "failed"
    FINDINGS = "findings"
    CIRCUIT = "circuit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message to the topic.

    Attributes:
        kind: A scan that failed for good, one with findings at or above the severity set, or no scans at all: Qualys
            takes none.
        reason: One line: why it failed, what was found, or what Qualys answered.
        function: Without qualifier, or a published version. None with `CIRCUIT`, which concerns every function alike.
        summary: Of the scan, where there is one.
        since: With `CIRCUIT` only: from when on nothing is scanned (aware, UTC).

    Raises:
        ValueError: Function or moment are missing, or are there where they mean nothing.
    """

    kind: NotificationKind
    reason: str
    function: FunctionArn | None = None
    summary: ScanSummary | None = None
    since: datetime | None = None

    def __post_init__(self) -> None:
        of_circuit = self.kind is NotificationKind.CIRCUIT
        if (self.function is None) is not of_circuit or (self.since is not None) is not of_circuit:
            raise ValueError(
                f"a notification of {self.kind.value} names {'a moment' if of_circuit else 'a function'} only"
            )
