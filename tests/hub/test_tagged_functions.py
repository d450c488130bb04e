from dataclasses import replace
from typing import Any

import pytest

from hub.tagged_functions import Tag, find
from spoke.snapshot import FunctionSnapshot
from tests.ledger_samples import CHECKOUT, NOW
from worker.memory.estate import MemoryEstate

OTHER = "310987654322"


def estate() -> MemoryEstate:
    estate = MemoryEstate()
    functions: list[Any] = [
        (CHECKOUT, {"team": "payments"}),
        (replace(CHECKOUT, name="orders"), {"team": "orders", "stage": ""}),
        (replace(CHECKOUT, account=OTHER, region="us-east-1"), {"team": "payments"}),
        (replace(CHECKOUT, name="untagged"), {}),
    ]
    for arn, tags in functions:
        estate.put(FunctionSnapshot(arn=arn, code_sha256="a" * 44, last_modified=NOW, tags=tags))
    return estate


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("team", {"checkout-api", "orders"}),
        ("team=payments", {"checkout-api"}),
        ("stage", {"orders"}),
        ("stage=", {"orders"}),
        ("team=", set()),
        ("Team=payments", set()),
    ],
)
async def test_functions_are_found_by_key_or_by_key_and_value(text: str, names: set[str]) -> None:
    found = await find(estate(), Tag.parse(text), [CHECKOUT.account, OTHER])
    assert {one.name for one in found.functions} == names
    assert not found.problems


async def test_each_function_is_named_with_its_account_and_region() -> None:
    found = await find(estate(), Tag.parse("team=payments"), [OTHER, CHECKOUT.account])
    assert found.functions == (CHECKOUT, replace(CHECKOUT, account=OTHER, region="us-east-1"))
    assert (await find(estate(), Tag.parse("team"), [OTHER], ["eu-central-1"])).functions == ()


async def test_an_account_that_refuses_hinders_no_other() -> None:
    spokes = estate()
    spokes.deny(CHECKOUT.account)
    found = await find(spokes, Tag.parse("team=payments"), [CHECKOUT.account, OTHER])
    assert [one.account for one in found.functions] == [OTHER]
    [problem] = found.problems
    assert problem.startswith(f"{CHECKOUT.account}: ")
