"""The commands on an organization of three spokes, two regions and some two hundred and fifty functions."""

import asyncio
import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scanhub.coverage_documents import ACCOUNT_COLUMNS, FUNCTION_COLUMNS, GROUP_COLUMNS
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured
from tests.e2e import course, quick_worker
from tests.e2e.course import Course, empty_queues
from tests.e2e.town import BY_NAME, BY_TAG, NUMBER, PAYMENTS, Called, Town, built, document, invoke
from tests.scanhub.promised import promised
from worker.trip import EndingKind

pytestmark = [pytest.mark.timeout(240)]

SPOKES = ("210000000001", "210000000002", "210000000003")
FIRST, SECOND = "eu-central-1", "us-east-1"
NO_ROLE = "210000000009"
EXCLUDED = {*BY_TAG, *BY_NAME}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Course]]:
    """The organization, swept and scanned as `Course` says; no test changes a state for good."""
    with built(tmp_path_factory.mktemp("town")) as town:
        yield town, course.run(town)


@pytest.fixture
def town(known: tuple[Town, Course], monkeypatch: pytest.MonkeyPatch) -> Town:
    for name, value in known[0].environment.items():
        monkeypatch.setenv(name, value)
    return known[0]


@pytest.fixture(scope="module")
def told(known: tuple[Town, Course]) -> Course:
    return known[1]


@pytest.fixture
def quiet(town: Town) -> Iterator[Town]:
    """Queues that are empty, before and afterwards."""
    empty_queues(town.deployment)
    yield town
    empty_queues(town.deployment)


def due(town: Town, **where: str) -> set[str]:
    """The functions there that are to be scanned."""
    return {arn for arn in town.arns(**where) if FunctionArn.parse(arn).name not in EXCLUDED}


def refused(*arguments: str, stdin: str | None = None, **environment: str) -> str:
    """Why a command does not take these, in one line."""
    result = invoke(*arguments, stdin=stdin, **environment)
    assert isinstance(result.exception, Misconfigured), result.output + repr(result.exception)
    assert result.stdout == ""
    assert "\n" not in result.exception.text
    return result.exception.text


@pytest.mark.usefixtures("town")
class TestSweep:
    def test_nothing_is_known_at_first(self, told: Course) -> None:
        assert (told.untouched["functions"], told.untouched["share"], told.untouched["accounts"]) == (0, None, [])

    def test_a_dry_run_names_what_it_would_queue_and_does_nothing(self, town: Town, told: Course) -> None:
        planned = told.planned
        assert (planned["dryRun"], planned["sweepId"], planned["summaryKey"]) == (True, None, None)
        assert {one["function"] for one in planned["planned"]} == due(town)
        assert {one["why"] for one in planned["planned"]} == {"missing"}
        assert planned["counts"]["excluded"] == len(EXCLUDED)
        assert told.still_untouched == told.untouched
        writes = ("Put", "Update", "Transact", "Send", "Delete", "Tag")
        assert [one for one in told.planning if one.operation.startswith(writes)] == []

    def test_one_region_is_queued_and_a_worker_scans_it(self, town: Town, told: Course) -> None:
        counts = told.first["counts"]
        assert counts["functions"] == len(town.arns(region=FIRST))
        assert counts["queuedBy"] == {"missing": len(due(town, region=FIRST))}
        assert told.worked.endings == {EndingKind.STORED: counts["queued"]}

    def test_the_next_queues_the_rest_alone(self, town: Town, told: Course) -> None:
        counts = told.whole["counts"]
        assert (told.whole["isComplete"], told.whole["accounts"], counts["accounts"]) == (True, 5, 5)
        assert counts["functions"] == len(town.members)
        assert counts["fresh"] == len(due(town, region=FIRST))
        assert counts["queuedBy"] == {"missing": len(due(town, region=SECOND))}
        assert (counts["excluded"], counts["waiting"], counts["failed"]) == (len(EXCLUDED), 0, 0)

    def test_it_lists_and_asks_no_function_itself(self, told: Course) -> None:
        of_lambda = Counter(one.operation for one in told.sweeping if one.service in {"lambda", "awslambda"})
        # Six places; one of them has more than fifty functions.
        assert of_lambda == {"ListFunctions": 7}
        # The command asks a few more things once than the sweep alone.
        assert told.whole["counts"]["calls"] <= len(told.sweeping)
        assert Called("organizations", "ListAccounts") in told.sweeping

    def test_what_was_queued_is_not_queued_again_although_the_messages_are_lost(self, town: Town, told: Course) -> None:
        counts = told.lost["counts"]
        assert (counts["queued"], counts["queuedBy"]) == (0, {})
        assert counts["waiting"] == len(due(town, region=SECOND))
        assert counts["fresh"] == len(due(town, region=FIRST))

    def test_an_account_without_the_role_hinders_no_other(self, town: Town, told: Course) -> None:
        partial = told.partial
        assert not partial["isComplete"]
        others = {town.organization.management_account, town.organization.hub_account}
        assert {one["account"] for one in partial["problems"]} == others
        for problem in partial["problems"]:
            assert "assuming the role" in problem["problem"]
            assert "AccessDenied" in problem["problem"]
        assert partial["counts"]["functions"] == len(town.members)
        assert partial["counts"]["fresh"] == told.lost["counts"]["fresh"]

    def test_the_summary_is_stored_with_the_results(self, town: Town, told: Course) -> None:
        bucket = town.deployment.settings["SCANHUB_RESULTS_BUCKET"]
        stored = town.deployment.client("s3").get_object(Bucket=bucket, Key=told.partial["summaryKey"])["Body"].read()
        summary = json.loads(stored)
        assert summary["sweepId"] == told.partial["sweepId"]
        assert [one["account"] for one in summary["accounts"] if one["regions"] or one["problem"]] == sorted(
            {one["account"] for one in told.partial["problems"]}
        )

    def test_named_accounts(self, town: Town) -> None:
        swept = document("sweep", "--accounts", f"{SPOKES[0]},{SPOKES[2]}", "--regions", FIRST, "--dry-run")
        expected = town.arns(account=SPOKES[0], region=FIRST) | town.arns(account=SPOKES[2], region=FIRST)
        assert (swept["accounts"], swept["counts"]["functions"]) == (2, len(expected))

    def test_a_unit_has_the_units_below_it(self, town: Town) -> None:
        units = town.organization.units
        outer = document("sweep", "--ou", units["workloads"], "--dry-run")
        inner = document("sweep", "--ou", units["workloads/production"], "--dry-run")
        assert (outer["accounts"], inner["accounts"]) == (2, 1)
        assert inner["counts"]["functions"] == len(town.arns(account=SPOKES[1]))

    def test_regions_are_those_that_an_account_has_enabled_unless_somebody_names_some(
        self,
        town: Town,
    ) -> None:
        with town.counted() as calls:
            swept = document("sweep", "--accounts", SPOKES[0], "--dry-run", SCANHUB_SWEEP_REGIONS="")
        assert swept["problems"] == []
        assert swept["counts"]["functions"] == len(town.arns(account=SPOKES[0]))
        operations = Counter(one.operation for one in calls)
        assert operations["DescribeRegions"] == 1
        assert operations["ListFunctions"] > 10

    def test_patterns_leave_out_more(self, town: Town, told: Course) -> None:
        swept = document("sweep", "--exclude", "service-1*", "--exclude", "batch-0?", "--dry-run")
        names = [FunctionArn.parse(arn).name for arn in due(town)]
        more = sum(name.startswith(("service-1", "batch-0")) for name in names)
        assert swept["counts"]["excluded"] == told.whole["counts"]["excluded"] + more

    def test_versions_behind_an_alias_are_swept_by_setting(self, town: Town) -> None:
        version = f"{town.arn('service-004')}:1"
        account = FunctionArn.parse(version).account
        swept = document("sweep", "--accounts", account, "--dry-run", SCANHUB_SWEEP_VERSIONS="true")
        assert version in {one["function"] for one in swept["planned"]}
        assert swept["counts"]["functions"] == len(town.arns(account=account)) + 1

    def test_accounts_may_come_from_a_file(self, town: Town, tmp_path: Path) -> None:
        path = tmp_path / "accounts.txt"
        path.write_text(f"# all that we have\n{SPOKES[1]}  # production\n")
        with town.counted() as calls:
            swept = document("sweep", "--dry-run", SCANHUB_ACCOUNTS_FILE=str(path))
        assert swept["counts"]["functions"] == len(town.arns(account=SPOKES[1]))
        assert not any(one.service == "organizations" for one in calls)

    def test_some_done_is_3_and_nothing_done_is_1(self) -> None:
        some = document("sweep", "--accounts", f"{SPOKES[0]},{NO_ROLE}", "--dry-run", code=3)
        assert {one["account"] for one in some["problems"]} == {NO_ROLE}
        none = document("sweep", "--accounts", NO_ROLE, "--dry-run", code=1)
        assert none["counts"]["functions"] == 0

    def test_a_person_reads_what_is_planned_and_what_could_not_be_looked_at(self, town: Town) -> None:
        result = invoke("sweep", "--accounts", f"{SPOKES[0]},{NO_ROLE}", "--dry-run", SCANHUB_SCAN_TYPES="pkg")
        assert result.exit_code == 3
        # Both regions refuse for the same reason: it is told once.
        [line] = [line for line in result.stdout.splitlines() if line.startswith(f"  {NO_ROLE}")]
        assert line.startswith(f"  {NO_ROLE} {FIRST}, {SECOND}: assuming the role")
        head = result.stdout.splitlines()[0]
        assert f"{len(town.arns(account=SPOKES[0]))} functions" in head

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--accounts", "12345"], ["not an account id", "12345"]),
            (["--accounts", SPOKES[0], "--ou", "ou-ab12-cdefghij"], ["choose one"]),
            (["--ou", "ou-ab12-cdefghij"], ["no unit ou-ab12-cdefghij"]),
            (["--regions", "eu-centrall-1"], ["no region 'eu-centrall-1'", "eu-central-1?"]),
        ],
    )
    def test_mistakes_are_told_in_a_line(self, arguments: list[str], words: list[str]) -> None:
        line = refused("sweep", *arguments)
        assert all(word in line for word in words), line


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


@pytest.mark.usefixtures("quiet")
class TestScan:
    def test_named_functions_go_before_all_others(self, quiet: Town) -> None:
        wanted = [quiet.arn("service-020"), quiet.arn("service-021")]
        asked = promised("scan", document("scan", *wanted, wanted[0]))
        assert asked["asked"] == wanted
        assert waiting() == {"changes": 2, "sweep": 0}

    def test_functions_come_from_stdin_too(self, quiet: Town) -> None:
        wanted = [quiet.arn("service-022"), quiet.arn("service-023"), quiet.arn("service-024")]
        asked = document("scan", wanted[0], "-", stdin=f"{wanted[1]}\n\n  {wanted[2]}\n{wanted[0]}\n")
        assert asked["asked"] == wanted

    def test_an_account_queues_up_behind_changes(self, quiet: Town) -> None:
        asked = document("scan", "--account", SPOKES[1])
        assert set(asked["asked"]) == due(quiet, account=SPOKES[1])
        assert waiting() == {"changes": 0, "sweep": len(asked["asked"])}

    def test_an_account_in_one_region_and_one_of_its_functions_by_name(self, quiet: Town) -> None:
        wanted = due(quiet, account=SPOKES[0], region=SECOND)
        first = min(wanted)
        asked = document("scan", first, "--account", SPOKES[0], "--region", SECOND)
        assert set(asked["asked"]) == wanted
        assert len(asked["asked"]) == len(wanted)
        assert waiting() == {"changes": 1, "sweep": len(wanted) - 1}

    def test_a_tag_is_looked_for_in_every_account(self, quiet: Town) -> None:
        asked = document("scan", "--tag", "team=payments")
        assert set(asked["asked"]) == {quiet.arn(name) for name in PAYMENTS}
        assert asked["problems"] == []
        every = document("scan", "--tag", "team", "--region", FIRST)
        assert len(every["asked"]) == sum(one.startswith("service") for one in names(quiet, FIRST)) - tagged_out(quiet)

    def test_a_tag_in_an_account_that_lets_nobody_in_is_done_in_part(self) -> None:
        told = document(
            "scan", "--tag", "team=payments", "--account", NO_ROLE, "--account", SPOKES[2], "--region", FIRST, code=3
        )
        assert [one.split(":")[0] for one in told["problems"]] == [f"{NO_ROLE} {FIRST}"]
        shown = invoke("scan", "--tag", "team=payments", "--account", NO_ROLE, "--region", FIRST)
        assert (shown.exit_code, "0 scans asked for." in shown.stdout) == (1, True)
        assert f"{NO_ROLE} {FIRST}: assuming the role" in shown.stdout

    def test_it_waits_for_the_result(self, quiet: Town) -> None:
        function = quiet.arn("service-030")
        before = document("show", function)
        with quick_worker.running() as scanner:
            told = promised("scan", document("scan", function, "--force", "--wait", "--timeout", "60"))
            assert len(scanner.runs) == 1
            again = document("scan", function, "--wait", "--timeout", "60")
            assert len(scanner.runs) == 1, "a fresh result is not made anew"
        [one] = told["functions"]
        assert one["state"] == "COVERED"
        assert one["lastGood"]["completedAt"] > before["lastGood"]["completedAt"]
        assert again["functions"][0]["lastGood"]["scanId"] == one["lastGood"]["scanId"]
        assert document("show", function)["lastGood"] == one["lastGood"]

    def test_what_does_not_come_in_time_is_named(self, quiet: Town) -> None:
        function = quiet.arn("service-036")
        told = document("scan", function, "--wait", "--timeout", "1", code=1)
        assert (told["asked"], told["unsettled"]) == ([function], [function])

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["payments"], ["'payments'", "in full"]),
            (["--account", NO_ROLE], [f"no function of the account {NO_ROLE}", "scanhub sweep --accounts"]),
            (["--account", SPOKES[0], "--region", "eu-west-1"], [SPOKES[0], "in eu-west-1"]),
            (["--account", SPOKES[0], "--region", "eu-north-9"], ["no region 'eu-north-9'"]),
            (["--region", FIRST], ["--region goes with --account or --tag"]),
            (["--tag", "=payments"], ["not a tag: '=payments'"]),
            (["-"], ["stdin names no function"]),
            ([], ["nothing to scan"]),
        ],
    )
    def test_mistakes_are_told_in_a_line(self, arguments: list[str], words: list[str]) -> None:
        line = refused("scan", *arguments, stdin="")
        assert all(word in line for word in words), line
        assert waiting() == {"changes": 0, "sweep": 0}


class TestStatusAndPause:
    def test_status_tells_of_queues_workers_and_sweeps(self, quiet: Town, told: Course) -> None:
        document("scan", quiet.arn("service-040"))
        status = promised("status", document("status"))
        assert status["queues"]["changes"]["visible"] == 1
        assert "quick-worker" in {one["id"] for one in status["workers"]}
        assert status["lastSweep"]["counts"]["functions"] == len(quiet.members)
        assert status["lastSweep"]["sweepId"] >= told.partial["sweepId"]
        assert (status["paused"], status["runningSweep"], status["circuitOpen"]) == (None, None, False)
        assert status["versions"]["scanner"] == ["memory 1.0.0"]
        shown = invoke("status").stdout
        assert f"5 of 5 accounts, {len(quiet.members)} functions" in shown

    def test_a_paused_service_takes_nothing_and_goes_on_afterwards(self, quiet: Town) -> None:
        function = quiet.arn("service-042")
        document("scan", function)
        document("pause", "--because", "the registry is down")
        try:
            swept = promised("sweep", document("sweep", code=1))
            assert "paused" in swept["stopped"]
            assert "the registry is down" in swept["stopped"]
            assert swept["counts"]["functions"] == 0
            assert "The sweep was not done" in invoke("sweep").stdout
            assert document("sweep", "--dry-run", "--accounts", SPOKES[0])["counts"]["functions"]
            tally = asyncio.run(quick_worker.drained())
            assert tally.endings == {}
            assert tally.paused is not None
            assert waiting()["changes"] == 1
            assert promised("status", document("status"))["paused"]["reason"] == "the registry is down"
            assert "PAUSED since" in invoke("status").stdout
        finally:
            assert document("resume")["wasPaused"]
        assert asyncio.run(quick_worker.drained()).endings == {EndingKind.COVERED: 1}
        assert document("status")["paused"] is None


class TestShow:
    def test_it_shows_the_result_and_its_findings(self, town: Town) -> None:
        shown = document("show", town.arn("service-006"))
        assert shown["state"] == "COVERED"
        assert {cve for one in shown["findings"] for cve in one["cves"]} == {"CVE-2018-18074"}

    def test_a_function_without_a_result_has_a_reason(self, town: Town) -> None:
        excluded = document("show", town.arn(BY_TAG[0]))
        assert (excluded["state"], excluded["lastGood"]) == ("EXCLUDED", None)
        assert "QualysScanExclude" in excluded["reason"]
        waiting = document("show", town.arn("batch-03"))
        assert (waiting["state"], waiting["reason"]) == ("PENDING", "queued by a sweep: it has no result")


def waiting() -> dict[str, int]:
    """Messages by queue."""
    return {name: one["visible"] for name, one in document("status")["queues"].items()}


def names(town: Town, region: str) -> list[str]:
    return [FunctionArn.parse(arn).name for arn in town.arns(region=region)]


def tagged_out(town: Town) -> int:
    """Functions of the first region whose only tag excludes them."""
    return sum(name in BY_TAG for name in names(town, FIRST))


def test_the_town_is_as_large_as_it_is_said_to_be(town: Town) -> None:
    assert len(town.members) > NUMBER
    assert {(arn.split(":")[4], arn.split(":")[3]) for arn in town.members} == {
        (account, region) for account in SPOKES for region in (FIRST, SECOND)
    }
