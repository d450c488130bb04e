"""What `scanhub scan` says, without a cloud."""

import io
import json
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
from tests.scanhub.promised import promised

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
