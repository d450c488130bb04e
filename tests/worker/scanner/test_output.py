import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.redaction import Redactor
from worker.scanner.output import Capture, Pipe, as_text, last_line
from worker.scanner.redaction import ScanRedaction

SECRET = "s3cr3t-canary"
OTHER = "shared-canary-0001"


def redaction() -> ScanRedaction:
    return ScanRedaction(Redactor([OTHER]), [SECRET])


@given(st.lists(st.binary(max_size=40)))
def test_what_fits_is_kept_whole(pieces: list[bytes]) -> None:
    capture = Capture(ScanRedaction(Redactor(), []), head=500, tail=5000)
    for piece in pieces:
        capture.feed(piece)
    assert capture.content() == b"".join(pieces)[:5500]
    assert capture.total == len(b"".join(pieces))


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from([SECRET, OTHER, ".", "." * 7]), min_size=400, max_size=600),
    st.lists(st.integers(1, 300), min_size=1, max_size=10),
)
def test_of_more_the_beginning_and_the_end_are_kept_and_never_a_piece_of_a_secret(
    words: list[str], sizes: list[int]
) -> None:
    whole = "".join(words).encode() + b"." * 1500
    capture = Capture(redaction(), head=400, tail=700)
    at = 0
    for size in itertools.cycle(sizes):
        capture.feed(whole[at : at + size])
        at += size
        if at >= len(whole):
            break
    clean = redaction().data(whole)
    before, _, after = capture.content().partition(b" bytes left out]\n")
    before, _, _ = before.rpartition(b"\n[")
    assert len(before) > 100
    assert len(after) > 500
    assert clean.startswith(before)
    assert clean.endswith(after)
    # Only dots and masks are left, a mask perhaps cut: a torn secret would leave its digits and hyphens.
    for fragment in (SECRET[-3:], SECRET[:3], OTHER[-3:], OTHER[:3]):
        assert fragment.encode() not in before + after


def test_memory_is_bounded() -> None:
    capture = Capture(redaction(), head=10, tail=100)
    for _ in range(10_000):
        capture.feed(b"x" * 37)
        assert len(capture._tail) <= 237
    assert capture.total == 370_000


def test_control_characters_do_not_reach_a_reader() -> None:
    assert as_text(b"\x1b[31mred\x1b[0m\r\n\ttab\x00\x07\xff end\n") == "red\n\ttab\N{REPLACEMENT CHARACTER} end\n"


def test_only_the_end_is_taken() -> None:
    assert as_text(b"0123456789", last=4) == "6789"


@pytest.mark.parametrize(("text", "line"), [("", ""), ("\n \n", ""), ("one\n two \n\n", "two"), ("x" * 400, "x" * 300)])
def test_the_last_line_that_says_something(text: str, line: str) -> None:
    assert last_line(text) == line


async def test_a_pipe_held_open_by_somebody_is_left_after_what_is_in_it() -> None:
    reader, writer = os.pipe()
    capture = Capture(redaction())
    pipe = Pipe(reader, capture)
    os.write(writer, b"last words")
    pipe.finish()  # the writing end is still open
    assert capture.content() == b"last words"
    os.close(reader)
    os.close(writer)
