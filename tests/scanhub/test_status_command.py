"""What `scanhub status` says, without a cloud."""

import io
import json
from dataclasses import replace
from datetime import timedelta

from rich.console import Console

from hub.message import Depth, Source
from hub.scans import ScanProfile
from hub.service_notes import Pause, WorkerNote
from hub.service_status import QueueStatus, ServiceStatus
from hub.sweeps import ScopeNote, SweepCounts, SweepRun, SweepScope
from scanhub import status_command
from tests.ledger_samples import HOUR, NOW
from tests.scanhub.promised import promised

WORKER = WorkerNote(
    id="0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    version="0.1.0",
    profile=ScanProfile("qscanner", "4.8.0-2", "get-report", ("pkg", "secret")),
    slots=4,
    running=3,
    started_at=NOW - HOUR,
    seen_at=NOW,
)
WHOLE = SweepScope(profile_id="1")
RUN = SweepRun(
    id="20261121T093015250Z-1a2b3c4d",
    scope_id=WHOLE.id,
    whole_scope_id=WHOLE.id,
    scope=ScopeNote.of(WHOLE),
    started_at=NOW - HOUR,
    finished_at=NOW,
    accounts=120,
    counts=SweepCounts(accounts=118, functions=30_000, queued={"missing": 1200}, failed=2),
)
BUSY = ServiceStatus(
    at=NOW,
    queues={
        Source.CHANGES: QueueStatus(depth=Depth(1200, 3, 34), parked=2, oldest=timedelta(seconds=3723.4)),
        Source.SWEEP: QueueStatus(depth=Depth(0, 0, 0), parked=0),
    },
    workers=(WORKER, replace(WORKER, id="b" * 32, paused=True)),
    silent=(replace(WORKER, id="dead" * 8, seen_at=NOW - HOUR),),
    last_sweep=RUN,
    last_full_sweep=RUN,
    running_sweep=replace(RUN, id="20261121T103015250Z-1a2b3c4d", finished_at=None, at=NOW),
    unfinished_sweep=replace(RUN, id="20261121T113015250Z-1a2b3c4d", finished_at=None, at=NOW - HOUR),
    notes=("the age of the oldest messages is not known: AccessDenied",),
)
IDLE = ServiceStatus(at=NOW, queues={Source.CHANGES: QueueStatus(depth=Depth(0, 0, 0), parked=0)})


def told(status: ServiceStatus) -> str:
    stream = io.StringIO()
    status_command._tell(status, Console(file=stream, width=160, highlight=False, emoji=False))
    return stream.getvalue()


def test_documents_have_what_they_promise() -> None:
    for status in (BUSY, IDLE):
        promised("status", json.loads(json.dumps(status_command._document(status))))
    busy = status_command._document(BUSY)
    assert busy["queues"]["changes"] == {
        "visible": 1200,
        "inFlight": 3,
        "delayed": 34,
        "oldestSeconds": 3723.4,
        "parked": 2,
    }
    assert (busy["runningScans"], len(busy["silentWorkers"]), busy["circuitOpen"]) == (6, 1, False)


def test_the_document_says_what_a_sweep_was_of() -> None:
    part = replace(RUN, scope=ScopeNote.of(SweepScope(accounts=("210987654321",), exclude=("legacy-*", "test-*"))))
    document = json.loads(json.dumps(status_command._document(replace(BUSY, last_sweep=part))))
    promised("status", document)
    none = {"number": 0, "first": []}
    assert document["lastSweep"]["scope"] == {
        "isWhole": False,
        "accounts": {"number": 1, "first": ["210987654321"]},
        "ous": none,
        "regions": none,
        "exclude": {"number": 2, "first": ["legacy-*", "test-*"]},
    }
    assert document["lastWholeSweep"]["scope"] == {"isWhole": True} | dict.fromkeys(
        ("accounts", "ous", "regions", "exclude"), none
    )
    unknown = json.loads(json.dumps(status_command._document(replace(BUSY, last_sweep=replace(RUN, scope=None)))))
    assert promised("status", unknown)["lastSweep"]["scope"] is None


def test_a_pause_and_a_breaker_stand_above_all() -> None:
    pause = Pause(by="arn:aws:sts::123456789012:assumed-role/ops/ada", reason="[red]maintenance[/]", at=NOW)
    status = replace(BUSY, pause=pause, workers=(replace(WORKER, circuit="Qualys refuses the token"),))
    document = promised("status", json.loads(json.dumps(status_command._document(status))))
    assert (document["paused"]["by"], document["circuitReason"]) == (pause.by, "Qualys refuses the token")
    paused, breaker, *_ = told(status).splitlines()
    assert paused == (
        "PAUSED since 2026-11-21 09:30 UTC by arn:aws:sts::123456789012:assumed-role/ops/ada: [red]maintenance[/]; "
        "go on with: scanhub resume"
    )
    assert breaker == "BREAKER OPEN: Qualys refuses the token"


def test_a_person_reads_queues_workers_and_sweeps() -> None:
    text = told(BUSY)
    changes = next(line for line in text.splitlines() if line.startswith("changes"))
    assert changes.split() == ["changes", "1,234", "3", "1:02:03", "2"]
    heading = text.splitlines()[0]
    assert [changes.rindex(f" {cell}") + len(cell) for cell in ("1,234", "1:02:03")] == [
        heading.rindex(name) + len(name) - 1 for name in ("WAITING", "OLDEST")
    ], "figures stand to the right, below the end of their heading"
    assert "0a1b2c3d4e5f  3 of 4  qscanner 4.8.0-2 (get-report)" in text
    assert text.count(" 2026-11-21 08:30Z ") == 2
    assert [line.split()[-1] for line in text.splitlines() if " of 4 " in line] == ["working", "paused"]
    assert "silent since 2026-11-21 08:30 UTC: worker dead" in text
    assert (
        "last sweep  finished 2026-11-21 09:30 UTC, the whole organization: 118 of 120 accounts, 30,000 functions, "
        "1,200 queued, 2 failed" in text
    )
    assert "running     begun 2026-11-21 08:30 UTC, the whole organization: 118 of 120 accounts" in text
    assert "unfinished  begun 2026-11-21 08:30 UTC, the whole organization: 118 of 120 accounts" in text
    assert text.splitlines()[-1] == "the age of the oldest messages is not known: AccessDenied"


def test_a_service_without_workers_and_sweeps_says_so() -> None:
    text = told(IDLE)
    assert "No worker runs, or none has been heard of for three minutes." in text
    assert "last sweep  none in 90 days; begin one with: scanhub sweep" in text
    assert "running" not in text
    assert "unfinished" not in text
