"""What `scanhub sweep` says, without a cloud."""

import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from hub.sweep.decision import Why
from hub.sweep.progress import SweepProgress
from hub.sweep.report import AccountResult, Planned, SweepReport
from hub.sweeps import SweepCounts, SweepRun, SweepScope
from scanhub import sweep_command
from scanhub.sweep_command import Asked, exit_code, is_counted
from scanhub.sweep_documents import run_document, sweep_document
from scanhub.sweep_progress import bar, figures
from spoke.errors import Misconfigured
from tests.ledger_samples import CHECKOUT, NOW, REFUNDS
from tests.scanhub.operator_rig import invoke
from tests.scanhub.promised import promised

COUNTS = SweepCounts(
    accounts=2,
    functions=1200,
    fresh=1000,
    waiting=20,
    excluded=30,
    queued={"missing": 100, "changed": 50, "stale": 0},
    gone=4,
    failed=1,
    calls=60,
)
RUN = SweepRun(id="20261121T093015250Z-1a2b3c4d", scope_id="abc", started_at=NOW)
DONE = SweepReport(
    run=RUN,
    scope=SweepScope(),
    counts=COUNTS,
    accounts=(
        AccountResult(account="210000000001", counts=COUNTS),
        AccountResult(
            account="210000000002",
            counts=SweepCounts(),
            regions={"us-east-1": "no answer", "eu-west-1": "no answer", "eu-central-1": "[bold]refused[/]"},
        ),
    ),
    listed_accounts=2,
    started_at=NOW,
    finished_at=NOW + timedelta(seconds=83),
    duration=83.04,
    summary_key="sweeps/20261121T093015250Z-1a2b3c4d/summary.json",
)


def told(report: SweepReport) -> str:
    stream = io.StringIO()
    sweep_command._tell(report, Console(file=stream, width=160, highlight=False, emoji=False))
    return stream.getvalue()


def test_a_document_has_what_it_promises() -> None:
    document = promised("sweep", json.loads(json.dumps(sweep_document(DONE))))
    assert (document["sweepId"], document["seconds"]) == (RUN.id, 83.0)
    assert (document["counts"]["queued"], document["counts"]["queuedBy"]["changed"]) == (150, 50)
    assert {one["region"] for one in document["problems"]} == {"us-east-1", "eu-west-1", "eu-central-1"}
    assert not document["isComplete"]


def test_the_document_of_a_dry_run_and_of_one_that_was_stopped() -> None:
    planned = (Planned(REFUNDS, Why.STALE),)
    dry = replace(DONE, run=None, dry_run=True, planned=planned, planned_unnamed=7, summary_key="")
    document = promised("sweep", json.loads(json.dumps(sweep_document(dry))))
    assert (document["planned"], document["plannedMore"]) == ([{"function": str(REFUNDS), "why": "stale"}], 7)
    assert (document["sweepId"], document["summaryKey"]) == (None, None)
    stopped = promised("sweep", sweep_document(replace(DONE, stopped="the service is paused")))
    assert stopped["stopped"] == "the service is paused"


def test_a_run_is_told_while_it_runs() -> None:
    document = run_document(replace(RUN, accounts=5, counts=COUNTS))
    assert (document["finishedAt"], document["accounts"]) == (None, 5)


def test_a_person_reads_figures_and_each_problem_once() -> None:
    text = told(DONE)
    assert "2 of 2 accounts, 1,200 functions: 1,000 fresh, 150 queued (100 missing, 50 changed), 20 waiting" in text
    assert "60 AWS calls in 83 s." in text
    assert "could not be listed" not in text
    assert "  210000000002 eu-west-1, us-east-1: no answer\n" in text
    assert "  210000000002 eu-central-1: [bold]refused[/]\n" in text, "words of an account are not markup"
    assert "summary  sweeps/20261121T093015250Z-1a2b3c4d/summary.json" in text


def test_results_that_nobody_can_renew_are_told_of() -> None:
    told_of = replace(DONE, counts=replace(COUNTS, outlived=1200))
    assert (
        "1,200 more with a result that is too old or of another scan profile could not be listed: "
        "they do not count as covered (scanhub coverage --state stale)."
    ) in told(told_of)
    assert promised("sweep", sweep_document(told_of))["counts"]["outlived"] == 1200


def test_one_is_no_plural() -> None:
    one = replace(COUNTS, accounts=1, functions=1, calls=1)
    text = told(replace(DONE, counts=one, accounts=(), listed_accounts=1, duration=1.0))
    assert text.startswith("1 of 1 account, 1 function: ")
    assert "1 AWS call in 1 s." in text


def test_a_long_plan_is_cut() -> None:
    planned = tuple(Planned(replace(CHECKOUT, name=f"f{index}"), Why.MISSING) for index in range(205))
    text = told(replace(DONE, run=None, dry_run=True, accounts=(), planned=planned, planned_unnamed=10))
    assert "150 to be queued" in text
    assert "f199" in text
    assert "f200" not in text
    assert "and 15 more" in text


def test_many_problems_are_cut() -> None:
    accounts = tuple(
        AccountResult(account=f"{210000000000 + index}", counts=SweepCounts(), problem="no role") for index in range(60)
    )
    text = told(replace(DONE, accounts=accounts))
    assert text.count("no role") == sweep_command.PROBLEMS_SHOWN
    assert "and 10 more; all of them: --json, or the summary" in text


def test_exit_codes() -> None:
    whole = replace(DONE, accounts=DONE.accounts[:1])
    nothing = replace(
        DONE,
        accounts=(AccountResult(account="210000000002", counts=SweepCounts(), problem="no role", is_listed=False),),
    )
    assert (exit_code(whole), exit_code(DONE), exit_code(nothing)) == (0, 3, 1)
    assert exit_code(replace(whole, stopped="the service is paused")) == 3
    assert exit_code(replace(whole, accounts=(), stopped="the service is paused")) == 1


def test_only_a_sweep_of_everything_counts_for_the_alarm_of_an_overdue_one() -> None:
    assert is_counted(DONE)
    for other in (
        replace(DONE, dry_run=True),
        replace(DONE, stopped="the service is paused"),
        replace(DONE, scope=SweepScope(regions=("eu-central-1",))),
        replace(DONE, scope=SweepScope(exclude=("tmp-*",))),
        replace(DONE, accounts=(replace(DONE.accounts[1], is_listed=False),)),
    ):
        assert not is_counted(other)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--accounts", "12345"], "not an account id (twelve digits): 12345"),
        (["--accounts", "210000000001", "--ou", "ou-ab12-cdefghij"], "--accounts and --ou: choose one"),
        (["--exclude", ""], "--exclude names nothing; leave it out to exclude nothing more than the settings do"),
        (["--json", "--in-hub"], "--json does not go with --in-hub: the task writes to the hub's log"),
        (["--json", "--metrics"], "--json does not go with --metrics: both are for stdout"),
    ],
)
def test_a_mistake_is_told_before_anybody_is_asked(arguments: list[str], words: str) -> None:
    """There is no setting and no endpoint here."""
    refused = invoke("sweep", *arguments)
    assert isinstance(refused.exception, Misconfigured)
    assert (refused.exception.text, refused.output) == (words, "")


def test_the_command_line_for_the_hub_asks_for_the_same() -> None:
    asked = Asked(
        accounts=("210000000001", "210000000002"),
        ous=(),
        regions=("eu-central-1",),
        exclude=("tmp-*",),
        dry_run=True,
        metrics=False,
    )
    assert asked.arguments() == [
        *("sweep", "--accounts", "210000000001,210000000002", "--regions", "eu-central-1"),
        *("--exclude", "tmp-*", "--dry-run", "--metrics"),
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_figures_below_the_bar_are_never_cut(width: int) -> None:
    counts = replace(COUNTS, functions=1_000_000, fresh=864_000, failed=12)
    progress = SweepProgress(
        accounts=10_000, done=9_000, counts=counts, elapsed=1.0, functions_per_second=1234.4, seconds_left=44_000.0
    )
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    with bar(console) as shown:
        shown.progressed(progress)
    text = " ".join(stream.getvalue().split())
    assert " 9000/10000 0:00:00 1,000,000 functions, 150 queued, 864,000 fresh, 12 failed, 1,234/s," in text
    assert "12 h 13 min left" in text


@pytest.mark.parametrize(
    ("done", "seconds_left", "tail"),
    [
        (1, 0.4, ", 0 s left"),
        (1, 59.0, ", 59 s left"),
        (1, 61.0, ", 1 min 1 s left"),
        (1, 7384.0, ", 2 h 3 min left"),
        (1, None, "1,234/s"),
        (2, 0.0, "1,234/s"),
    ],
)
def test_figures_below_the_bar(done: int, seconds_left: float | None, tail: str) -> None:
    progress = SweepProgress(
        accounts=2,
        done=done,
        counts=COUNTS,
        elapsed=1.0,
        functions_per_second=1234.4,
        seconds_left=seconds_left,
    )
    line = figures(progress)
    assert line.startswith("1,200 functions, 150 queued, 1,000 fresh, 1 failed, 1,234/s")
    assert line.endswith(tail)
