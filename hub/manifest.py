"""`manifest.json`: what one scan was of, how it ended and what it left. Written last: it is the commit mark."""

from collections.abc import Mapping

from pydantic import AwareDatetime

from hub.document import Document, Part
from hub.scans import PolicyVerdict, ScanProfile, ScanStatus, Severity
from spoke.snapshot import FunctionSnapshot


class ManifestFunction(Part):
    """The function as it was when it was scanned. Its tags are left out: they are the customer's own words."""

    arn: str
    account: str
    region: str
    name: str
    runtime: str | None
    package_type: str
    architectures: tuple[str, ...]
    layers: tuple[str, ...]
    state: str | None
    last_modified: AwareDatetime
    code_sha256: str
    code_size: int
    resolved_image_uri: str | None
    kms_key_arn: str | None

    @classmethod
    def of(cls, snapshot: FunctionSnapshot) -> "ManifestFunction":
        """From a snapshot."""
        return cls(
            arn=str(snapshot.arn.content),
            account=snapshot.arn.account,
            region=snapshot.arn.region,
            name=snapshot.arn.name,
            runtime=snapshot.runtime,
            package_type=snapshot.package_type,
            architectures=snapshot.architectures,
            layers=snapshot.layers,
            state=snapshot.state,
            last_modified=snapshot.last_modified,
            code_sha256=snapshot.code_sha256,
            code_size=snapshot.code_size,
            resolved_image_uri=snapshot.resolved_image_uri,
            kms_key_arn=snapshot.kms_key_arn,
        )


class ManifestProfile(Part):
    """With what it was scanned; see `hub.scans.ScanProfile`."""

    engine: str
    version: str
    mode: str
    scan_types: tuple[str, ...]
    id: str

    @classmethod
    def of(cls, profile: ScanProfile) -> "ManifestProfile":
        """From a profile."""
        return cls(
            engine=profile.engine,
            version=profile.version,
            mode=profile.mode,
            scan_types=profile.scan_types,
            id=profile.id,
        )


class StoredFile(Part):
    """One object of the scan.

    Attributes:
        name: Its plain name.
        key: In the results bucket.
        size: Bytes.
        sha256: 64 hexadecimal digits.
        content_type: Its media type.
    """

    name: str
    key: str
    size: int
    sha256: str
    content_type: str


class Manifest(Document):
    """The document; the published schema is `hub/schemas/manifest.schema.json`.

    Attributes:
        scan_id: Sorts by time.
        function: As it was.
        fingerprint: Of its code and layers.
        profile: With what it was scanned.
        started_at: When the scanner started (UTC).
        finished_at: When it ended.
        stored_at: When this manifest was written.
        exit_code: Of the scanner; None if it did not end by itself.
        status: `success`, `partial` or `failed`.
        reasons: Why it is not `success`, sorted.
        severities: Vulnerabilities by severity; every severity is there.
        secret_count: Secret findings.
        package_count: Packages in the inventory.
        policy_verdict: With mode `evaluate-policy`.
        qualys_scan_tag: What Qualys calls the scan, if known.
        files: Every other object of the scan, in the order written.
    """

    scan_id: str
    function: ManifestFunction
    fingerprint: str
    profile: ManifestProfile
    started_at: AwareDatetime
    finished_at: AwareDatetime
    stored_at: AwareDatetime
    exit_code: int | None
    status: ScanStatus
    reasons: tuple[str, ...]
    severities: Mapping[Severity, int]
    secret_count: int
    package_count: int
    policy_verdict: PolicyVerdict | None
    qualys_scan_tag: str | None
    files: tuple[StoredFile, ...]

    def file(self, name: str) -> StoredFile | None:
        """The file of that plain name, if the scan left one."""
        return next((one for one in self.files if one.name == name), None)
