import pytest

from infra.capacity import rows
from infra.capacity.limits import Limits
from infra.capacity.scale import DOCUMENT, renewed


@pytest.mark.timeout(240)
def test_the_document_shows_todays_tables() -> None:
    """A dozen simulations, some five seconds of a processor: a minute where ten share it and each line is traced."""
    text = DOCUMENT.read_text("utf-8")
    assert renewed(text) == text, "run `make scale`"


def test_a_document_without_its_marks_is_not_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.capacity.scale.tables", lambda: {"limits": ""})
    with pytest.raises(ValueError, match="marks"):
        renewed("no mark at all")


def test_every_limit_is_in_the_document() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert all(f"| {kind.limit.name} |" in text for kind in Limits)


def test_a_table_has_its_figures_to_the_right() -> None:
    table = rows.markdown(["what", "here", "there"], [("tasks", "1", "10")])
    assert table == "| what | here | there |\n| --- | ---: | ---: |\n| tasks | 1 | 10 |\n"
