"""What is wrong with a command line is told in one line, whoever finds it."""

import sys
from typing import Annotated

import pytest
import typer

from scanhub import usage
from tests.scanhub.processes import scanhub

HELP = "Usage: scanhub "


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["swep"], "scanhub: no such command 'swep'. Did you mean 'sweep'? See scanhub --help"),
        (["--nope"], "scanhub: no such option: --nope: see scanhub --help"),
        (["dlq", "show"], "scanhub dlq show: missing argument 'ID': see scanhub dlq show --help"),
        (["scan", "--timeout", "0"], "scanhub scan: invalid value for '--timeout': "),
        (["rollout", "nonsense"], "scanhub rollout: no such command 'nonsense': see scanhub rollout --help"),
        (["sweep", "extra\nline"], "scanhub sweep: got unexpected extra argument"),
    ],
)
def test_a_wrong_command_line_is_told_in_a_line_with_where_to_look(arguments: list[str], told: str) -> None:
    run = scanhub(*arguments, COLUMNS="40")
    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert run.err.startswith(told)
    assert run.err.endswith(" --help\n")


@pytest.mark.parametrize("words", [[], ["dlq"], ["rollout"]])
def test_a_group_without_a_word_shows_its_help_and_no_more(words: list[str]) -> None:
    run = scanhub(*words)
    assert (run.code, run.err) == (2, "")
    assert HELP + " ".join(words) in run.out
    asked = scanhub(*words, "--help")
    assert (asked.code, asked.out.rstrip()) == (0, run.out.rstrip())


def ended(monkeypatch: pytest.MonkeyPatch, *words: str) -> int | str | None:
    """With what a command line of a small command ends."""
    app = typer.Typer()

    @app.command()
    def paint(how: Annotated[str, typer.Argument(metavar="HOW")]) -> None:
        match how:
            case "exit":
                raise typer.Exit(3)
            case "abort":
                raise typer.Abort
            case "interrupt":
                raise KeyboardInterrupt
            case "refuse":
                raise typer.BadParameter("no such colour.")

    monkeypatch.setattr(sys, "argv", ["scanhub", *words])
    try:
        usage.run(app)
    except SystemExit as end:
        return end.code
    return 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["well"], 0, ""),
        (["exit"], 3, ""),
        (["abort"], 1, "scanhub: aborted\n"),
        (["interrupt"], 130, ""),
        (["refuse"], 2, "scanhub: invalid value: no such colour: see scanhub --help\n"),
        ([], 2, "scanhub: missing argument 'HOW': see scanhub --help\n"),
    ],
)
def test_every_end_has_its_exit_code(
    words: list[str], code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, *words) == code
    assert capsys.readouterr().err == told


def test_a_bug_is_not_swallowed() -> None:
    app = typer.Typer()

    @app.command()
    def broken() -> None:
        raise LookupError("a bug")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["scanhub"])
        with pytest.raises(LookupError):
            usage.run(app)
