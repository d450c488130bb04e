from dataclasses import replace
from datetime import timedelta

import pytest

from hub.dead_letters.selection import Selection, short_ids, the_one
from spoke.errors import Misconfigured, ScanhubError
from tests.dead_letters_rig import ACCOUNT, FUNCTION, change, parked
from worker.memory.clock import START

OTHER = "111111111111"
CRASHED = parked(1)
DENIED = parked(
    2, "no_access", body=change("orders", OTHER), function=f"arn:aws:lambda:us-east-1:{OTHER}:function:orders"
)
BROKEN = parked(3, "not_json", body="{", function="")
MOVED = parked(4, told={})
ALL = [MOVED, BROKEN, DENIED, CRASHED]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), [CRASHED, DENIED, BROKEN, MOVED]),
        (Selection(reasons=frozenset({"not_json", "no_access"})), [DENIED, BROKEN]),
        (Selection(reasons=frozenset({"no_reason"})), [MOVED]),
        (Selection(accounts=frozenset({OTHER})), [DENIED]),
        (Selection(function=FUNCTION), [CRASHED, MOVED]),
        (Selection(function="ord*"), [DENIED]),
        (Selection(function="ord"), []),
        (Selection(before=START + timedelta(minutes=2)), [CRASHED]),
        (Selection(after=START + timedelta(minutes=2)), [BROKEN, MOVED]),
        (Selection(accounts=frozenset({ACCOUNT}), after=START + timedelta(minutes=1)), [MOVED]),
        (Selection(ids=("00000003", "00000001-5426")), [CRASHED, BROKEN]),
        (Selection(ids=("00000003",), reasons=frozenset({"no_access"})), []),
    ],
)
def test_what_is_wanted_comes_the_oldest_first(selection: Selection, expected: list[object]) -> None:
    assert selection.of(ALL) == expected


def test_a_function_without_a_qualifier_means_its_versions_too() -> None:
    version = parked(told={"functionArn": f"{FUNCTION}:7"})
    assert Selection(function=FUNCTION).of([version]) == [version]
    assert Selection(function=f"{FUNCTION}:7").of([version]) == [version]
    assert Selection(function=f"{FUNCTION}:8").of([version]) == []


def test_an_id_that_is_not_there_is_told() -> None:
    for prefix in ("ffff", ""):
        with pytest.raises(ScanhubError, match="scanhub dlq list"):
            Selection(ids=(prefix,)).of(ALL)


def test_an_id_that_could_be_several_is_a_mistake_of_the_user() -> None:
    with pytest.raises(Misconfigured, match="4 parked messages"):
        the_one("0000", ALL)
    assert the_one(BROKEN.id, ALL) is BROKEN


def test_nothing_said_is_everything() -> None:
    assert Selection().is_everything
    assert not Selection(function="x").is_everything


def test_ids_are_as_short_as_tells_them_apart() -> None:
    assert set(short_ids(ALL).values()) == {"00000001", "00000002", "00000003", "00000004"}
    alike = [
        replace(CRASHED, message=replace(CRASHED.message, id=f"0000000a-5426-4ff6-{end}-cf1fd237f90d"))
        for end in ("9120", "9121")
    ]
    assert set(short_ids(alike).values()) == {"0000000a-5426-4ff6-9120", "0000000a-5426-4ff6-9121"}
    assert short_ids([]) == {}
