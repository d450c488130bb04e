"""`scanhub sweep` in a town."""

import json
from collections import Counter
from pathlib import Path

import pytest

from spoke.arn import FunctionArn
from tests.e2e.commands.places import EXCLUDED, FIRST, NO_ROLE, SECOND, SPOKES, due, refused
from tests.e2e.course import Course
from tests.e2e.town import Called, Town, document, invoke
from worker.trip import EndingKind


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
