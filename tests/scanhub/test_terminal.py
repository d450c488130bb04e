"""What stands in a table is there at any width, piece by piece."""

import io

import pytest
from rich.text import Text

from scanhub import terminal
from scanhub.tables import FOLDED_LEAST, new_table

NAME = "scanhub-20261122T080735Z-023e"
DETAIL = "the scanner failed on orders-api: exit 2, it panicked"


def printed(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A table on a terminal of so many columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))
    console = terminal.wide()
    console.file = io.StringIO()
    assert (console.is_terminal, console.width) == (True, width)
    table = new_table("REPLAY", "FROM", "TO", folded=("DETAIL",))
    table.add_row(NAME, "2026-11-22 06:07:34Z", "2026-11-22 07:47:34Z", Text(DETAIL))
    console.print(table)
    return [Text.from_ansi(line).plain for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [1, 20, 80, 93, 94])
def test_a_terminal_narrower_than_a_table_cuts_nothing(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    heading, first, *others = printed(width, monkeypatch)
    assert heading.split() == ["REPLAY", "FROM", "TO", "DETAIL"]
    assert first.startswith(f"{NAME}  2026-11-22 06:07:34Z  2026-11-22 07:47:34Z  the scanner")
    least = first.index("the scanner") + FOLDED_LEAST
    assert {len(line) for line in (heading, first, *others)} == {max(width, least)}
    assert " ".join(line[first.index("the scanner") :].strip() for line in (first, *others)) == DETAIL


def test_a_wide_one_folds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    heading, row = printed(200, monkeypatch)
    assert heading.index("DETAIL") == row.index(DETAIL)
