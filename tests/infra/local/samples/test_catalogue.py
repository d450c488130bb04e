import io
import json
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from infra.local.qscanner.secret_rules import secrets_in
from infra.local.samples import SAMPLES, Sample
from infra.local.samples.handlers import PYTHON

EACH = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
SOURCES = Path(__file__).parents[4] / "infra" / "local" / "samples"
BY_NAME = {sample.name: sample for sample in SAMPLES}


@EACH
def test_the_zip_is_the_same_each_time(sample: Sample) -> None:
    assert sample.build() == sample.build()


def test_the_zips_are_the_same_on_every_machine() -> None:
    """Their order, dates, modes and packing depend on nothing but the contents."""
    for sample in SAMPLES:
        with zipfile.ZipFile(io.BytesIO(sample.build())) as archive:
            assert archive.testzip() is None
            entries = archive.infolist()
            assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
            assert {(entry.date_time, entry.compress_type, entry.create_system) for entry in entries} == {
                ((2026, 11, 1, 0, 0, 0), zipfile.ZIP_STORED, 3)
            }


def test_no_two_samples_hold_the_same() -> None:
    assert len({sample.build() for sample in SAMPLES}) == len({sample.name for sample in SAMPLES}) == len(SAMPLES) == 10


def test_three_spokes_and_two_regions_all_have_some() -> None:
    assert {(sample.account, sample.region) for sample in SAMPLES} == {(a, r) for a in range(3) for r in range(2)}
    assert {sample.architecture for sample in SAMPLES} == {"x86_64", "arm64"}


def test_one_is_excluded_one_is_clean_and_one_is_empty() -> None:
    assert [sample.name for sample in SAMPLES if sample.excluded] == ["legacy-report"]
    clean = BY_NAME["health-check"].expected
    assert (clean.cves, clean.secrets, clean.status) == (frozenset(), 0, "success")
    assert [sample.name for sample in SAMPLES if sample.expected.reasons == ("no_packages",)] == ["redirect"]


@EACH
def test_the_handler_is_in_the_package(sample: Sample) -> None:
    with zipfile.ZipFile(io.BytesIO(sample.build())) as archive:
        names = archive.namelist()
        if sample.runtime.startswith("python"):
            module, _, function = sample.handler.partition(".")
            source = archive.read(f"{module}.py").decode()
            compile(source, module, "exec")
            assert f"def {function}(" in source
        elif sample.runtime.startswith("nodejs"):
            assert "index.mjs" in names
        else:
            assert sample.handler.partition("::")[0].replace(".", "/") + ".java" in names


def test_the_python_handler_really_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(io.BytesIO(BY_NAME["invoice-render"].build())) as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    exec(compile(PYTHON, "app.py", "exec"), scope)  # noqa: S102  # the sample's own code
    handler = scope["handler"]
    assert callable(handler)
    versions = json.loads(handler({}, None)["body"])
    assert versions["requests"] == "2.19.1"
    assert versions["PyYAML"] == "5.1"


def test_python_packages_are_installed_as_pip_installs_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(BY_NAME["invoice-render"].build())) as archive:
        archive.extractall(tmp_path)
    for distribution in metadata.distributions(path=[str(tmp_path)]):
        files = distribution.files
        assert files
        for file in files:
            content = Path(str(file.locate())).read_bytes()
            assert file.size in {None, len(content)}
        assert distribution.read_text("INSTALLER") == "pip\n"


def test_no_source_of_a_sample_looks_like_a_secret() -> None:
    """Or every secret scanner that looks at this repository would raise an alarm."""
    for path in SOURCES.rglob("*.py"):
        assert list(secrets_in(str(path), path.read_bytes())) == []
