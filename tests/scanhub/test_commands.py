"""The list of commands costs little; each command is loaded when it is its turn."""

import resource
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from scanhub.command_line import app
from scanhub.commands import COMMANDS, listed
from tests.scanhub.processes import SCANHUB, environment, scanhub

TOO_HEAVY = {"hub", "infra", "aiobotocore", "aiohttp", "asyncio", "boto3", "botocore", "pydantic", "structlog"}


def loaded(*arguments: str, **changes: str) -> set[str]:
    """The packages that a command line imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *SCANHUB[1:], *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
        env=environment(changes),
    )
    return {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}


def test_the_table_says_what_the_commands_say_of_themselves() -> None:
    group = typer.main.get_command(app)
    said = {name: (one.help or "").split("\n\n")[0].replace("\n", " ") for name, one in group.commands.items()}  # type: ignore[attr-defined]  # a group of commands
    assert said == {name: command.summary for name, command in COMMANDS.items()}


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"]])
def test_help_and_version_load_no_command(arguments: list[str]) -> None:
    packages = loaded(*arguments)
    assert {"scanhub", "typer"} <= packages
    assert not packages & TOO_HEAVY


def test_help_costs_little_cpu() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert scanhub("--help").code == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.7


def test_help_names_every_command_with_its_summary() -> None:
    run = scanhub("--help")
    assert (run.code, run.err) == (0, "")
    text = " ".join(run.out.replace("│", " ").split())
    for name, command in COMMANDS.items():
        assert f" {name} {command.summary}" in text
    without = scanhub()
    assert (without.code, without.out.rstrip()) == (2, run.out.rstrip())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_the_real_one(name: str) -> None:
    ours, whole = (CliRunner().invoke(one, [name, "--help"], prog_name="scanhub") for one in (listed(), app))
    assert (ours.exit_code, ours.output) == (0, whole.output)
    assert f"Usage: scanhub {name} " in ours.output


def test_a_command_of_a_group_is_run() -> None:
    run = scanhub("local", "up", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert run.code == 1
    assert "http://127.0.0.1:9" in run.err


def test_a_command_loads_no_other() -> None:
    assert "boto3" not in loaded("plan", "--help")


def test_a_wrong_name_is_told_with_the_one_that_was_meant() -> None:
    run = scanhub("swep")
    assert (run.code, run.out) == (2, "")
    assert "no such command 'swep'. Did you mean 'sweep'?" in run.err


def test_a_shell_completes_names_and_their_options() -> None:
    command = Path(sysconfig.get_path("scripts")) / "scanhub"

    def completed(words: str) -> str:
        asked = {"_SCANHUB_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": words}
        run = subprocess.run([command], capture_output=True, text=True, check=True, timeout=50, env=environment(asked))
        return run.stdout

    names = completed("scanhub sc")
    assert "Ask for a scan of these functions" in names
    assert "sweep" not in names
    assert "--in-hub" in completed("scanhub sweep --i")
    assert "redrive" in completed("scanhub dlq r")
