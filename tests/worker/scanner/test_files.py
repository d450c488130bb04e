from pathlib import Path

import pytest

from hub.redaction import Redactor
from hub.scanned import ArtifactName
from worker.scanner.files import collect, open_file, plain_name
from worker.scanner.redaction import ScanRedaction

SECRET = "s3cr3t-canary"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("lambdascan_1767225600-ScanResult.json", ArtifactName.SCAN_RESULT),
        ("a-ScanResult.spdx.json", ArtifactName.SPDX),
        ("a-Report.sarif.json", ArtifactName.SARIF),
        ("a-Report.json", ArtifactName.REPORT),
        ("a-gitlab_vuln_report.json", ArtifactName.GITLAB),
        ("a-ScanResult.cyclonedx.json", ArtifactName.CYCLONEDX),
        ("a-CycloneDX-1.6.json", ArtifactName.CYCLONEDX),
        ("sbom.cdx.json", ArtifactName.CYCLONEDX),
        ("ScanResult.json", ArtifactName.SCAN_RESULT),
        ("cyclonedx-tool-Report.sarif.json", ArtifactName.SARIF),
        ("cyclonedx-tool-gitlab_vuln_report.json", ArtifactName.GITLAB),
        ("my-Report.sarif.json-ScanResult.json", ArtifactName.SCAN_RESULT),
        ("a-ScanResult.json.tmp", None),
        ("a-Report.html", None),
        ("a-NotAReport.json", None),
        ("cyclonedx.xml", None),
    ],
)
def test_files_are_known_by_their_suffix(file: str, name: ArtifactName | None) -> None:
    assert plain_name(file) is name


def redaction() -> ScanRedaction:
    return ScanRedaction(Redactor(), [SECRET])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "scrubbed").mkdir()
    return tmp_path / "out"


def test_a_clean_file_is_handed_over_as_it_is(out: Path) -> None:
    (out / "a-Report.json").write_bytes(b"x" * 200_000)
    found = collect(out, scrubbed=out.parent / "scrubbed", redaction=redaction())
    assert [(one.name, one.size) for one in found.artifacts] == [(ArtifactName.REPORT, 200_000)]
    assert list((out.parent / "scrubbed").iterdir()) == []
    assert found.reasons == ()


@pytest.mark.parametrize("at", [0, 65_530, 65_536, 131_066, 190_000])
def test_a_secret_is_found_wherever_it_stands(out: Path, at: int) -> None:
    content = b"x" * at + SECRET.encode() + b"y" * (190_000 - at)
    (out / "a-Report.json").write_bytes(content)
    (artifact,) = collect(out, scrubbed=out.parent / "scrubbed", redaction=redaction()).artifacts
    with artifact.open() as file:
        clean = file.read()
    assert clean == content.replace(SECRET.encode(), b"[redacted]")
    assert artifact.size == len(clean)


def test_an_empty_directory_has_no_files(out: Path) -> None:
    found = collect(out, scrubbed=out.parent / "scrubbed", redaction=redaction())
    assert (found.artifacts, found.reasons) == ((), ())


def test_a_link_is_not_opened(out: Path) -> None:
    (out / "link").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        open_file(out / "link")
