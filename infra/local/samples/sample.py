"""What a sample function is, and what a scan of it must find."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub.scans import ScanStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedFindings:
    """What the stand-in must find in a sample: this, and nothing else.

    Attributes:
        cves: The CVE ids.
        packages: The number of packages, each place counted.
        secrets: The number of secrets.
        status: How the scan ends.
        reasons: Why it is not `success`.
    """

    packages: int
    cves: frozenset[str] = frozenset()
    secrets: int = 0
    status: ScanStatus = ScanStatus.SUCCESS
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One function to publish.

    Attributes:
        name: The function's name.
        account: Which spoke, 0 to 2.
        region: Which of the two regions, 0 or 1.
        runtime: Lambda's identifier.
        handler: Lambda's `Handler`.
        architecture: `x86_64` or `arm64`.
        build: Makes the zip: the same bytes each time, on every machine.
        expected: What is in it; also where `excluded` keeps it from being scanned.
        description: One line for people.
        tags: The function's tags.
    """

    name: str
    account: int
    region: int
    runtime: str
    handler: str
    architecture: str
    build: Callable[[], bytes]
    expected: ExpectedFindings
    description: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def excluded(self) -> bool:
        """Whether its tag keeps it from being scanned."""
        return self.tags.get("QualysScanExclude", "").lower() == "true"
