from datetime import UTC, datetime, timedelta

import pytest

from hub.coverage import CoverageState
from hub.figures import circuit_figures, ending_figures, load_figures, scan_figures, sweep_figures, try_figures
from hub.message import Source
from hub.metric_table import check
from hub.scans import ScanStatus, ScanSummary, Severity
from hub.sweeps import SweepCounts
from spoke.changes import Change, ChangeKind
from tests.hub.samples import FINISHED, FUNCTION, SCAN_ID
from worker.trip import EndingKind

CHANGE = Change(
    kind=ChangeKind.CODE_UPDATED,
    function=FUNCTION,
    account=FUNCTION.account,
    region=FUNCTION.region,
    at=datetime(2026, 11, 21, 10, 0, tzinfo=UTC),
)


def summary(status: ScanStatus = ScanStatus.SUCCESS) -> ScanSummary:
    return ScanSummary(
        scan_id=SCAN_ID,
        status=status,
        manifest_key="scans/a/manifest.json",
        completed_at=FINISHED,
        fresh_until=FINISHED,
        severities={Severity.HIGH: 2, Severity.CRITICAL: 1},
        secrets=3,
        packages=41,
    )


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (ScanStatus.SUCCESS, "ScansCompleted"),
        (ScanStatus.PARTIAL, "ScansPartial"),
        (ScanStatus.FAILED, "ScansFailed"),
    ],
)
def test_the_figures_of_a_scan(status: ScanStatus, name: str) -> None:
    figures = scan_figures(FUNCTION, summary(status), timedelta(seconds=210), exit_code="42")
    assert figures == {
        "values": {
            name: 1,
            "ScanDuration": 210,
            "SecretsFound": 3,
            "PackagesFound": 41,
            "FindingsCritical": 1,
            "FindingsHigh": 2,
            "FindingsMedium": 0,
            "FindingsLow": 0,
            "FindingsInformational": 0,
        },
        "dimensions": {"Service": "worker", "Status": status.value},
        "account": "111122223333",
        "region": "eu-west-1",
        "function": str(FUNCTION),
        "scan_id": SCAN_ID,
        "exit_code": "42",
    }
    check(figures["values"], figures["dimensions"])


def test_what_is_not_known_of_a_scan_is_left_out() -> None:
    figures = scan_figures(FUNCTION, summary())
    assert "ScanDuration" not in figures["values"]
    assert "exit_code" not in figures


@pytest.mark.parametrize("kind", EndingKind)
def test_every_ending_of_a_journey_has_its_figure(kind: EndingKind) -> None:
    figures = ending_figures(kind.value, "no_report", Source.SWEEP, timedelta(seconds=-2))
    name = "Events" + "".join(word.capitalize() for word in kind.value.split())
    assert figures == {
        "values": {name: 1, "QueueDelay": 0},
        "dimensions": {"Service": "worker", "Source": "sweep"},
        "reason": "no_report",
    }
    check(figures["values"], figures["dimensions"])


def test_an_ending_says_whose_function_it_left_in_which_state_and_how_long_that_took() -> None:
    figures = ending_figures(
        "stored",
        "success",
        Source.CHANGES,
        timedelta(seconds=40),
        change=CHANGE,
        state=CoverageState.COVERED,
        latency=timedelta(seconds=95.5),
    )
    assert figures == {
        "values": {"EventsStored": 1, "QueueDelay": 40, "ChangeLatency": 95.5},
        "dimensions": {"Service": "worker", "Source": "changes"},
        "reason": "success",
        "account": "111122223333",
        "region": "eu-west-1",
        "function": str(FUNCTION),
        "state": "COVERED",
    }
    check(figures["values"], figures["dimensions"])


def test_a_clock_that_is_behind_makes_no_latency_negative() -> None:
    figures = ending_figures("stored", "success", Source.CHANGES, timedelta(0), latency=timedelta(seconds=-1))
    assert figures["values"]["ChangeLatency"] == 0


def test_the_load_of_a_worker() -> None:
    assert load_figures(
        running=2,
        held=5,
        slots=8,
        waiting=3,
        accounts_paused=2,
        accounts_without_access=1,
        circuit_open=True,
        paused=True,
    ) == {
        "values": {
            "RunningScans": 2,
            "HeldMessages": 5,
            "Slots": 8,
            "WaitingMessages": 3,
            "AccountsPaused": 2,
            "AccountsWithoutAccess": 1,
            "QualysCircuitOpen": 1,
            "Paused": 1,
        },
        "dimensions": {"Service": "worker"},
    }
    idle = load_figures(running=0, held=0, slots=8)["values"]
    assert {label for label, value in idle.items() if value} == {"Slots"}
    assert all(type(value) is float for value in idle.values())


@pytest.mark.parametrize(("open_", "value"), [(True, 1), (False, 0)])
def test_the_circuit_shows_at_each_turn(open_: bool, value: int) -> None:
    assert circuit_figures(open_) == {"values": {"QualysCircuitOpen": value}, "dimensions": {"Service": "worker"}}


def test_a_failed_try_says_whose_function_it_was_and_how_the_scanner_ended() -> None:
    assert try_figures("scanner_crashed", function=FUNCTION, exit_code="SIGKILL") == {
        "values": {"TriesFailed": 1},
        "dimensions": {"Service": "worker"},
        "reason": "scanner_crashed",
        "account": "111122223333",
        "region": "eu-west-1",
        "function": str(FUNCTION),
        "exit_code": "SIGKILL",
    }
    assert try_figures("unexpected").keys() == {"values", "dimensions", "reason"}


def test_a_finished_sweep_tells_what_it_found() -> None:
    counts = SweepCounts(accounts=3, functions=120, fresh=100, queued={"missing": 4, "stale": 6}, failed=2)
    assert sweep_figures(counts, covered_share=0.875) == {
        "values": {"SweptFunctions": 120.0, "SweepQueued": 10.0, "SweepFailures": 2.0, "CoveredShare": 87.5},
        "dimensions": {"Service": "worker"},
    }
    assert "CoveredShare" not in sweep_figures(counts)["values"]
    # An organization without a function was swept all the same: the figure is there, and is zero.
    assert sweep_figures(SweepCounts())["values"]["SweptFunctions"] == 0.0
