"""What `scanhub scan` says, without a cloud."""

import io
import json
import signal
import subprocess
from dataclasses import replace

import pytest
from rich.console import Console

from hub.coverage import Coverage, CoverageState
from hub.scan_outcome import Outcome
from hub.scan_requests import Waiting
from hub.scan_selection import Wanted
from hub.tagged_functions import Tag
from scanhub import scan_command
from scanhub.scan_command import progress_line, scan
from scanhub.scan_documents import scan_document
from spoke.errors import Misconfigured
from tests.ledger_samples import CHECKOUT, NOW, REFUNDS, SUMMARY
from tests.scanhub.operator_rig import Operator, invoke, operator
from tests.scanhub.processes import SCANHUB, environment
from tests.scanhub.promised import promised

__all__ = ["operator"]

COVERED = Coverage(function=CHECKOUT, state=CoverageState.COVERED, at=NOW, last_good=SUMMARY)
OUTCOME = Outcome(
    asked=(CHECKOUT, REFUNDS),
    left=(replace(CHECKOUT, name="orders"),),
    problems=("210000000009: [bold]refused[/]",),
    settled=(COVERED,),
    has_waited=True,
)


def told(outcome: Outcome, *, as_json: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=160, highlight=False, emoji=False)
    scan_command._tell(outcome, console, as_json=as_json)
    return stream.getvalue()


def test_a_document_has_what_it_promises() -> None:
    document = promised("scan", json.loads(json.dumps(scan_document(OUTCOME))))
    assert document["functions"][0]["lastGood"]["scanId"] == SUMMARY.scan_id
    assert document["unsettled"] == [str(REFUNDS)]
    promised("scan", json.loads(json.dumps(scan_document(Outcome(asked=(CHECKOUT,))))))


def test_what_failed_is_listed() -> None:
    text = told(OUTCOME)
    assert "COVERED" in text
    assert f"{CHECKOUT.unqualified}".replace("checkout-api", "orders") + ": its request was not taken" in text
    assert f"{REFUNDS}: no result in time; is a worker running?" in text
    assert "210000000009: [bold]refused[/]\n" in text
    beside = told(OUTCOME, as_json=True)
    assert "COVERED" not in beside
    assert "no result in time" in beside


def test_a_named_function_that_is_not_there_is_told_of() -> None:
    gone = replace(COVERED, state=CoverageState.GONE)
    named = Outcome(asked=(CHECKOUT,), settled=(gone,), has_waited=True, named=(CHECKOUT,))
    assert f"{CHECKOUT}: there is no such function" in told(named)
    assert "no such function" not in told(replace(named, named=()))


def test_a_table_without_a_row_is_not_shown() -> None:
    assert told(Outcome(asked=(REFUNDS,), has_waited=True)) == f"{REFUNDS}: no result in time; is a worker running?\n"


@pytest.mark.parametrize("option", ["--account", "--region"])
def test_an_option_that_names_nothing_does_not_mean_everything(option: str) -> None:
    refused = invoke("scan", "--tag", "team=payments", option, "").exception
    assert isinstance(refused, Misconfigured)
    assert refused.text == f"{option} names nothing; leave it out to mean all"


def test_a_task_prints_no_document_here() -> None:
    refused = invoke("scan", "--account", CHECKOUT.account, "--in-hub", "--json").exception
    assert isinstance(refused, Misconfigured)
    assert refused.text == "--json does not go with --in-hub: the task writes to the hub's log"


def test_a_tag_that_no_function_carries_is_a_mistake(operator: Operator) -> None:
    """No account is known here, so that none is asked."""
    refused = invoke("scan", "--tag", "team=paymnts", "--tag", "tier").exception
    assert isinstance(refused, Misconfigured)
    assert refused.text == (
        "no function carries the tag team=paymnts or tier in the accounts and regions that were asked"
    )
    assert operator.visible("sweep") == 0


def test_nobody_waits_longer_than_a_message_lives() -> None:
    late = invoke("scan", str(CHECKOUT), "--wait", "--timeout", "1000000000000")
    assert late.exit_code == 2
    assert "--timeout" in late.stderr


def test_whoever_waits_is_told_that_nobody_works(operator: Operator) -> None:
    assert operator.visible("changes") == 0
    waited = invoke("scan", str(CHECKOUT), "--wait", "--timeout", "1")
    assert (waited.exit_code, "note: no worker runs" in waited.stderr) == (1, True)
    invoke("pause", "--because", "Qualys maintenance")
    waited = invoke("scan", str(CHECKOUT), "--wait", "--timeout", "1")
    assert "note: the service was paused by arn:aws:sts::" in waited.stderr
    assert "nothing is scanned until scanhub resume" in waited.stderr
    assert invoke("scan", str(CHECKOUT)).stderr == ""


def test_ctrl_c_while_it_waits_says_that_the_scan_is_asked_for(operator: Operator) -> None:
    process = subprocess.Popen(
        [*SCANHUB, "scan", str(CHECKOUT), "--wait"], stderr=subprocess.PIPE, text=True, env=environment({})
    )
    try:
        assert process.stderr is not None
        # It is told once the request is in the queue.
        assert "no worker runs" in process.stderr.readline()
    finally:
        process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told == "what was asked for stays so; what becomes of it: scanhub coverage\n"
    assert operator.visible("changes") == 1


def test_how_many_were_asked_for() -> None:
    assert told(Outcome(asked=(CHECKOUT,))) == "1 scan asked for.\n"
    assert told(Outcome(asked=(CHECKOUT, REFUNDS))) == "2 scans asked for.\n"


def test_long_lists_are_cut() -> None:
    many = tuple(replace(COVERED, function=replace(CHECKOUT, name=f"f{index}")) for index in range(503))
    text = told(Outcome(asked=tuple(one.function for one in many), settled=many, has_waited=True))
    assert "and 3 more; all of them: --json" in text
    late = told(Outcome(asked=tuple(one.function for one in many), has_waited=True))
    assert late.count("no result in time") == 500
    assert "and 3 more; all of them: --json" in late


def test_progress_says_how_many_have_ended_and_how() -> None:
    assert progress_line(Waiting(asked=1200, settled=0)) == "0 of 1,200 have ended"
    states = {CoverageState.COVERED: 1000, CoverageState.FAILED: 3}
    assert progress_line(Waiting(asked=1200, settled=1003, states=states)) == (
        "1,003 of 1,200 have ended: 1,000 COVERED, 3 FAILED"
    )


def test_the_command_line_for_the_hub_asks_for_the_same() -> None:
    wanted = Wanted(accounts=("210000000001",), regions=("eu-central-1",), tags=(Tag.parse("team=pay ments"),))
    assert scan_command._arguments(wanted, force=True, patience=60) == [
        *("scan", "--account", "210000000001", "--region", "eu-central-1", "--tag", "team=pay ments"),
        *("--force", "--wait", "--timeout", "60"),
    ]
    alone = Wanted(accounts=("210000000001",))
    assert scan_command._arguments(alone, force=False, patience=0) == ["scan", "--account", "210000000001"]


def test_named_functions_are_not_asked_for_by_a_task() -> None:
    """The task's role may send to the sweep's queue alone: on AWS it would be refused there."""
    arn = "arn:aws:lambda:eu-central-1:210000000001:function:orders-api"
    with pytest.raises(Misconfigured, match="--in-hub goes with --account or --tag"):
        scan(arns=[arn], in_hub=True)
