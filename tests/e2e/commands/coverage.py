"""`scanhub coverage` in a town."""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from scanhub.coverage_documents import ACCOUNT_COLUMNS, FUNCTION_COLUMNS, GROUP_COLUMNS
from tests.e2e.commands.places import EXCLUDED, FIRST, NO_ROLE, SECOND, SPOKES, due, refused
from tests.e2e.course import Course
from tests.e2e.town import BY_NAME, BY_TAG, Town, document, invoke
from tests.scanhub.promised import promised
from worker.trip import EndingKind


@pytest.mark.usefixtures("town")
class TestCoverage:
    def test_every_function_has_a_state(self, town: Town, told: Course) -> None:
        known = promised("coverage", document("coverage"))
        assert known["functions"] == len(town.members)
        assert known["states"] == {
            "COVERED": told.worked.endings[EndingKind.STORED],
            "PENDING": len(due(town, region=SECOND)),
            "EXCLUDED": len(EXCLUDED),
        }
        assert known["covered"] == len(due(town, region=FIRST))
        assert known["share"] == pytest.approx(known["covered"] / (len(town.members) - len(EXCLUDED)))

    def test_each_account_tells_when_it_was_swept_and_what_is_wrong(self, town: Town) -> None:
        accounts = {one["account"]: one for one in document("coverage")["accounts"]}
        others = {town.organization.management_account, town.organization.hub_account}
        assert set(accounts) == {*SPOKES, *others}
        for account in SPOKES:
            one = accounts[account]
            assert one["functions"] == len(town.arns(account=account))
            assert one["lastSweepAt"] > one["oldestResultAt"]
            assert (one["lastEventAt"], one["problems"]) == (None, [])
        for account in others:
            assert {one["region"] for one in accounts[account]["problems"]} == {FIRST, SECOND}

    @pytest.mark.parametrize("group", ["account", "region", "state", "runtime", "reason"])
    @pytest.mark.parametrize("narrowed", [[], ["--region", FIRST]])
    def test_groups_add_up(self, group: str, narrowed: list[str], town: Town) -> None:
        told_groups = document("coverage", "--group-by", group, *narrowed)
        name = f"coverage by {group}"
        if narrowed and group == "account":
            assert set(told_groups["groups"][0]) == {"account", "functions", "covered", "share", "states"}
        else:
            promised(name, told_groups)
        groups = {one[group]: one for one in told_groups["groups"]}
        expected = town.arns(region=narrowed[1] if narrowed else "")
        assert sum(one["functions"] for one in groups.values()) == len(expected)
        assert all(sum(one["states"].values()) == one["functions"] for one in groups.values())
        if group == "region":
            assert set(groups) == ({FIRST} if narrowed else {FIRST, SECOND})
        elif group == "runtime":
            assert set(groups) == {"java21", "nodejs22.x", "python3.12"}
        elif group == "account":
            assert {one for one in groups if groups[one]["functions"]} == set(SPOKES)

    @pytest.mark.parametrize("group", ["account", "region", "state", "runtime", "reason"])
    def test_groups_as_csv_and_as_a_table(self, group: str) -> None:
        groups = document("coverage", "--group-by", group)["groups"]
        rows = list(csv.DictReader(io.StringIO(invoke("coverage", "--group-by", group, "--csv").stdout)))
        assert tuple(rows[0]) == (ACCOUNT_COLUMNS if group == "account" else (group, *GROUP_COLUMNS))
        assert {row[group]: int(row["functions"]) for row in rows} == {one[group]: one["functions"] for one in groups}
        table = invoke("coverage", "--group-by", group).stdout
        assert all(one[group] in table for one in groups)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (["--account", SPOKES[1]], lambda row: row["account"] == SPOKES[1]),
            (["--account", f"{SPOKES[0]},{SPOKES[1]}", "--region", SECOND], lambda row: row["region"] == SECOND
             and row["account"] != SPOKES[2]),
            (["--region", FIRST], lambda row: row["region"] == FIRST),
            (["--state", "excluded"], lambda row: row["name"] in EXCLUDED),
            (["--state", "PENDING", "--account", SPOKES[2]], lambda row: row["state"] == "PENDING"
             and row["account"] == SPOKES[2]),
            (["--reason", "QUALYSSCANEXCLUDE"], lambda row: row["name"] in BY_TAG),
            (["--reason", "canary-"], lambda row: row["name"] in BY_NAME),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )  # fmt: skip
    def test_lists_have_what_the_filters_leave(
        self, options: list[str], expected: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        everything = document("coverage", *(word for account in SPOKES for word in ("--account", account)))
        listed = promised("coverage of functions", document("coverage", *options))
        assert not listed["isCut"]
        assert listed["listed"] == [row for row in everything["listed"] if expected(row)]
        assert listed["listed"]
        assert all(row["reason"] for row in listed["listed"])

    def test_csv_has_every_function(self, town: Town) -> None:
        rows = list(csv.DictReader(io.StringIO(invoke("coverage", "--csv").stdout)))
        assert tuple(rows[0]) == FUNCTION_COLUMNS
        arns = {f"arn:aws:lambda:{row['region']}:{row['account']}:function:{row['function']}" for row in rows}
        assert arns == set(town.members)
        assert all(row["reason"] for row in rows)

    def test_a_list_that_is_cut_says_so(self) -> None:
        cut = document("coverage", "--account", SPOKES[0], "--limit", "5")
        assert (len(cut["listed"]), cut["isCut"]) == (5, True)
        shown = invoke("coverage", "--account", SPOKES[0], "--limit", "5")
        assert "There are more than 5" in shown.stderr
        assert len(shown.stdout.splitlines()) == 6

    def test_a_person_sees_the_whole(self, town: Town, told: Course) -> None:
        shown = invoke("coverage").stdout
        assert f"{told.worked.endings[EndingKind.STORED]} of {len(due(town))} covered" in shown
        assert "Accounts that could not be gone over (2 of 5)" in shown

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--account", NO_ROLE], [NO_ROLE, "nothing is known", "scanhub sweep --accounts"]),
            (["--account", "prod"], ["not an account id"]),
            (["--state", "COVERD"], ["not a state: COVERD", "COVERED"]),
            (["--region", "mars-1"], ["no region 'mars-1'"]),
            (["--json", "--csv"], ["choose one"]),
        ],
    )
    def test_mistakes_are_told_in_a_line(self, arguments: list[str], words: list[str]) -> None:
        line = refused("coverage", *arguments)
        assert all(word in line for word in words), line
