import json
from pathlib import Path

import pytest

from infra.local.cloud import EmbeddedCloud
from infra.local.samples import SAMPLES
from infra.local.scenario import TRANSIENT, UNANNOUNCED
from tests.scanhub.processes import scanhub
from tests.scanhub.promised import promised

pytestmark = [pytest.mark.timeout(240)]


def test_the_demo_prints_one_json_document_and_leaves_the_results(tmp_path: Path) -> None:
    run = scanhub("demo", "--json", "--output", str(tmp_path))
    assert run.code == 0, run.err
    report = json.loads(run.out)
    assert (report["ok"], report["faults"]) == (True, [])
    found = {one["function"].rpartition(":")[2]: one for one in report["functions"]}
    unannounced = UNANNOUNCED.name
    assert set(found) == {*(sample.name for sample in SAMPLES), unannounced}
    assert {cve for finding in found[unannounced]["findings"] for cve in finding["cves"]} == UNANNOUNCED.expected.cves
    assert promised("sweep", report["sweep"])["counts"]["queuedBy"] == {"missing": 1}
    coverage = {row["name"]: row for row in report["coverage"]}
    assert set(coverage) == {*found, TRANSIENT.name}
    assert coverage[TRANSIENT.name]["state"] == "GONE"
    assert all(row["state"] and row["reason"] for row in coverage.values())
    for sample in SAMPLES:
        cves = {cve for finding in found[sample.name]["findings"] for cve in finding["cves"]}
        assert cves == (set() if sample.excluded else sample.expected.cves)
    assert [parked["reason"] for parked in report["parked"]] == ["account_mismatch", "not_json", "wrong_type"]
    manifests = list((tmp_path / "results" / "scans").rglob("manifest.json"))
    assert len(manifests) == sum(not sample.excluded for sample in SAMPLES) + 1
    assert "journey ended" in (tmp_path / "worker.log").read_text()


def test_a_second_demo_on_the_same_cloud_finds_everything_covered(tmp_path: Path) -> None:
    with EmbeddedCloud() as cloud:
        first = scanhub("demo", "--output", str(tmp_path / "1"), AWS_ENDPOINT_URL=cloud.endpoint)
        run = scanhub("demo", "--output", str(tmp_path / "2"), AWS_ENDPOINT_URL=cloud.endpoint)
    assert (first.code, run.code) == (0, 0), first.err + run.err
    assert "stored" not in run.out
    assert "covered" in run.out
