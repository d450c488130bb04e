"""What a finished scan hands over: its outcome and its files."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO

from hub.scans import PolicyVerdict, ScanStatus


class ArtifactName(StrEnum):
    """The scanner's files under the plain names that they are stored by."""

    SCAN_RESULT = "scan-result.json"
    SARIF = "report.sarif.json"
    REPORT = "report.json"
    SPDX = "sbom.spdx.json"
    CYCLONEDX = "sbom.cdx.json"
    GITLAB = "report.gitlab.json"
    STDERR = "stderr.log"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a scan.

    Attributes:
        name: Its plain name.
        size: Bytes.
        open: Opens it for reading from the start, each time anew; valid until the scan's directory is removed.
    """

    name: ArtifactName
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """A scan that ended with something to store.

    Attributes:
        status: By the exit code alone. Whether a report was there and could be read is for `hub.results` to judge.
        reasons: Stable words such as `report_pending`, `os_not_found`, `scan_type_failed:secret`.
        exit_code: Of the scanner.
        policy: The verdict, with mode `evaluate-policy`.
        report_owed: Uploaded, but the report or verdict did not come: worth an earlier new scan.
        started_at: Aware, UTC.
        finished_at: Aware, UTC.
        artifacts: What the scanner left, by plain name, at most one each.
    """

    status: ScanStatus
    exit_code: int
    started_at: datetime
    finished_at: datetime
    artifacts: tuple[Artifact, ...] = ()
    reasons: tuple[str, ...] = ()
    policy: PolicyVerdict | None = None
    report_owed: bool = False

    def artifact(self, name: ArtifactName) -> Artifact | None:
        """The file of that name, if the scanner left one."""
        return next((one for one in self.artifacts if one.name is name), None)
