"""What `scanhub coverage` says, without a cloud."""

import csv
import io
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from rich.console import Console, RenderableType

from hub.coverage import CoverageState
from hub.coverage_count import CoverageCounts
from hub.coverage_report import AccountCoverage, CoverageReport, Share
from hub.service_notes import ObjectiveDay
from hub.standing import CoverageRow
from scanhub import coverage_command
from scanhub import coverage_tables as tables
from scanhub.coverage_command import Group
from scanhub.coverage_documents import (
    ACCOUNT_COLUMNS,
    FUNCTION_COLUMNS,
    account_cells,
    function_cells,
    report_document,
    row_document,
)
from spoke.errors import Misconfigured
from tests.ledger_samples import CHECKOUT, HOUR, NOW, REFUNDS
from tests.scanhub.operator_rig import invoke
from tests.scanhub.promised import promised

COVERED, GONE, FAILED = CoverageState.COVERED, CoverageState.GONE, CoverageState.FAILED
STATES = {COVERED: 998, CoverageState.EXCLUDED: 3, FAILED: 1, CoverageState.PENDING: 1}
ROW = CoverageRow(function=CHECKOUT, state=COVERED, at=NOW, runtime="python3.12", result_at=NOW - timedelta(days=2))
FAULTY = CoverageRow(function=replace(REFUNDS, qualifier="7"), state=FAILED, at=NOW, reason="=cmd|' /C calc'!A0")
ACCOUNT = AccountCoverage(
    account=CHECKOUT.account,
    states=STATES,
    last_event_at=NOW,
    swept_at=NOW - HOUR,
    oldest_result_at=NOW - timedelta(days=20),
    problems={"us-east-1": "no answer", "eu-west-1": "no answer"},
)
BARE = AccountCoverage(account=REFUNDS.account, states={}, problems={"": "the role cannot be assumed"})
DAY = ObjectiveDay(day=date(2026, 11, 20), target=900, changes=3000, within=2999, failed=1, slowest=1204.26)
REPORT = CoverageReport(
    counts=CoverageCounts(
        by_account={CHECKOUT.account: STATES, REFUNDS.account: {}}, by_region={}, by_runtime={}, by_reason={}, oldest={}
    ),
    accounts=(ACCOUNT, BARE),
    objective=(DAY, replace(DAY, changes=0, within=0, failed=0, slowest=0.0)),
)


def shown(table: RenderableType, width: int = 240) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False, emoji=False).print(table)
    return stream.getvalue()


def as_json(document: Any) -> Any:  # noqa: ANN401  # JSON
    return json.loads(json.dumps(document))


def test_the_whole_has_what_it_promises() -> None:
    document = promised("coverage", as_json({"schemaVersion": 1, **report_document(REPORT)}))
    assert (document["functions"], document["covered"], document["share"]) == (1003, 998, 0.998)
    bare = document["accounts"][1]
    assert (bare["share"], bare["lastSweepAt"], bare["states"]) == (None, None, {})
    assert bare["problems"] == [{"region": None, "problem": "the role cannot be assumed"}]
    assert [day["share"] for day in document["objective"]] == [2999 / 3000, None]


def test_a_list_has_what_it_promises() -> None:
    rows = [row_document(ROW), row_document(FAULTY)]
    document = promised("coverage of functions", as_json({"schemaVersion": 1, "listed": rows, "isCut": False}))
    covered, faulty = document["listed"]
    assert (covered["reason"], covered["runtime"]) == ("scanned 2026-11-19 09:30 UTC", "python3.12")
    assert (faulty["name"], faulty["version"], faulty["resultAt"]) == ("refunds_worker", "7", None)


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t=", "\r\n@", " +"])
def test_what_an_account_says_is_no_formula_in_a_spreadsheet(first: str, capsys: pytest.CaptureFixture[str]) -> None:
    said, reason = f"{first}HYPERLINK(1)\r=1", f"{first.strip()}HYPERLINK(1) =1"
    row = replace(FAULTY, reason=said)
    assert function_cells(row)["reason"] == f"'{reason}"
    coverage_command._tell_groups(Group.REASON, {said: {FAILED: 1}}, as_json=False, as_csv=True)
    [told] = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert told["reason"] == f"'{reason}"
    assert account_cells(replace(ACCOUNT, problems={"": said}))["problems"] == f"'{reason}"


def test_rows_have_every_column() -> None:
    assert set(function_cells(ROW)) == set(FUNCTION_COLUMNS)
    assert set(account_cells(ACCOUNT)) == set(ACCOUNT_COLUMNS)
    cells = account_cells(ACCOUNT)
    assert (cells["functions"], cells["share"], cells["GONE"], cells["FAILED"]) == ("1003", "0.9980", "0", "1")
    assert cells["problems"] == "eu-west-1, us-east-1: no answer"
    assert (account_cells(BARE)["share"], account_cells(BARE)["lastEventAt"]) == ("", "")


@pytest.mark.parametrize(
    ("covered", "of", "told"), [(0, 0, "-"), (0, 3, "0.0 %"), (9999, 10_000, "99.9 %"), (7, 7, "100.0 %")]
)
def test_a_share_is_never_rounded_up_to_all(covered: int, of: int, told: str) -> None:
    assert tables.share(Share(covered=covered, of=of)).plain == told


def test_tables_with_nothing_in_them_have_their_headings() -> None:
    assert shown(tables.states_table({})).split() == ["STATE", "FUNCTIONS"]
    assert shown(tables.groups_table("REGION", {})).split() == ["REGION", "FUNCTIONS", "SHARE"]
    assert "LAST SWEEP" in shown(tables.accounts_table([]))
    assert "WITHIN TARGET" in shown(tables.days_table([]))
    assert shown(tables.functions_table([], details=False)).split() == [
        *("ACCOUNT", "REGION", "FUNCTION", "STATE", "REASON"),
    ]


def test_accounts_tell_what_is_open_and_each_problem_once() -> None:
    text = shown(tables.accounts_table([ACCOUNT, BARE]))
    _, first, second = text.splitlines()
    assert first.split()[:4] == [ACCOUNT.account, "1,003", "99.8", "%"]
    assert "1 PENDING, 1 FAILED" in first
    assert first.rstrip().endswith("eu-west-1, us-east-1: no answer")
    assert second.split()[:5] == [BARE.account, "0", "-", "never", "never"]


def test_groups_have_a_column_for_each_state_that_occurs() -> None:
    heading, first, second = shown(
        tables.groups_table("REGION", {"eu-central-1": STATES, "us-east-1": {GONE: 2}})
    ).splitlines()
    assert heading.split() == ["REGION", "FUNCTIONS", "SHARE", "PENDING", "COVERED", "FAILED", "EXCLUDED", "GONE"]
    assert first.split() == ["eu-central-1", "1,003", "99.8", "%", "1", "998", "1", "3", "-"]
    assert second.split() == ["us-east-1", "2", "-", "-", "-", "-", "-", "2"]


def test_days_are_read_in_percent() -> None:
    _, busy, idle = shown(tables.days_table(REPORT.objective)).splitlines()
    assert busy.split() == ["2026-11-20", "3,000", "99.9", "%", "900", "s", "1,204", "s", "1"], "one was late"
    assert idle.split()[2] == "-"


def test_numbers_stand_one_below_the_other() -> None:
    few = replace(ACCOUNT, account="210000000007", states={COVERED: 7})
    heading, *rows = shown(tables.accounts_table([ACCOUNT, few])).splitlines()
    for name in ("FUNCTIONS", "SHARE"):
        end = heading.index(name) + len(name)
        assert all(row[end - 1] in "0123456789%" and row[end : end + 2] == "  " for row in rows), name
    heading, *rows = shown(tables.days_table([DAY, replace(DAY, changes=7, within=7, slowest=1.0)])).splitlines()
    for name in ("CHANGES", "WITHIN TARGET", "TARGET", "SLOWEST", "GIVEN UP"):
        end = heading.rindex(name) + len(name)
        assert all(row[end - 1] in "0123456789%s" for row in rows), name


def test_moments_say_that_they_are_of_utc() -> None:
    assert tables.moment(NOW).plain == f"{NOW:%Y-%m-%d %H:%M}Z"
    assert tables.moment(None).plain == "never"


def test_a_long_reason_leaves_the_counts_on_the_screen() -> None:
    text = shown(tables.groups_table("REASON", {"not authorized " * 40: STATES}), width=100)
    assert max(map(len, text.splitlines())) <= 100
    assert text.splitlines()[1].split()[-6:] == ["99.8", "%", "1", "998", "1", "3"]
    assert text.count("authorized") == 40


@pytest.mark.parametrize("option", ["--account", "--region", "--state", "--reason"])
@pytest.mark.parametrize("value", ["", " "])
def test_an_option_that_names_nothing_does_not_mean_everything(option: str, value: str) -> None:
    refused = invoke("coverage", option, value).exception
    assert isinstance(refused, Misconfigured)
    assert refused.text == f"{option} names nothing; leave it out to mean all"


def test_rows_are_sorted_as_the_columns_are() -> None:
    there = replace(ROW, function=replace(CHECKOUT, region="us-east-1"))
    other = replace(ROW, function=replace(CHECKOUT, account="999999999999", region="eu-central-1"))
    version = replace(ROW, function=replace(CHECKOUT, region="us-east-1", qualifier="7"))
    rows = sorted([other, version, there], key=coverage_command._place)
    assert rows == [there, version, other]


def test_a_list_with_nothing_in_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    coverage_command._tell_functions([], False, as_json=False, as_csv=False)
    assert capsys.readouterr().out == "No function is like that.\n"
    coverage_command._tell_functions([], False, as_json=False, as_csv=True)
    assert capsys.readouterr().out == f"{','.join(FUNCTION_COLUMNS)}\n"
    coverage_command._tell_functions([ROW] * 1000, True, as_json=False, as_csv=True)
    assert capsys.readouterr().err == "There are more than 1,000; see them with --limit 0.\n"


def test_words_of_an_account_are_not_markup() -> None:
    assert "[bold]x[/]" in shown(tables.functions_table([replace(ROW, reason="[bold]x[/]")]))


def test_an_empty_ledger_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = CoverageCounts(by_account={}, by_region={}, by_runtime={}, by_reason={}, oldest={})
    coverage_command._tell_whole(CoverageReport(counts=nothing, accounts=(), objective=()), as_json=False)
    assert capsys.readouterr().out == "No function was seen yet; look for them with: scanhub sweep\n"


def test_a_person_sees_the_troubled_accounts_and_the_days(capsys: pytest.CaptureFixture[str]) -> None:
    coverage_command._tell_whole(REPORT, as_json=False)
    out = capsys.readouterr().out
    assert "998 of 1,000 covered (99.8 %)" in out
    assert "Accounts that could not be gone over (2 of 2)" in out
    assert "Changes scanned within the target" in out


def test_states_may_be_written_in_any_way() -> None:
    wanted = coverage_command._selection(None, None, ["no-access,Covered", "covered"], None)
    assert wanted.states == (CoverageState.NO_ACCESS, COVERED)
    with pytest.raises(Misconfigured, match=r"^not a state: COVERD; one of PENDING, SCANNING, COVERED"):
        coverage_command._selection(None, None, ["coverd"], None)
