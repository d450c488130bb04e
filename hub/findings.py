"""Findings: what was found in one function by one scan, in a form of its own."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from hub.document import Document, Part
from hub.scans import Severity
from spoke.arn import FunctionArn


class FindingKind(StrEnum):
    """What sort of thing was found."""

    VULNERABILITY = "vulnerability"
    SECRET = "secret"  # noqa: S105  # a kind of finding, no password


class AffectedPackage(Part):
    """The package that a vulnerability is in.

    Attributes:
        name: As the report names it.
        installed_version: None where the report has none.
        fixed_version: None where no fix is known.
        purl: From the inventory, if exactly one package there has this name and version.
        layer: The digest of the layer, as the report gives it.
    """

    name: str
    installed_version: str | None = None
    fixed_version: str | None = None
    purl: str | None = None
    layer: str | None = None


class Finding(Document):
    """One line of `findings.jsonl`; the published schema is `hub/schemas/finding.schema.json`.

    Attributes:
        kind: Vulnerability or secret.
        id: 32 hexadecimal digits, the same in every scan that finds the same thing; unique within one function.
        function_arn: Without qualifier, or of a published version.
        account: Of the function.
        region: Of the function.
        fingerprint: Of the code scanned.
        scan_id: Of the scan.
        severity: Five words, `informational` to `critical`.
        title: One line.
        qid: The Qualys id, if there is one.
        cves: CVE ids, sorted.
        rule_id: As the report names the rule.
        qds: The Qualys detection score (1-100), if there is one.
        package: Of a vulnerability, where the report names one.
        path: The file, if known.
        start_line: In the file, from 1.
        category: Of a secret.
    """

    kind: FindingKind
    id: str
    function_arn: str
    account: str
    region: str
    fingerprint: str
    scan_id: str
    severity: Severity
    title: str
    qid: int | None = None
    cves: tuple[str, ...] = ()
    rule_id: str
    qds: int | None = None
    package: AffectedPackage | None = None
    path: str | None = None
    start_line: int | None = None
    category: str | None = None


def finding_document(finding: Finding) -> dict[str, Any]:
    """The finding as plain JSON values, as it is stored."""
    return finding.model_dump(mode="json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A finding as read from the scanner's files, before it is known of which scan and with which purl.

    Attributes: as in `Finding` and `AffectedPackage`.
    """

    kind: FindingKind
    severity: Severity
    title: str
    rule_id: str
    qid: int | None = None
    cves: frozenset[str] = frozenset()
    qds: int | None = None
    package: str | None = None
    installed_version: str | None = None
    fixed_version: str | None = None
    layer: str | None = None
    path: str | None = None
    start_line: int | None = None
    category: str | None = None

    @property
    def id(self) -> str:
        """Neither order nor time goes in, nor what may change while the finding stays (title, severity, fix).

        Of a package the name and version count rather than the purl: they are in every report, while the purl depends
        on which inventory the scanner wrote along with it.
        """
        rule = f"qid:{self.qid}" if self.qid is not None else f"rule:{self.rule_id}"
        place: list[str | int | None]
        if self.kind is FindingKind.VULNERABILITY:
            place = [self.package, self.installed_version]
        else:
            place = [self.path, self.start_line]
        identity = json.dumps([self.kind.value, rule, *place])
        return hashlib.sha256(identity.encode()).hexdigest()[:32]

    def merged(self, other: "Draft") -> "Draft":
        """One draft of two with the same id, whichever came first."""
        return replace(
            self,
            severity=max(self.severity, other.severity, key=lambda severity: severity.rank),
            title=min(self.title, other.title),
            rule_id=min(self.rule_id, other.rule_id),
            cves=self.cves | other.cves,
            qds=max((one for one in (self.qds, other.qds) if one is not None), default=None),
            fixed_version=_either(self.fixed_version, other.fixed_version),
            layer=_either(self.layer, other.layer),
            path=_either(self.path, other.path),
            start_line=min((one for one in (self.start_line, other.start_line) if one is not None), default=None),
            category=_either(self.category, other.category),
        )


class Drafts:
    """Drafts by id, at most `limit` of them.

    Attributes:
        skipped: Entries of the scanner's files that could not be read as a finding.
        truncated: Whether there were more than `limit`.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_id: dict[str, Draft] = {}
        self.skipped = 0
        self.truncated = False

    def add(self, draft: Draft) -> None:
        """One more; merged if its id is there."""
        identity = draft.id
        present = self._by_id.get(identity)
        if present is not None:
            self._by_id[identity] = present.merged(draft)
        elif len(self._by_id) < self._limit:
            self._by_id[identity] = draft
        else:
            self.truncated = True

    def sorted(self) -> list[Draft]:
        """The worst first, then by id."""
        ordered = sorted(self._by_id.items(), key=lambda pair: (-pair[1].severity.rank, pair[0]))
        return [draft for _, draft in ordered]


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which scan the findings are."""

    function: FunctionArn
    fingerprint: str
    scan_id: str

    def finding(self, draft: Draft, purl: str | None) -> Finding:
        """The draft as a finding of this scan."""
        package = None
        if draft.package is not None:
            package = AffectedPackage(
                name=draft.package,
                installed_version=draft.installed_version,
                fixed_version=draft.fixed_version,
                purl=purl,
                layer=draft.layer,
            )
        return Finding(
            kind=draft.kind,
            id=draft.id,
            function_arn=str(self.function.content),
            account=self.function.account,
            region=self.function.region,
            fingerprint=self.fingerprint,
            scan_id=self.scan_id,
            severity=draft.severity,
            title=draft.title,
            qid=draft.qid,
            cves=tuple(sorted(draft.cves)),
            rule_id=draft.rule_id,
            qds=draft.qds,
            package=package,
            path=draft.path,
            start_line=draft.start_line,
            category=draft.category,
        )


def severities(drafts: Iterable[Draft]) -> dict[Severity, int]:
    """How many vulnerabilities there are of each severity, the lowest first; every severity is there."""
    counts = dict.fromkeys(Severity, 0)
    for draft in drafts:
        if draft.kind is FindingKind.VULNERABILITY:
            counts[draft.severity] += 1
    return counts


def _either(one: str | None, other: str | None) -> str | None:
    return min((text for text in (one, other) if text is not None), default=None)
