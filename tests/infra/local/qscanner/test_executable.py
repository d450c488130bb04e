"""The stand-in as the worker runs it: a process of its own, with the environment of the contract and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.samples import SAMPLES, Sample
from tests.infra.local.qscanner.lambda_double import LambdaDouble

COMMAND = [sys.executable, "-m", "infra.local.qscanner.app"]
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def cloud() -> Iterator[LambdaDouble]:
    with LambdaDouble() as double:
        for sample in SAMPLES:
            double.publish(sample.name, sample.build(), Runtime=sample.runtime, Handler=sample.handler)
        yield double


def scanned(cloud: LambdaDouble, name: str, out: Path) -> subprocess.CompletedProcess[str]:
    arn = cloud.functions[next(arn for arn in cloud.functions if arn.endswith(f":{name}"))]["Configuration"]
    argv = ["--pod", "EU1", "--mode", "get-report", "--scan-types", "pkg,secret", "--format", "json,spdx,cyclonedx"]
    return subprocess.run(
        [*COMMAND, *argv, "--report-format", "sarif", "--output-dir", out, "lambda", arn["FunctionArn"]],
        env={**cloud.environ(), "PATH": os.environ["PATH"], "HOME": str(out), "TMPDIR": str(out.parent)},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_finds_exactly_what_is_in_the_sample(cloud: LambdaDouble, sample: Sample, tmp_path: Path) -> None:
    done = scanned(cloud, sample.name, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    run = json.loads(next((tmp_path / "out").glob("*-Report.sarif.json")).read_text())["runs"][0]
    result = json.loads(next((tmp_path / "out").glob("*-ScanResult.json")).read_text())
    bom = json.loads(next((tmp_path / "out").glob("*cyclonedx*.json")).read_text())

    rules = run["tool"]["driver"]["rules"]
    assert {cve for rule in rules for cve in rule["properties"]["cve-ids"]} == sample.expected.cves
    assert len(run["results"]) == len(rules) == len(sample.expected.cves)
    assert sum(len(target["Secrets"]) for target in result["SecretResults"]) == sample.expected.secrets
    assert len(bom["components"]) == len(result["Packages"]) == sample.expected.packages
    assert result["Warnings"] == []
    assert (sample.expected.reasons == ("no_packages",)) is (sample.expected.packages == 0)


def test_leaves_nothing_but_its_output(cloud: LambdaDouble, tmp_path: Path) -> None:
    scanned(cloud, "catalog-search", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_the_version_is_printed_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *COMMAND[1:], "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert done.stdout.splitlines()[0] == "qscanner 4.8.0-standin"
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"botocore", "boto3", "univers", "pydantic", "urllib.request"}
