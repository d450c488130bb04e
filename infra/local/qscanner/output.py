"""Writes the files of a scan into the output directory, under the names of the contract."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.local.qscanner.command import Options
from infra.local.qscanner.documents.cyclonedx import cyclonedx
from infra.local.qscanner.documents.report import gitlab, report
from infra.local.qscanner.documents.sarif import sarif
from infra.local.qscanner.documents.scan_result import scan_result
from infra.local.qscanner.documents.spdx import spdx, tag_value
from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.scan import Scan


def _json(build: Callable[[Scan], dict[str, Any]]) -> Callable[[Scan], str]:
    return lambda scan: json.dumps(build(scan), indent=2, ensure_ascii=False) + "\n"


_INVENTORY: Mapping[str, tuple[str, Callable[[Scan], str]]] = {
    "json": ("ScanResult.json", _json(scan_result)),
    "spdx": ("ScanResult.spdx.json", _json(spdx)),
    "spdx-tlv": ("ScanResult.spdx", lambda scan: tag_value(spdx(scan))),
    "cyclonedx": ("ScanResult.cyclonedx.json", _json(cyclonedx)),
}
_REPORTS: Mapping[str, tuple[str, Callable[[Scan], str]]] = {
    "json": ("Report.json", _json(report)),
    "sarif": ("Report.sarif.json", _json(sarif)),
    "gitlab": ("gitlab_vuln_report.json", _json(gitlab)),
}


def write(scan: Scan, options: Options) -> list[Path]:
    """Every file asked for; the report `table` is none, it goes to stdout.

    Raises:
        ScanFailed: The directory or a file cannot be written (30).
    """
    wanted = [_INVENTORY[name] for name in options.formats]
    if options.mode.reports:
        wanted += [_REPORTS[name] for name in options.report_formats if name in _REPORTS]
    written = []
    try:
        options.output_dir.mkdir(parents=True, exist_ok=True)
        for suffix, build in wanted:
            file = options.output_dir / f"{scan.target.prefix}-{suffix}"
            unfinished = file.with_name(f".{file.name}.part")
            unfinished.write_text(build(scan), encoding="utf-8")
            # A reader that finds files by suffix must never see half of one.
            unfinished.replace(file)
            written.append(file)
    except OSError as error:
        raise ScanFailed(ExitCode.RESULT_UNWRITABLE, f"failed to write results: {error}") from error
    return written
