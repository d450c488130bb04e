import pytest

from infra.words import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Resource creation\n  cancelled\t.", "Resource creation cancelled ."),
        ("Zw\u00f6lf \u7de8", "Zw\u00f6lf \u7de8"),
        # Hides the line, clears the screen, turns the direction of what follows, rings the bell.
        ("a\x1b[8mb", "a?[8mb"),
        ("\x9b2Jx", "?2Jx"),
        ("\u202eevil", "?evil"),
        ("\x07", "?"),
        (None, ""),
        ("", ""),
    ],
)
def test_a_text_of_aws_is_one_line_that_steers_no_terminal(text: str | None, line: str) -> None:
    assert one_line(text) == line
