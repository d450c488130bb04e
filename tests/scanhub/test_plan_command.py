import json

import pytest
import typer
from typer.testing import CliRunner

from scanhub import terminal
from scanhub.plan_command import plan

ASKED = ["--functions", "500", "--accounts", "10", "--changes-per-day", "100", "--scan-seconds", "30"]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("COLUMNS", "200")
    app = typer.Typer()
    app.command()(plan)
    return app


def test_it_prints_what_is_asked_beside_ten_times_that(command: typer.Typer) -> None:
    result = CliRunner().invoke(command, ASKED)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    rows = {line.split("  ")[0].strip(): line.split("  ") for line in lines if line.strip()}
    assert [cell.strip() for cell in rows["functions"] if cell.strip()] == ["functions", "500", "5,000"]
    for title in (
        "THE FIRST SWEEP",
        "COMMON DAYS",
        "DOLLARS A MONTH",
        "LIMITS, SHARE IN USE",
        "RAISE FIRST (TEN TIMES)",
    ):
        assert any(line.startswith(title) for line in lines), title
    assert "time to first full coverage" in rows
    assert "together" in rows
    assert any(line.startswith("1. Fargate On-Demand vCPU resource count: 20 of 6 vCPU") for line in lines)


def test_json_is_one_document_and_the_same_seed_gives_the_same(command: typer.Typer) -> None:
    arguments = [*ASKED, "--json", "--max-tasks", "7", "--slots", "6", "--zip-share", "0.5", "--seed", "3"]
    first, second = (CliRunner().invoke(command, arguments) for _ in range(2))
    assert first.stdout == second.stdout
    document = json.loads(first.stdout)
    assert (document["schemaVersion"], document["seed"]) == (1, 3)
    asked, tenfold = document["plans"]
    assert asked["demand"]["functions"] * 10 == tenfold["demand"]["functions"] == 5000
    assert (asked["setup"]["maxTasks"], asked["setup"]["slots"], asked["setup"]["slotsPerAccount"]) == (7, 6, 5)
    assert asked["demand"]["imageScanSeconds"] == 90
    assert tenfold["firstCoverage"]["seconds"] > asked["firstCoverage"]["seconds"] > 0
    assert tenfold["costAMonth"]["total"] > asked["costAMonth"]["total"]


def test_in_a_file_no_line_is_folded(command: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    lines = CliRunner().invoke(command, ASKED).stdout.splitlines()
    [advice] = [line for line in lines if line.startswith("1. Fargate") and "20 of 6 vCPU" in line][:1]
    assert advice.endswith("of the hub's account and region")
    [holds] = [line for line in lines if line.startswith("what holds it")]
    assert holds.count("(`") == holds.count("`)")


def test_on_a_narrow_terminal_what_to_raise_is_no_line_cut_in_two(
    command: typer.Typer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "wide", lambda: terminal.UncutConsole(width=80))
    assert any(
        line.startswith("1. Fargate") and line.endswith("of the hub's account and region")
        for line in CliRunner().invoke(command, ASKED).stdout.splitlines()
    )


def test_two_slots_a_cpu_unless_told(command: typer.Typer) -> None:
    result = CliRunner().invoke(command, [*ASKED, "--json", "--task-cpus", "4"])
    assert json.loads(result.stdout)["plans"][0]["setup"]["slots"] == 8


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--min-tasks", "11"], "--max-tasks"),
        (["--zip-share", "1.5"], "--zip-share"),
        (["--busy-hours", "25"], "--busy-hours"),
        (["--functions", "0"], "--functions"),
        (["--changes-per-day", "inf"], "--changes-per-day"),
        (["--changes-per-day", "500001"], "1,000 for each of --functions"),
        (["--scan-seconds", "inf"], "--scan-seconds"),
        (["--scan-seconds", "1e12"], "--scan-seconds"),
        (["--image-scan-seconds", "inf"], "--image-scan-seconds"),
        (["--regions", "100000000"], "--regions"),
        (["--package-mb", "1e300"], "--package-mb"),
        (["--image-mb", "inf"], "--image-mb"),
        (["--scan-seconds", "nan"], "--scan-seconds"),
    ],
)
def test_what_cannot_be_is_refused(command: typer.Typer, arguments: list[str], word: str) -> None:
    result = CliRunner().invoke(command, [*ASKED, *arguments])
    assert result.exit_code == 2
    assert word in result.stderr
