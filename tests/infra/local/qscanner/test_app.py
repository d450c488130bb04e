import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.qscanner.app import run
from infra.local.qscanner.limits import Limits
from infra.local.samples import SAMPLES
from tests.infra.local.qscanner.lambda_double import LambdaDouble, arn_of
from tests.infra.local.qscanner.recording import zipped

SAMPLE = {sample.name: sample for sample in SAMPLES}


class Ran:
    def __init__(self, argv: list[str], environ: dict[str, str], limits: Limits | None = None) -> None:
        stdout, stderr = io.StringIO(), io.StringIO()
        self.code = run(argv, environ, stdout, stderr, limits=limits)
        self.stdout, self.stderr = stdout.getvalue(), stderr.getvalue()


@pytest.fixture
def cloud() -> Iterator[LambdaDouble]:
    with LambdaDouble() as double:
        yield double


def scan(cloud: LambdaDouble, out: Path, content: bytes, *more: str, limits: Limits | None = None) -> Ran:
    arn = cloud.publish("orders-api", content)
    argv = ["--pod", "EU1", "lambda", arn, "--output-dir", str(out), *more]
    return Ran(argv, cloud.environ(), limits)


def files(out: Path) -> set[str]:
    """The suffixes after the target's prefix."""
    return {path.name.split("-", 3)[-1] for path in out.iterdir()}


def test_a_scan_leaves_the_files_asked_for(cloud: LambdaDouble, tmp_path: Path) -> None:
    ran = scan(
        cloud,
        tmp_path / "out",
        SAMPLE["orders-api"].build(),
        *("--format", "json,spdx,cyclonedx,spdx-tlv", "--report-format", "sarif,json,gitlab"),
    )
    assert ran.code == 0
    assert ran.stdout == ""
    assert files(tmp_path / "out") == {
        "ScanResult.json",
        "ScanResult.spdx.json",
        "ScanResult.cyclonedx.json",
        "ScanResult.spdx",
        "Report.sarif.json",
        "Report.json",
        "gitlab_vuln_report.json",
    }
    assert {path.name.rpartition("-")[0] for path in (tmp_path / "out").iterdir()} == {
        next((tmp_path / "out").glob("*-Report.json")).name.removesuffix("-Report.json")
    }


@pytest.mark.parametrize(("mode", "reports"), [("inventory-only", False), ("scan-only", False), ("get-report", True)])
def test_only_the_modes_that_report_write_reports(
    cloud: LambdaDouble, tmp_path: Path, mode: str, reports: bool
) -> None:
    ran = scan(cloud, tmp_path, SAMPLE["orders-api"].build(), "--mode", mode, "--report-format", "sarif,table")
    assert ran.code == 0
    assert files(tmp_path) == ({"ScanResult.json", "Report.sarif.json"} if reports else {"ScanResult.json"})
    assert ("CVE-2021-44228" in ran.stdout) is reports


def test_two_functions_never_share_a_prefix(cloud: LambdaDouble, tmp_path: Path) -> None:
    for name in ("orders-api", "orders-api2"):
        arn = cloud.publish(name, zipped({"app.py": "x"}))
        assert Ran(["--pod", "EU1", "lambda", arn, "--output-dir", str(tmp_path)], cloud.environ()).code == 0
    assert len(list(tmp_path.glob("*-ScanResult.json"))) == 2


@pytest.mark.parametrize(
    ("sample", "tags", "code"),
    [
        ("orders-api", ["--policy-tags", "prod"], 42),
        ("redirect", ["--policy-tags", "prod"], 0),
        ("webhook-relay", ["--policy-tags", "prod"], 0),
        ("orders-api", [], 43),
        ("redirect", [], 43),
    ],
)
def test_the_policy_verdict(cloud: LambdaDouble, tmp_path: Path, sample: str, tags: list[str], code: int) -> None:
    ran = scan(cloud, tmp_path, SAMPLE[sample].build(), "--mode", "evaluate-policy", *tags)
    assert ran.code == code
    assert "Report.json" in files(tmp_path)


@pytest.mark.parametrize("token", ["", "  ", None])
def test_no_token_is_unauthorized_and_calls_nobody(cloud: LambdaDouble, tmp_path: Path, token: str | None) -> None:
    environ = {**cloud.environ(), "QUALYS_ACCESS_TOKEN": token or ""}
    if token is None:
        del environ["QUALYS_ACCESS_TOKEN"]
    argv = ["lambda", cloud.publish("orders-api", zipped({"a": "b"})), "--pod", "EU1", "--output-dir", str(tmp_path)]
    ran = Ran(argv, environ)
    assert ran.code == 1
    assert "unauthorized" in ran.stderr
    assert cloud.seen == []
    assert Ran([*argv, "--mode", "inventory-only"], environ).code == 0


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"no zip", 5, "not a zip archive"),
        (zipped({"app.py": "x" * 500})[:-30], 7, "damaged"),
        (zipped({"zeros": bytes(8 << 20)}), 9, "possibly a zip bomb"),
    ],
    # A zip holds the time of its making: as an id it would differ between the processes that collect the tests.
    ids=["no-zip", "damaged", "bomb"],
)
def test_a_package_that_cannot_be_read(
    cloud: LambdaDouble, tmp_path: Path, content: bytes, code: int, says: str
) -> None:
    ran = scan(cloud, tmp_path, content)
    assert ran.code == code
    assert says in ran.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_limits_are_the_callers(cloud: LambdaDouble, tmp_path: Path) -> None:
    assert scan(cloud, tmp_path, zipped({"a": "", "b": ""}), limits=Limits(entries=1)).code == 9


def test_a_missing_function(cloud: LambdaDouble, tmp_path: Path) -> None:
    ran = Ran(["lambda", arn_of("gone"), "--pod", "EU1", "--output-dir", str(tmp_path)], cloud.environ())
    assert ran.code == 10
    assert f"ResourceNotFoundException: Function not found: {arn_of('gone')}" in ran.stderr


@pytest.mark.parametrize("command", ["lambda", "function"])
def test_a_target_that_is_no_arn(command: str) -> None:
    ran = Ran([command, "orders-api", "--pod", "EU1"], {"QUALYS_ACCESS_TOKEN": "x"})
    assert ran.code == 2
    assert "not a function ARN" in ran.stderr.splitlines()[-1]


def test_a_wrong_parameter_is_one_line() -> None:
    ran = Ran(["lambda"], {})
    assert ran.code == 2
    assert len(ran.stderr.splitlines()) == 1


def test_images_cannot_be_read() -> None:
    ran = Ran(["image", "registry.example/app:1", "--pod", "EU1"], {"QUALYS_ACCESS_TOKEN": "x"})
    assert ran.code == 6
    assert "cannot read container images" in ran.stderr


def test_a_directory(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "node_modules" / "lodash").mkdir(parents=True)
    (root / "node_modules" / "lodash" / "package.json").write_text('{"name": "lodash", "version": "4.17.4"}')
    out = tmp_path / "out"
    ran = Ran(["rootfs", str(root), "--mode", "inventory-only", "--output-dir", str(out)], {})
    assert ran.code == 0
    result = json.loads(next(out.glob("*-ScanResult.json")).read_text())
    assert [package["PURL"] for package in result["Packages"]] == ["pkg:npm/lodash@4.17.4"]
    assert result["Metadata"]["TargetMetadata"]["ImageMetadata"]["RepoTags"] == []


def test_an_output_directory_that_cannot_be_made(cloud: LambdaDouble, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    ran = scan(cloud, blocked / "out", zipped({"a": "b"}))
    assert ran.code == 30
    assert "failed to write results" in ran.stderr


def test_no_temporary_space(cloud: LambdaDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    ran = scan(cloud, tmp_path, zipped({"a": "b"}))
    assert ran.code == 30
    assert "No space left on device" in ran.stderr


def test_the_time_limit_holds(cloud: LambdaDouble, tmp_path: Path) -> None:
    ran = scan(cloud, tmp_path, zipped({"a": "b"}), "--scan-timeout", "0s")
    assert ran.code == 1
    assert "timed out" in ran.stderr


def test_other_scan_types_are_taken_and_said_not_to_be_done(cloud: LambdaDouble, tmp_path: Path) -> None:
    ran = scan(cloud, tmp_path, zipped({"a": "b"}), "--scan-types", "pkg,malware")
    assert ran.code == 0
    assert "scan type malware is accepted and not done by the stand-in" in ran.stderr


def test_layers_are_read_with_their_own_digest(cloud: LambdaDouble, tmp_path: Path) -> None:
    layer = cloud.publish_layer(
        "shared", zipped({"python/PyYAML-5.1.dist-info/METADATA": "Name: PyYAML\nVersion: 5.1\n"})
    )
    cloud.publish("orders-api", zipped({"a": "b"}), Layers=[{"Arn": layer, "CodeSize": 1}])
    argv = ["lambda", arn_of("orders-api"), "--pod", "EU1", "--output-dir", str(tmp_path), "--report-format", "sarif"]
    assert Ran(argv, cloud.environ()).code == 0
    run_ = json.loads(next(tmp_path.glob("*.sarif.json")).read_text())["runs"][0]
    result = json.loads(next(tmp_path.glob("*-ScanResult.json")).read_text())
    (layer_sha,) = {
        software["layerSHA"] for one in run_["results"] for software in one["properties"]["vulnerableSoftware"]
    }
    assert layer_sha.startswith("sha256:")
    assert layer_sha != f"sha256:{result['Metadata']['TargetMetadata']['ImageMetadata']['Sha256']}"


@pytest.mark.parametrize("level", ["trace", "info", "warn", "error"])
def test_stderr_says_that_it_is_a_stand_in_at_every_level(cloud: LambdaDouble, tmp_path: Path, level: str) -> None:
    ran = scan(cloud, tmp_path, zipped({"a": "b"}), "--log-level", level)
    assert "qscanner (stand-in) 4.8.0-standin" in ran.stderr.splitlines()[0]
    assert "nothing sent to Qualys" in ran.stderr.splitlines()[0]
    assert (" INFO " in ran.stderr) is (level in {"trace", "info"})


def test_no_secret_of_the_environment_shows_anywhere(cloud: LambdaDouble, tmp_path: Path) -> None:
    ran = scan(cloud, tmp_path, SAMPLE["billing-export"].build(), "--scan-types=pkg,secret", "--report-format=sarif")
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    for value in list(cloud.environ().values())[:4]:
        assert value not in ran.stdout + ran.stderr + written
    assert "Signature" not in ran.stdout + ran.stderr + written
    assert len(cloud.seen) == 2
