"""The estate of the bench: what is answered must read as what AWS and the ledger say of fresh results."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bench import estate
from bench.estate import Answers, Estate
from bench.scanner import PROFILE
from hub.coverage import CoverageState
from hub.ledger_items import state_item_key
from hub.ledger_standings import ROW, STANDING, row_from, standing_from
from hub.ledger_wire import plain_texts, wire_key
from hub.sweep.decision import FRESH, Listed, Rules, decide
from spoke.arn import FunctionArn
from spoke.listing import page_of
from spoke.snapshot import FunctionSnapshot
from tests.worker.worlds import settings

ACCOUNT, REGION = "210000000001", "eu-west-1"


def projection(attributes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "ProjectionExpression": ", ".join(f"#{name}" for name in attributes),
        "ExpressionAttributeNames": {f"#{name}": name for name in attributes},
    }


def listed(answers: Answers) -> list[FunctionSnapshot]:
    found: list[FunctionSnapshot] = []
    marker: str | None = ""
    while marker is not None:
        page = page_of(answers.page(ACCOUNT, REGION, marker), account=ACCOUNT, region=REGION)
        assert len(page.functions) <= estate.PAGE
        found += page.functions
        marker = page.marker
    return found


def test_a_place_is_listed_in_pages_and_no_two_functions_are_alike() -> None:
    answers = Answers(Estate(accounts=2, regions=2, functions=120))
    snapshots = listed(answers)
    assert [one.arn for one in snapshots] == list(answers.estate.place(ACCOUNT, REGION))
    assert len({one.code_sha256 for one in snapshots}) == 120
    assert answers.estate.total == 480
    assert ACCOUNT in answers.estate.account_ids
    assert REGION in answers.estate.region_names


def test_a_sweep_finds_each_of_them_fresh() -> None:
    answers = Answers(Estate(accounts=2, regions=2, functions=3))
    rules = Rules(settings=settings(), profile_id=PROFILE.id)
    for snapshot in listed(answers):
        [text] = answers.items([wire_key(state_item_key(snapshot.arn))], projection(STANDING))
        standing = standing_from(plain_texts(json.loads(text)), snapshot.arn)
        assert standing.fingerprint == snapshot.fingerprint
        now = datetime.now(UTC) + timedelta(days=1)
        assert decide(Listed.of(snapshot), standing, rules, tagged=None, now=now) is FRESH


def test_what_is_unknown_has_neither_item_nor_entry() -> None:
    answers = Answers(Estate(accounts=2, regions=2, functions=3, known=False))
    [first, *_] = listed(answers)
    assert answers.items([wire_key(state_item_key(first.arn))], projection(STANDING)) == []
    assert answers.entries([ACCOUNT], projection(ROW)) == ([], None)


def test_the_index_has_every_function_of_an_account_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estate, "INDEX_PAGE", 7)
    answers = Answers(Estate(accounts=2, regions=2, functions=10))
    found: list[FunctionArn] = []
    position: dict[str, Any] = {}
    while True:
        entries, last = answers.entries([ACCOUNT], projection(ROW) | position)
        rows = [row_from(plain_texts(json.loads(entry))) for entry in entries]
        assert {row.state for row in rows} == {CoverageState.COVERED}
        assert all(row.result_at for row in rows)
        found += [row.function for row in rows]
        if last is None:
            break
        position = {"ExclusiveStartKey": {"place": {"S": last}}}
    regions = answers.estate.region_names
    assert found == [one for region in regions for one in answers.estate.place(ACCOUNT, region)]
    assert all(one < another for one, another in pairwise(found))


def test_a_part_of_the_index_has_its_accounts_one_after_another() -> None:
    answers = Answers(Estate(accounts=3, regions=2, functions=2))
    entries, last = answers.entries(answers.estate.account_ids[1:], projection(ROW))
    functions = [row_from(plain_texts(json.loads(entry))).function for entry in entries]
    assert [one.account for one in functions] == ["210000000001"] * 4 + ["210000000002"] * 4
    assert len(set(functions)) == 8
    assert last is None
