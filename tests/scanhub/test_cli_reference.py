from collections.abc import Iterator
from typing import Any

import typer

from scanhub.cli_reference import DOCUMENT, reference
from scanhub.command_line import app


def commands(command: Any, words: str = "scanhub") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # typer's own copy of click
    yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, f"{words} {name}")


def test_the_reference_is_current() -> None:
    assert DOCUMENT.read_text() == reference(), "run make cli"


def test_every_command_and_every_option_stands_in_it_with_words_of_its_own() -> None:
    text = reference()
    for words, command in commands(typer.main.get_command(app)):
        assert f"`{words}" in text or words == "scanhub"
        assert command.help, words
        for parameter in command.params:
            if getattr(parameter, "hidden", False) or parameter.name in {"help", "install_completion"}:
                continue
            name = parameter.opts[-1] if parameter.param_type_name == "option" else parameter.metavar or parameter.name
            assert name in text, (words, name)
            assert parameter.help, (words, name)
