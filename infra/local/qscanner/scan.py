"""One scan: what was read, what is in it, what is known of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from infra.local.qscanner.advisories import Finding
from infra.local.qscanner.archive import Inspector
from infra.local.qscanner.inventory import Detector, Package
from infra.local.qscanner.java_packages import JavaPackages
from infra.local.qscanner.limits import Budget
from infra.local.qscanner.node_packages import NodePackages
from infra.local.qscanner.python_packages import PythonPackages
from infra.local.qscanner.secret_rules import Secret, secrets_in

_MOST_SECRETS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What was scanned.

    Attributes:
        kind: `lambda` or `rootfs`.
        name: The function's ARN, or the directory.
        prefix: What the file names begin with.
        sha256: The package's digest in hexadecimal digits; None for a directory.
        details: What GetFunction tells of it.
    """

    kind: str
    name: str
    prefix: str
    sha256: str | None
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A finished scan.

    Attributes:
        target: What was scanned.
        started_at: Aware, UTC.
        finished_at: Aware, UTC.
        packages: What is installed.
        secrets: What was left in files; None if nobody asked for secrets.
        findings: The advisories that speak of the packages.
        warnings: What could not be read.
    """

    target: Target
    started_at: datetime
    finished_at: datetime
    packages: tuple[Package, ...]
    secrets: tuple[Secret, ...] | None
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]


class Contents:
    """Collects packages and secrets from one artifact after another."""

    def __init__(self, budget: Budget, *, packages: bool, secrets: bool) -> None:
        self._budget = budget
        self._wants_packages = packages
        self._wants_secrets = secrets
        self.packages: list[Package] = []
        self.secrets: list[Secret] = []

    def collect(self, read: Callable[[Inspector, Budget], None], *, layer: str) -> None:
        """Let `read` show one artifact; `layer` says which.

        Raises:
            ScanFailed: What `read` raises.
        """
        sieve = _Sieve(self._budget, packages=self._wants_packages, secrets=self._wants_secrets)
        read(sieve, self._budget)
        for detector in sieve.detectors:
            for one in detector.found():
                self.packages.append(Package(one.ecosystem, one.name, one.version, one.location, layer))
        self.secrets += sieve.secrets
        if len(self.secrets) > _MOST_SECRETS:
            self._budget.warn(f"only the first {_MOST_SECRETS:,} of {len(self.secrets):,} secrets are kept")
            del self.secrets[_MOST_SECRETS:]


class _Sieve:
    """Shows each file to those who want it."""

    def __init__(self, budget: Budget, *, packages: bool, secrets: bool) -> None:
        self._text_bytes = budget.limits.text_bytes
        self._searches = secrets
        self.detectors: list[Detector] = [PythonPackages(), NodePackages(), JavaPackages()] if packages else []
        self.secrets: list[Secret] = []

    def wants(self, path: str, size: int) -> bool:
        """Whether anybody wants a file of this size."""
        if size > self._text_bytes:
            return False
        return self._searches or any(detector.wants(path) for detector in self.detectors)

    def file(self, path: str, content: bytes) -> None:
        """Hand it on."""
        for detector in self.detectors:
            if detector.wants(path):
                detector.file(path, content)
        # One more than are kept, so that a file full of keys costs no memory and is still noticed.
        if self._searches and len(self.secrets) <= _MOST_SECRETS:
            self.secrets += islice(secrets_in(path, content), _MOST_SECRETS + 1)

    def archive(self, path: str) -> None:
        """Hand it on."""
        for detector in self.detectors:
            detector.archive(path)
