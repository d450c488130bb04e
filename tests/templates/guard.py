"""cfn-guard over the templates: AWS Control Tower's proactive controls, and our rules in `infra/guard`."""

import json
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.templates.findings import Finding, Place

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / ".venv-node" / "node_modules" / "@cdklabs" / "cdk-validator-cfnguard"
OURS = ROOT / "infra" / "guard"
CONTROL_TOWER = PACKAGE / "rules" / "control-tower" / "cfn-guard"

_SYSTEMS = {"Linux": "ubuntu", "Darwin": "macos"}
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
_CLEAN, _FOUND = 0, 19
"""The two exit codes of `cfn-guard validate` that come with a report."""


def binary() -> Path:
    """The binary in the package for this machine; there is none for Windows."""
    system, machine = platform.system(), platform.machine().lower()
    return PACKAGE / "bin" / _SYSTEMS.get(system, system) / _MACHINES.get(machine, machine) / "cfn-guard"


def evaluate(
    documents: Mapping[str, Mapping[str, Any]], rules: Sequence[Path] = (OURS, CONTROL_TOWER)
) -> list[Finding]:
    """Hold documents against rules.

    Args:
        documents: File name -> the template as plain data.
        rules: Rule files, or folders of them.

    Returns:
        One finding a rule and resource; the resource is `*` where the rule is about the whole template.
    """
    payload = {
        "rules": [path.read_text("utf-8") for place in rules for path in _files(place)],
        "data": [json.dumps(document) for document in documents.values()],
    }
    done = subprocess.run(
        [str(binary()), "validate", "--payload", "--structured", "--show-summary", "none", "--output-format", "json"],
        input=json.dumps(payload),
        capture_output=True,
        text=True,
        check=False,
    )
    # A rule that cannot be read is left out with a word on stderr and no exit code of its own.
    if done.returncode not in {_CLEAN, _FOUND} or done.stderr.strip():
        raise RuntimeError(f"cfn-guard ended with {done.returncode}: {done.stderr[:2000]}")
    return [
        finding
        for file, report in zip(documents, json.loads(done.stdout), strict=True)
        for failed in report["not_compliant"]
        for finding in _findings(file, failed["Rule"])
    ]


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.guard")) if place.is_dir() else [place]


def _findings(file: str, rule: Mapping[str, Any]) -> Iterator[Finding]:
    says = next(_messages(rule), "does not hold")
    for resource in sorted({path.split("/")[2] for path in _paths(rule) if path.startswith("/Resources/")}) or ["*"]:
        yield Finding(Place("cfn-guard", file, resource, rule["name"]), says)


def _messages(report: object) -> Iterator[str]:
    """The words of the rules' authors, the outermost first."""
    if isinstance(report, dict):
        custom = (report.get("messages") or {}).get("custom_message") or ""
        if custom.strip():
            yield custom.strip().splitlines()[0]
        for value in report.values():
            yield from _messages(value)
    elif isinstance(report, list):
        for value in report:
            yield from _messages(value)


def _paths(report: object) -> Iterator[str]:
    """Where in the template the clauses failed that make the rule fail."""
    if isinstance(report, dict):
        if isinstance(report.get("path"), str):
            yield report["path"]
        for key, value in report.items():
            # "to" is what was compared with, "value" beside a path is the template's own text.
            if key != "to" and not (key == "value" and "path" in report):
                yield from _paths(value)
    elif isinstance(report, list):
        for value in report:
            yield from _paths(value)
