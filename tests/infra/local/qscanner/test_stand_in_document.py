"""The document is held to what the stand-in really does."""

import re
from pathlib import Path

from infra.local.qscanner import VERSION
from infra.local.qscanner.advisories import advisories
from infra.local.qscanner.exit_codes import ExitCode
from infra.local.qscanner.limits import Limits

TEXT = (Path(__file__).parents[4] / "docs" / "stand-in.md").read_text()


def test_lists_every_advisory_with_its_ids_and_fixed_versions() -> None:
    rows = {row[1]: row for row in (line.strip("| ").split(" | ") for line in TEXT.splitlines()) if len(row) == 7}
    known = advisories()
    assert {one.cve for one in known} == {cve for cve in rows if cve.startswith("CVE-")}
    for one in known:
        qid, _, ghsa, packages, fixed, severity, _ = rows[one.cve]
        assert (int(qid), ghsa, severity) == (one.qid, one.ghsa, one.severity.name.lower())
        assert tuple(re.findall(r"`([^`]+)`", packages)) == one.packages
        assert set(fixed.split(", ")) == {each.fixed for each in one.ranges}
    assert f"the {len(known)} advisories" in TEXT


def test_names_the_version_every_exit_code_and_the_limits() -> None:
    assert f"qscanner {VERSION}" in TEXT
    table = TEXT.partition("| exit code |")[2].partition("\n\n")[0]
    named = {
        int(code) for line in table.splitlines() for code in re.findall(r"\d+", line.split("|")[1]) if "|" in line[1:]
    }
    assert named == set(ExitCode)
    limits = Limits()
    for figure in (limits.entries, limits.total_bytes >> 20, limits.file_bytes >> 20, limits.directory_bytes >> 20):
        assert re.search(rf"\| {figure:,}(?: MiB)? \|", TEXT)
    assert f"| {limits.ratio} |" in TEXT
    assert f"| {limits.depth} deep |" in TEXT
