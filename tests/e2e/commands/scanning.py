"""`scanhub scan` in a town."""

import pytest

from spoke.arn import FunctionArn
from tests.e2e import quick_worker
from tests.e2e.commands.places import FIRST, NO_ROLE, SECOND, SPOKES, due, refused, waiting
from tests.e2e.town import BY_TAG, PAYMENTS, Town, document, invoke
from tests.scanhub.promised import promised


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


def names(town: Town, region: str) -> list[str]:
    return [FunctionArn.parse(arn).name for arn in town.arns(region=region)]


def tagged_out(town: Town) -> int:
    """Functions of the first region whose only tag excludes them."""
    return sum(name in BY_TAG for name in names(town, FIRST))
