import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.untrusted import NotJson, integer, items, load, mapping, objects, text


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe\xff", b'{"a": 1} trailing', b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_no_json_says_so(data: bytes) -> None:
    with pytest.raises(NotJson):
        load(data)


def test_numbers_that_mean_nothing_come_as_none() -> None:
    assert load(b'{"a": ' + b"9" * 10_000 + b', "b": 1e999, "c": NaN, "d": -Infinity, "e": 7, "f": 1.5}') == {
        "a": None,
        "b": None,
        "c": None,
        "d": None,
        "e": 7,
        "f": 1.5,
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("requests", "requests"),
        ("  two\r\nlines\tand \x1b[31mcolour\x1b[0m ", "two lines and [31mcolour [0m"),
        ("gnp.\u202eexe", "gnp. exe"),
        ("half \ud800 pair", "half pair"),
        (5, "5"),
        (1.5, "1.5"),
        (True, None),
        ("\n \t", None),
        (None, None),
        (["a"], None),
        ({"text": "a"}, None),
    ],
)
def test_text_is_one_printable_line(value: object, expected: str | None) -> None:
    assert text(value) == expected


@settings(deadline=None)  # the machine may be busy
@given(st.text(), st.integers(1, 40))
def test_text_is_never_longer_than_its_limit_and_always_storable(value: str, limit: int) -> None:
    line = text(value, limit)
    assert line is None or (0 < len(line) <= limit and line.isprintable() and line.encode() and line == line.strip())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("38794", 38794),
        (5.0, 5),
        (5.5, None),
        ("5.0", None),
        (-1, None),
        (0, 0),
        (True, None),
        ("9" * 5000, None),
        (1e300, None),
        ("٣", None),
        ([5], None),
    ],
)
def test_integers_come_in_many_guises(value: object, expected: int | None) -> None:
    assert integer(value) == expected


def test_an_integer_below_the_least_is_none() -> None:
    assert integer(0, least=1) is None


def test_containers_of_the_wrong_type_are_empty() -> None:
    assert mapping([1]) == {}
    assert items({"a": 1}) == []
    assert list(objects([1, {"a": 1}, None, []])) == [{"a": 1}]
