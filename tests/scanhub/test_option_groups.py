from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from scanhub.option_groups import taking

Size = Annotated[int, typer.Option(min=1, help="How large.")]
Colour = Annotated[str, typer.Option("--colour", "-c", help="Which colour.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Whose.")]


@dataclass(frozen=True)
class Look:
    size: int
    colour: str


def look(*, size: Size = 3, colour: Colour = "red") -> Look:
    if colour == "none":
        raise ValueError("no colour")
    return Look(size, colour)


@taking(look=look)
def named(*, names: Names = None, look: Look) -> tuple[list[str], Look]:
    return names or [], look


told: list[object] = []


@taking(look=look)
def paint(
    first: Annotated[bool, typer.Option("--first", help="Before.")] = False,
    *,
    look: Look,
    last: Annotated[bool, typer.Option("--last", help="After.")] = False,
) -> None:
    """Paint it."""
    told.append((first, look, last))


@taking(both=named)
def sign(*, both: tuple[list[str], Look]) -> None:
    """Sign it."""
    told.append(both)


@pytest.fixture
def app() -> typer.Typer:
    told.clear()
    app = typer.Typer()
    app.command()(paint)
    app.command()(sign)
    return app


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["paint"], (False, Look(3, "red"), False)),
        (["paint", "--first", "--size", "7", "-c", "blue", "--last"], (True, Look(7, "blue"), True)),
        (["sign"], ([], Look(3, "red"))),
        (["sign", "a", "--colour", "blue", "b"], (["a", "b"], Look(3, "blue"))),
    ],
)
def test_a_group_reaches_the_command_as_one_object(app: typer.Typer, arguments: list[str], expected: object) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert told == [expected]


def test_the_help_shows_the_options_in_the_place_of_the_group(app: typer.Typer) -> None:
    shown = CliRunner().invoke(app, ["paint", "--help"], env={"COLUMNS": "120"}).output
    assert "Paint it." in shown
    places = [shown.index(option) for option in ("--first", "--size", "--colour", "--last")]
    assert places == sorted(places)
    assert "--look" not in shown


def test_an_option_of_a_group_is_checked_like_any_other(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["paint", "--size", "0"])
    assert result.exit_code == 2
    assert told == []


def test_what_a_group_raises_keeps_the_command_from_running(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["sign", "--colour", "none"])
    assert isinstance(result.exception, ValueError)
    assert told == []


def test_the_command_keeps_its_name() -> None:
    assert (paint.__name__, paint.__doc__) == ("paint", "Paint it.")
