import json
from pathlib import Path

import pytest

from infra.local.qscanner.command import Mode, parse
from infra.local.qscanner.exit_codes import ExitCode, ScanFailed

ARN = "arn:aws:lambda:eu-central-1:210987654321:function:orders-api"


@pytest.mark.parametrize(
    "argv",
    [
        ["--pod", "EU1", "--mode", "scan-only", "--scan-types", "pkg,secret", "lambda", ARN],
        ["lambda", ARN, "--pod", "EU1", "--mode", "scan-only", "--scan-types", "pkg,secret"],
        ["--pod=EU1", "--mode=scan-only", "lambda", "--scan-types=pkg,secret", ARN],
        ["--pod=EU1", "lambda", "--mode=scan-only", ARN, "--scan-types=pkg", "--scan-types=secret"],
    ],
)
def test_options_stand_before_or_after_the_command(argv: list[str]) -> None:
    options = parse(argv)
    assert (options.command, options.target) == ("lambda", ARN)
    assert options.mode is Mode.SCAN_ONLY
    assert options.scan_types == ("pkg", "secret")


def test_every_option_of_the_contract_is_taken(tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps([]))
    options = parse(
        [
            *("--gateway-url", "https://gateway.qg1.apps.qualys.example", "--mode", "evaluate-policy"),
            *("--scan-types", "pkg,secret,os,sca,malware,fileinsight,compliance"),
            *("--format", "json,spdx", "--format", "cyclonedx,spdx,spdx-tlv"),
            *("--report-format", "json,sarif,table,gitlab", "--output-dir", str(tmp_path)),
            *("--cache-dir", str(tmp_path / "cache"), "--cache", "none", "--policy-tags", "prod,lambda"),
            *("--scan-timeout", "1h30m", "--secret-config-file", str(rules), "--proxy", "http://proxy:3128"),
            *("--skip-verify-tls", "--log-level", "debug", "function", ARN),
        ]
    )
    assert options.command == "function"
    assert options.mode is Mode.EVALUATE_POLICY
    assert options.formats == ("json", "spdx", "cyclonedx", "spdx-tlv")
    assert options.report_formats == ("json", "sarif", "table", "gitlab")
    assert options.output_dir == tmp_path
    assert options.policy_tags == ("prod", "lambda")
    assert options.scan_timeout == 5400
    assert options.proxy == "http://proxy:3128"
    assert not options.verify_tls
    assert options.log_level == "debug"


def test_what_is_left_out_has_the_defaults() -> None:
    options = parse(["lambda", ARN, "--pod", "US2"])
    assert options.mode is Mode.GET_REPORT
    assert options.scan_types == ("pkg",)
    assert options.formats == options.report_formats == ("json",)
    assert options.policy_tags == ()
    assert options.scan_timeout is None
    assert options.verify_tls


@pytest.mark.parametrize(("text", "seconds"), [("300s", 300), ("5m", 300), ("1.5h", 5400), ("250ms", 0.25)])
def test_durations_are_gos(text: str, seconds: float) -> None:
    assert parse(["lambda", ARN, "--pod", "US2", "--scan-timeout", text]).scan_timeout == pytest.approx(seconds)


@pytest.mark.parametrize(("text", "verify"), [("true", False), ("false", True)])
def test_a_flag_may_have_a_value(text: str, verify: bool) -> None:
    assert parse([f"--skip-verify-tls={text}", "lambda", ARN, "--pod", "US2"]).verify_tls is verify


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        ([], "command"),
        (["lambda"], "target"),
        (["lambda", ARN, "more", "--pod", "EU1"], "more"),
        (["repo", ARN, "--pod", "EU1"], "repo"),
        (["lambda", ARN], "--pod or --gateway-url"),
        (["lambda", ARN, "--pod", "XX9"], "XX9"),
        (["lambda", ARN, "--po", "EU1"], "--po"),
        (["lambda", ARN, "--gateway-url", "http://plain.example"], "no https URL"),
        (["lambda", ARN, "--pod", "EU1", "--mode", "everything"], "everything"),
        (["lambda", ARN, "--pod", "EU1", "--scan-types", "pkg,viruses"], "viruses"),
        (["lambda", ARN, "--pod", "EU1", "--scan-types", ","], "empty"),
        (["lambda", ARN, "--pod", "EU1", "--format", "yaml"], "yaml"),
        (["lambda", ARN, "--pod", "EU1", "--report-format", "pdf"], "pdf"),
        (["lambda", ARN, "--pod", "EU1", "--scan-timeout", "300"], "300"),
        (["lambda", ARN, "--pod", "EU1", "--scan-timeout", "5m!"], "5m!"),
        (["lambda", ARN, "--pod", "EU1", "--unknown", "x"], "--unknown"),
        (["lambda", ARN, "--pod", "EU1", "--secret-config-file", "/nonexistent/rules.json"], "/nonexistent/rules.json"),
    ],
)
def test_a_wrong_parameter_is_exit_2_and_named_in_one_line(argv: list[str], names: str) -> None:
    with pytest.raises(ScanFailed) as failure:
        parse(argv)
    assert failure.value.code is ExitCode.INVALID_PARAMETER
    assert names in failure.value.message
    assert "\n" not in failure.value.message


def test_the_inventory_alone_needs_no_platform() -> None:
    assert parse(["rootfs", "/srv", "--mode", "inventory-only"]).mode is Mode.INVENTORY_ONLY


def test_the_version_stands_alone_in_the_first_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        parse(["--version"])
    assert done.value.code == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert first == "qscanner 4.8.0-standin"
    assert "stand-in" in others[0]
