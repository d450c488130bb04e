"""The functions that somebody names, and what is told of those that are none."""

import io

import pytest

from scanhub import scan_names
from spoke.errors import Misconfigured
from tests.ledger_samples import CHECKOUT, REFUNDS


def listed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def refused(*words: str) -> str:
    with pytest.raises(Misconfigured) as raised:
        scan_names.parse(words)
    assert "\n" not in raised.value.text
    return raised.value.text


def test_each_once_in_the_order_in_which_they_were_named(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, f"{CHECKOUT}\r\n\n  {REFUNDS}\n".encode())
    assert scan_names.parse([str(REFUNDS), "-", str(CHECKOUT)]) == (REFUNDS, CHECKOUT)


def test_a_byte_order_mark_is_no_part_of_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, f"{CHECKOUT}\n".encode("utf-8-sig"))
    assert scan_names.parse(["-"]) == (CHECKOUT,)


def test_nothing_on_stdin_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, b"\n \n")
    assert scan_names.parse(["-"]) == ()


def test_one_that_is_no_arn() -> None:
    assert refused("payments") == (
        "not a function ARN: 'payments'; give it in full: arn:aws:lambda:eu-central-1:123456789012:function:name"
    )


def test_all_rubbish_of_a_list_is_told_at_once_with_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, f"{CHECKOUT}\norders\n{REFUNDS}\npayments\n".encode())
    assert refused("first", "-").startswith(
        "not function ARNs: 'first', 'orders' (stdin, line 2), 'payments' (stdin, line 4); give each in full: arn:"
    )
    listed(monkeypatch, b"a b\nc\nd\n" + b"e\n" * 1000)
    assert "'a' (stdin, line 1), 'b' (stdin, line 1), 'c' (stdin, line 2) and 1,001 more; give" in refused("-")


def test_bytes_that_are_no_text_are_told_with_their_line(monkeypatch: pytest.MonkeyPatch) -> None:
    listed(monkeypatch, f"{CHECKOUT}\n".encode() + b"\xff\xfe\x00\n")
    assert "(stdin, line 2); give it in full" in refused("-")


def test_a_word_without_end_is_cut() -> None:
    assert len(refused("x" * 100_000)) < 400


def test_a_region_that_there_is_not() -> None:
    assert refused(str(CHECKOUT), "arn:aws:lambda:eu-centrall-1:210000000001:function:orders") == (
        "there is no region 'eu-centrall-1'; did you mean eu-central-1?"
    )
