import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hub import result_files
from hub.scanned import ArtifactName
from hub.scans import ScanStatus
from spoke.errors import Unavailable
from tests.hub.broken import broken
from tests.hub.samples import CYCLONEDX, KEY_IN_CODE, PREFIX, REPORT, SCAN_RESULT, scanned
from tests.hub.schemas import closed
from tests.hub.storage import document, lines, store, without
from tests.hub.test_inventories import SPDX
from tests.virtual_time import run
from worker.memory.objects import MemoryObjects


async def test_findings_name_the_package_of_the_inventory() -> None:
    objects = MemoryObjects()
    await store(objects, scanned())
    found = lines(objects, "findings.jsonl")
    assert [(one["severity"], one["kind"]) for one in found] == sorted(
        [("critical", "vulnerability"), ("critical", "secret"), ("high", "vulnerability"), ("high", "vulnerability")],
        key=lambda pair: (pair[0], next(i for i, one in enumerate(found) if (one["severity"], one["kind"]) == pair)),
    )
    assert {one["package"]["name"]: one["package"]["purl"] for one in found if one["package"]} == {
        "requests": "pkg:pypi/requests@2.19.0",
        "urllib3": "pkg:pypi/urllib3@1.23",
        "PyYAML": "pkg:pypi/pyyaml@5.1",
    }
    assert [one["purl"] for one in lines(objects, "packages.jsonl")] == [
        "pkg:pypi/pyyaml@5.1",
        "pkg:pypi/requests@2.19.0",
        "pkg:pypi/urllib3@1.23",
    ]


async def test_the_value_of_a_secret_is_in_no_document_of_ours() -> None:
    objects = MemoryObjects()
    await store(objects, scanned())
    for name in ("findings.jsonl", "packages.jsonl", "manifest.json"):
        assert KEY_IN_CODE.encode() not in objects.stored[PREFIX + name].data


async def test_a_file_that_s3_does_not_take_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_files, "MAX_OBJECT", 1000)
    objects = MemoryObjects()
    summary = await store(objects, scanned(without(REPORT=b"x" * 1001, STDERR=b"x" * 1000)))
    assert "artifact_too_large:report.json" in summary.reasons
    assert f"{PREFIX}report.json" not in objects.stored
    assert f"{PREFIX}stderr.log" in objects.stored


@pytest.mark.parametrize("nth", range(7))
async def test_whichever_write_fails_there_is_no_manifest(nth: int) -> None:
    calls = []

    async def fail(operation: str, *, after: bool) -> None:
        calls.extend([] if after else [operation])
        if len(calls) == nth + 1:
            raise Unavailable("the bucket does not answer")

    objects = MemoryObjects(fail)
    with pytest.raises(Unavailable):
        await store(objects, scanned())
    assert f"{PREFIX}manifest.json" not in objects.stored


@settings(deadline=None)  # on a busy machine the first validation takes long
@given(
    st.fixed_dictionaries(
        {ArtifactName.SARIF: broken(REPORT), ArtifactName.SCAN_RESULT: broken(SCAN_RESULT)},
        optional={ArtifactName.CYCLONEDX: broken(CYCLONEDX), ArtifactName.SPDX: broken(SPDX)},
    )
)
def test_whatever_the_files_hold_what_is_written_keeps_to_the_schemas(files: dict[ArtifactName, object]) -> None:
    objects = MemoryObjects()
    summary = run(store(objects, scanned(files)))
    for name in ("findings", "packages"):
        validator = Draft202012Validator(closed(name.removesuffix("s")))
        for line in lines(objects, f"{name}.jsonl"):
            validator.validate(line)
    Draft202012Validator(closed("manifest")).validate(document(objects))
    assert len(lines(objects, "findings.jsonl")) == summary.findings
    assert len(lines(objects, "packages.jsonl")) == summary.packages
    assert (summary.status is ScanStatus.SUCCESS) is (summary.reasons == ())


async def test_the_same_scan_gives_the_same_bytes() -> None:
    one, other = MemoryObjects(), MemoryObjects()
    await store(one, scanned())
    await store(other, scanned())
    assert one.stored == other.stored
