import json

import pytest

from hub.diagnosis import MOST_EVIDENCE, MOST_TEXT, Check, Kind, Verdict

KIND = Kind(name="bus-rule", group="bus", asks="is it?", wrong="nothing comes", fix="run `scanhub rollout hub`")


def test_a_check_says_what_to_do_unless_all_is_well() -> None:
    assert KIND.ok("x", "fine").fix == ""
    assert KIND.failed("x", "off").fix == KIND.fix
    assert KIND.warning("x", "off", fix="turn it on").fix == "turn it on"
    assert KIND.unknown("x", "not allowed").fix == ""


def test_a_check_comes_back_from_its_document() -> None:
    for check in (
        KIND.ok("scanhub-changes", "enabled"),
        KIND.failed("scanhub-changes", "it is disabled", evidence=["State: DISABLED"]),
        KIND.unknown("scanhub-changes", "not allowed", fix="ask somebody"),
    ):
        assert Check.read(json.loads(json.dumps(check.document()))) == check
    assert set(KIND.ok("x", "fine").document()) == {"name", "group", "subject", "verdict", "reason"}


@pytest.mark.parametrize("document", [{}, {"name": "x"}, {**KIND.ok("x", "y").document(), "verdict": "fine"}])
def test_what_is_no_check_is_refused(document: dict[str, str]) -> None:
    with pytest.raises((KeyError, ValueError)):
        Check.read(document)


def test_texts_are_one_bounded_line() -> None:
    check = KIND.failed("x", "a\n  b " + "c" * 5000, evidence=["d\ne"] * 50)
    assert check.reason.startswith("a b c")
    assert len(check.reason) == MOST_TEXT
    assert check.evidence == ("d e",) * MOST_EVIDENCE
    assert len(KIND.ok("x" * 5000, "fine").subject) == MOST_TEXT


@pytest.mark.parametrize("odd", ["\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\u202egnp.exe", "\x00", "\ud800", "\u2066x"])
def test_nothing_that_a_terminal_obeys_gets_through(odd: str) -> None:
    made = KIND.failed(f"a{odd}", f"b{odd}", fix=f"c{odd}", evidence=[f"d{odd}"])
    read = Check.read({**KIND.ok("x", "y").document(), "subject": odd, "reason": odd, "fix": odd, "evidence": [odd]})
    for check in (made, read):
        for text in (check.subject, check.reason, check.fix, *check.evidence):
            assert text.isprintable()
    assert made.reason.startswith("b\N{REPLACEMENT CHARACTER}")


def test_the_verdicts_are_the_words_of_the_document() -> None:
    assert [verdict.value for verdict in Verdict] == ["ok", "warning", "failed", "unknown"]
