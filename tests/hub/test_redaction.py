import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.redaction import MASK, RedactingStream, Redactor

TOKEN = 'eyJhbGciOiJSUzI1NiJ9.p/q+r=<x>&"y".çö'
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def go_escaped(text: str) -> str:
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@pytest.mark.parametrize(
    "written",
    [
        TOKEN,
        json.dumps(TOKEN)[1:-1],
        json.dumps(TOKEN, ensure_ascii=False)[1:-1],
        json.dumps(TOKEN)[1:-1].replace("/", "\\/"),
        go_escaped(json.dumps(TOKEN, ensure_ascii=False)[1:-1]),
        quote(TOKEN),
        quote(TOKEN, safe=""),
        quote_plus(TOKEN),
        quote(TOKEN, safe="")
        .replace("%2F", "%2f")
        .replace("%2B", "%2b")
        .replace("%3D", "%3d")
        .replace("%3C", "%3c")
        .replace("%3E", "%3e")
        .replace("%C3%A7", "%c3%a7")
        .replace("%C3%B6", "%c3%b6"),
        base64.b64encode(TOKEN.encode()).decode(),
        base64.urlsafe_b64encode(TOKEN.encode()).decode().rstrip("="),
    ],
)
def test_a_value_is_found_in_every_form(written: str) -> None:
    assert Redactor([TOKEN]).text(f"before {written} after") == f"before {MASK} after"


@pytest.mark.parametrize("user", ["", "u", "us", "usr", "user"])
def test_a_value_is_found_inside_a_longer_base64_text(user: str) -> None:
    header = base64.b64encode(f"{user}:s3cret-Passw0rd:tail".encode()).decode()
    shown = Redactor(["s3cret-Passw0rd"]).text(f"Authorization: Basic {header}")
    assert MASK in shown
    left = shown.removeprefix("Authorization: Basic ").split(MASK)
    # No more than four bits of the secret's first or last byte may share a character with a neighbour.
    for part in (base64.b64decode(left[0] + "=" * (-len(left[0]) % 4), validate=False), left[1].encode()):
        assert b"3cret" not in part


def test_hashes_and_digests_stay() -> None:
    line = f"sha256:{SHA256} JklpzNjuO6TLDiNe6nVYWeo1Imq6bF5uaMt2L0bqp5Y= 32letterslongtextthatisnosecret!"
    assert Redactor([TOKEN]).text(line) == line


def test_short_values_are_left_alone() -> None:
    assert Redactor(["admin", " a   ", ""]).text("admin a b") == "admin a b"
    assert Redactor(["secret"]).text("a secret b") == f"a {MASK} b"


def test_a_value_that_begins_with_another_is_removed_whole() -> None:
    assert Redactor(["token-one", "token-one-longer"]).text("token-one-longer token-one") == f"{MASK} {MASK}"


def test_a_trailing_line_feed_of_the_secret_does_not_hide_it() -> None:
    assert Redactor(["s3cret-value\n"]).text("x s3cret-value y") == f"x {MASK} y"


def test_values_learned_later_are_found_by_streams_that_are_open() -> None:
    redactor = Redactor()
    stream = redactor.stream()
    assert stream.feed(b"nothing is held without values") == b"nothing is held without values"
    redactor.add("s3cret-value")
    redactor.add("s3cret-value")
    assert stream.feed(b" s3cret-va") + stream.feed(b"lue.") + stream.flush() == b" [redacted]."


def test_repr_shows_no_value() -> None:
    assert repr(Redactor(["s3cret-value"])) == "<Redactor of 1 values>"
    assert "s3cret" not in str(vars(RedactingStream(Redactor(["s3cret-value"]))))


def test_lone_surrogates_pass() -> None:
    assert Redactor(["s3cret-value"]).text("\ud800 s3cret-value") == f"\ud800 {MASK}"


PIECES = st.lists(
    st.one_of(
        st.sampled_from([b"s3cret-value", b"s3cret-", b"value", b"s3cret-value-two", b"-two", b"[redacted]"]),
        st.binary(max_size=6),
    ),
    max_size=12,
)


@settings(deadline=None)  # the machine may be busy
@given(PIECES, st.lists(st.integers(1, 9), min_size=1))
def test_a_stream_redacts_as_the_whole_does_however_it_is_cut(pieces: list[bytes], steps: list[int]) -> None:
    redactor = Redactor(["s3cret-value", "s3cret-value-two", "value-s3cret"])
    whole = b"".join(pieces)
    stream, shown, at, turn = redactor.stream(), b"", 0, 0
    while at < len(whole):
        step = steps[turn % len(steps)]
        shown += stream.feed(whole[at : at + step])
        at, turn = at + step, turn + 1
    shown += stream.flush()
    assert shown == redactor.data(whole)
    assert b"s3cret-value" not in shown


def test_what_is_held_back_is_shorter_than_the_longest_form() -> None:
    redactor = Redactor(["s3cret-value"])
    data = b"x" * 10_000
    assert len(redactor.stream().feed(data)) == len(data) - redactor.longest + 1
