"""checkov over the templates and the Terraform modules, offline."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.templates.findings import Finding, Place, Suppression

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-checkov" / "bin" / "python"
UNEXPLAINED = "No comment provided"
"""What checkov puts where a suppression has no comment."""


def run(folder: Path, frameworks: Sequence[str]) -> tuple[list[Finding], list[Suppression]]:
    """Everything that checkov finds under a folder, and everything that is suppressed there.

    A suppressed check is in both: checkov evaluates it no further.
    """
    done = subprocess.run(
        [
            # Not its own script: that names the interpreter in its first line, where a path may hold no space.
            *[str(PYTHON), "-m", "checkov.main", "--directory", str(folder), "--framework", *frameworks],
            *["--skip-download", "--output", "json", "--soft-fail"],
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"checkov ended with {done.returncode}: {done.stderr[-2000:]}")
    read = json.loads(done.stdout)
    reports = [report for report in (read if isinstance(read, list) else [read]) if "results" in report]
    missing = set(frameworks) - {report["check_type"] for report in reports}
    unread = [file for report in reports for file in report["results"]["parsing_errors"]]
    if missing or unread:
        raise RuntimeError(f"checkov read nothing of {', '.join([*sorted(missing), *unread])}")
    skipped = [check for report in reports for check in report["results"]["skipped_checks"]]
    failed = [check for report in reports for check in report["results"]["failed_checks"]]
    return list(_findings([*failed, *skipped])), [Suppression(_place(check), _reason(check)) for check in skipped]


def _findings(checks: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for check in checks:
        yield Finding(_place(check), check["check_name"])


def _place(check: Mapping[str, Any]) -> Place:
    resource = check["resource"].rpartition(".")[2] if check["file_path"].endswith(".yaml") else check["resource"]
    return Place("checkov", check["file_path"].lstrip("/"), resource, check["check_id"])


def _reason(check: Mapping[str, Any]) -> str:
    comment = check["check_result"].get("suppress_comment") or ""
    return "" if comment == UNEXPLAINED else comment
