import random
import sys
import time
from dataclasses import replace

import pytest

from hub.sweep.roll import Roll
from spoke.arn import FunctionArn
from tests.hub.sweep.rig import account, function

PAYMENTS = function("payments")
OTHERS = [
    function("payments", region="us-east-1"),
    function("payments", account=account(7)),
    FunctionArn("aws-cn", "eu-central-1", PAYMENTS.account, "payments"),
    function("payment"),
    function("payments-2"),
    function("my-payments"),
    replace(PAYMENTS, qualifier="1"),
    replace(PAYMENTS, qualifier="12"),
]


def test_it_has_what_was_put_in_and_tells_it_again() -> None:
    functions = [PAYMENTS, *OTHERS]
    roll = Roll([*functions, PAYMENTS])
    assert len(roll) == len(functions)
    assert sorted(roll) == sorted(functions)
    assert all(one in roll for one in functions)


@pytest.mark.parametrize("left_out", [PAYMENTS, *OTHERS], ids=str)
def test_it_has_nothing_that_only_looks_like_it(left_out: FunctionArn) -> None:
    roll = Roll(one for one in [PAYMENTS, *OTHERS] if one != left_out)
    assert left_out not in roll
    assert left_out not in list(roll)


def test_of_an_empty_place_it_has_nothing() -> None:
    assert (len(Roll()), list(Roll()), PAYMENTS in Roll()) == (0, [], False)


@pytest.mark.parametrize("other", ["", "payments", str(PAYMENTS), None])
def test_what_is_no_function_is_not_in_it(other: object) -> None:
    assert other not in Roll([PAYMENTS])


def test_a_function_takes_little_more_than_its_name() -> None:
    roll = Roll(function(f"orders-service-{number:05}") for number in range(10_000))
    (text,) = roll._texts.values()
    assert sys.getsizeof(text) < 25 * 10_000


@pytest.mark.parametrize("seed", range(200))
def test_it_is_a_set_whatever_the_names(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  # the same each time

    def any_function() -> FunctionArn:
        name = "".join(rng.choices("abA_-1", k=rng.randint(1, 4)))
        return replace(function(name), qualifier=rng.choice([None, None, "1", "12"]))

    there = {any_function() for _ in range(rng.randint(0, 30))}
    roll = Roll(there)
    assert set(roll) == there
    for one in [*there, *(any_function() for _ in range(100))]:
        assert (one in roll) == (one in there)


def test_many_may_be_looked_for_in_many() -> None:
    """An account may have deleted as many functions as it still has: the ledger keeps those for more than a year."""
    roll = Roll(function(f"orders-service-{number:05}") for number in range(50_000))
    began = time.process_time()
    assert not any(function(f"pull-request-{number:05}") in roll for number in range(20_000))
    assert time.process_time() - began < 4, "a search through the text would take four times as long"
