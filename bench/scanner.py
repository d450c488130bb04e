"""A scanner that costs nothing: a shell script that leaves files made beforehand."""

import hashlib
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

from hub.scans import ScanProfile
from infra.local.qscanner.advisories import advisories, match
from infra.local.qscanner.documents.cyclonedx import cyclonedx
from infra.local.qscanner.documents.report import report
from infra.local.qscanner.documents.sarif import sarif
from infra.local.qscanner.documents.scan_result import scan_result
from infra.local.qscanner.documents.spdx import spdx
from infra.local.qscanner.inventory import Ecosystem, Package
from infra.local.qscanner.limits import Budget, Limits
from infra.local.qscanner.scan import Scan, Target
from worker.scanner.driver import ENGINE

VERSION = "4.8.0-2"
PROFILE = ScanProfile(ENGINE, VERSION, "get-report", ("pkg", "secret"))
"""What the worker's profile comes to with the settings that the bench gives it."""

PACKAGES = 40
"""In a function's zip; a Python function with boto3, requests, pydantic and what they need has about so many."""

_SCRIPT = """\
#!/bin/sh
for target; do :; done
if [ "$target" = --version ]; then echo "qscanner {version}"; exit 0; fi
: > "{lives}/${{target##*:}}"
while [ "$1" != --output-dir ]; do shift; done
cp "{files}"/* "$2/" || exit 30
exec sleep {seconds}
"""


def install(directory: Path, *, seconds: float) -> Path:
    """Write the script and its files; returns its path. A scan leaves an empty file in `lives` when it begins."""
    files, lives = directory / "files", directory / "lives"
    files.mkdir(parents=True)
    lives.mkdir()
    for name, document in _documents().items():
        (files / f"lambda-{name}").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    script = directory / "qscanner"
    script.write_text(
        _SCRIPT.format(version=VERSION, lives=lives, files=files, seconds=f"{seconds:g}"), encoding="utf-8"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def begun_at(script: Path, function: str) -> float:
    """When the scan of that function began: seconds since the epoch, exact to the kernel's tick (4 ms)."""
    return (script.parent / "lives" / function).stat().st_mtime


def begun(script: Path) -> int:
    """How many scans have begun."""
    return sum(1 for _ in (script.parent / "lives").iterdir())


def _documents() -> dict[str, object]:
    """The files of one scan, in the forms that the stand-in scanner of `infra.local` writes."""
    known = [one for one in advisories() if one.ecosystem is Ecosystem.PYPI]
    vulnerable = sorted({(one.packages[0], one.ranges[0].introduced) for one in known})
    layer = f"sha256:{hashlib.sha256(b'layer').hexdigest()}"
    names = [*vulnerable, *((f"package-{number}", f"1.{number}.0") for number in range(PACKAGES - len(vulnerable)))]
    packages = [
        Package(
            Ecosystem.PYPI, name, version if version != "0" else "0.1", f"{name}-{version}.dist-info/METADATA", layer
        )
        for name, version in names
    ]
    now = datetime.now(UTC)
    scan = Scan(
        target=Target(
            kind="lambda",
            name="arn:aws:lambda:eu-central-1:210000000000:function:bench",
            prefix="lambda",
            sha256=hashlib.sha256(b"package").hexdigest(),
            details={"Runtime": "python3.13"},
        ),
        started_at=now,
        finished_at=now,
        packages=tuple(packages),
        secrets=(),
        findings=tuple(match(packages, known, Budget(Limits()))),
        warnings=(),
    )
    return {
        "ScanResult.json": scan_result(scan),
        "ScanResult.spdx.json": spdx(scan),
        "ScanResult.cyclonedx.json": cyclonedx(scan),
        "Report.sarif.json": sarif(scan),
        "Report.json": report(scan),
    }
