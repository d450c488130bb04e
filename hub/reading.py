"""What a scan's files say: findings, packages, Qualys's tag, and what kept them from saying it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hub import inventories, sarif, secret_findings
from hub.findings import Draft, Drafts
from hub.packages import Inventory, Package
from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import ScanProfile
from hub.untrusted import NotJson, items, load, mapping, text

MAX_READ = 256 * 1024 * 1024
"""Bytes of a report or inventory that is read; a larger one is stored but not read. As JSON in memory a document takes
several times its size, and the largest image functions (10 GB) give reports of some ten megabytes."""

MAX_FINDINGS = 100_000
MAX_PACKAGES = 100_000
"""Beyond these the result is `partial`: what is left out must not look like what is not there."""

_TAG_PREFIX = "lambdascan:"
_WITHOUT_REPORT = frozenset({"inventory-only", "scan-only"})
"""Modes in which the scanner asks for no report."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    Attributes:
        drafts: Vulnerabilities and secrets, the worst first.
        inventory: The packages.
        reasons: Why this is not a whole result; empty if it is.
        report_missing: A report was asked for and did not come, or is not readable.
        scan_tag: What Qualys calls the scan: the digits of `lambdascan:<unix seconds>`.
    """

    drafts: tuple[Draft, ...]
    inventory: Inventory
    reasons: frozenset[str]
    report_missing: bool
    scan_tag: str | None


class _Reader:
    """One pass over the files of one scan."""

    def __init__(self, scanned: Scanned, profile: ScanProfile) -> None:
        self._scanned = scanned
        self._profile = profile
        self._drafts = Drafts(MAX_FINDINGS)
        self._reasons: set[str] = set()
        self._report_missing = False

    def read(self) -> Reading:
        self._report()
        scan_result = self._inventory_file(ArtifactName.SCAN_RESULT)
        if scan_result is not None and not secret_findings.read(scan_result, self._drafts):
            self._reasons.add("secrets_unreadable")
        if self._scanned.artifact(ArtifactName.SCAN_RESULT) is None and "secret" in self._profile.scan_types:
            # Secrets stand in no other file: without this one nobody knows whether there are any.
            self._reasons.add("no_scan_result")
        inventory = self._inventory(scan_result)
        if not inventory.packages:
            self._reasons.add("no_packages")
        for reason, applies in (
            ("findings_truncated", self._drafts.truncated),
            ("findings_skipped", self._drafts.skipped > 0),
            ("packages_truncated", inventory.truncated),
        ):
            if applies:
                self._reasons.add(reason)
        return Reading(
            tuple(self._drafts.sorted()),
            inventory,
            frozenset(self._reasons),
            self._report_missing,
            _scan_tag(scan_result),
        )

    def _report(self) -> None:
        artifact = self._scanned.artifact(ArtifactName.SARIF)
        wanted = self._profile.mode not in _WITHOUT_REPORT
        if artifact is None:
            self._reasons.add("no_report" if wanted else "inventory_only")
            self._report_missing = wanted
        elif artifact.size > MAX_READ:
            self._reasons.add("report_too_large")
        else:
            try:
                if not sarif.read(_load(artifact), self._drafts):
                    self._reasons.add("report_incomplete")
            except (NotJson, sarif.NotSarif):
                self._reasons.add("report_unreadable")
                self._report_missing = wanted

    def _inventory_file(self, name: ArtifactName) -> object | None:
        """The document, an object; None where there is none."""
        artifact = self._scanned.artifact(name)
        if artifact is None:
            return None
        if artifact.size > MAX_READ:
            self._reasons.add("inventory_too_large")
            return None
        try:
            document = _load(artifact)
        except NotJson:
            document = None
        if not isinstance(document, dict):
            self._reasons.add("inventory_unreadable")
            return None
        return document

    def _inventory(self, scan_result: object | None) -> Inventory:
        """CycloneDX if it has purls, else SPDX, else ScanResult, else CycloneDX as it is."""
        of_cyclonedx = self._packages(inventories.cyclonedx, self._inventory_file(ArtifactName.CYCLONEDX))
        if of_cyclonedx.has_purls:
            return of_cyclonedx
        of_spdx = self._packages(inventories.spdx, self._inventory_file(ArtifactName.SPDX))
        if of_spdx.packages:
            return of_spdx
        of_scan_result = self._packages(inventories.scan_result, scan_result)
        return of_scan_result if of_scan_result.packages else of_cyclonedx

    @staticmethod
    def _packages(read: Callable[[object], Iterator[Package]], document: object | None) -> Inventory:
        return Inventory.of(read(document), MAX_PACKAGES)


def read(scanned: Scanned, profile: ScanProfile) -> Reading:
    """Read the report and the inventories of a scan. Whatever they hold, it does not raise.

    Takes time and memory in proportion to the files: large ones belong in a thread.

    Raises:
        OSError: A file could not be read.
    """
    return _Reader(scanned, profile).read()


def _load(artifact: Artifact) -> object:
    with artifact.open() as file:
        # The size was taken earlier; one byte more than allowed shows a file that grew.
        data = file.read(MAX_READ + 1)
    if len(data) > MAX_READ:
        raise NotJson("grew beyond the limit")
    return load(data)


def _scan_tag(scan_result: object) -> str | None:
    metadata = mapping(mapping(mapping(scan_result).get("Metadata")).get("TargetMetadata")).get("ImageMetadata")
    for tag in items(mapping(metadata).get("RepoTags")):
        line = text(tag) or ""
        rest = line.removeprefix(_TAG_PREFIX)
        # It becomes the value of a tag on the function (at most 256 characters): digits alone are safe there.
        if rest != line and rest.isascii() and rest.isdecimal() and len(rest) <= 20:
            return rest
    return None
