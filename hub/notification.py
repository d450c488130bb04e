"""What a person is told of one scan."""

from dataclasses import dataclass
from enum import StrEnum

from hub.scans import ScanSummary
from spoke.arn import FunctionArn


class NotificationKind(StrEnum):
    """Why somebody is told."""

    FAILED = "failed"
    FINDINGS = "findings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message to the topic.

    Attributes:
        kind: A scan that failed for good, or one with findings at or above the severity set.
        function: Without qualifier.
        reason: One line: why it failed, or what was found.
        summary: Of the scan, where there is one.
    """

    kind: NotificationKind
    function: FunctionArn
    reason: str
    summary: ScanSummary | None = None
