"""What every scanner does, the real driver (on a double of the binary) and the one in memory; then every exit code."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from hub.scanned import ArtifactName
from hub.scans import PolicyVerdict, ScanStatus
from spoke.errors import (
    Gone,
    HostFault,
    Misconfigured,
    NoAccess,
    QualysFault,
    ResultUnwritable,
    ScanhubError,
    ScannerCrashed,
    Throttled,
    Unavailable,
    Unreadable,
    UploadFailed,
)
from tests.doubles.qscanner_rig import TOKEN, Rig, session, snapshot
from worker.memory.scanner import MemoryScanner, RunEnd, Script
from worker.ports import Scanner


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as rig:
        yield rig


@dataclass
class Stage:
    """One scanner, and how to see that a scan of it runs and that nothing is left of it."""

    scanner: Scanner
    rig: Rig

    async def running(self) -> None:
        if isinstance(self.scanner, MemoryScanner):
            for _ in range(3):  # turns of the loop, not seconds
                await asyncio.sleep(0)
            assert self.scanner.running
        else:
            await self.rig.bell.rung()

    def is_clean(self) -> bool:
        if isinstance(self.scanner, MemoryScanner):
            return self.scanner.open == 0 and not self.scanner.running
        return self.rig.scan_directories() == [] and self.rig.processes() == []


@pytest.fixture(params=["driver", "memory"])
async def stage(request: pytest.FixtureRequest, rig: Rig) -> AsyncIterator[Stage]:
    scanner: Scanner
    if request.param == "driver":
        scanner = await rig.prepare()
    else:
        scanner = memory = MemoryScanner(rig.clock, default=Script(duration=timedelta(0)))
        memory.script(snapshot("hang").arn, Script(duration=timedelta(hours=1)))
        memory.script(snapshot("exit-10-absent").arn, Script(duration=timedelta(0), error=Gone("it is gone")))
        partial = Script(
            duration=timedelta(0),
            status=ScanStatus.PARTIAL,
            exit_code=40,
            reasons=("report_pending",),
            report_owed=True,
        )
        memory.script(snapshot("exit-40").arn, partial)
    yield Stage(scanner, rig)
    assert Stage(scanner, rig).is_clean()


async def test_a_scan_hands_over_its_files_until_the_context_is_left(stage: Stage) -> None:
    async with stage.scanner.scan(snapshot("exit-0"), session()) as scanned:
        assert (scanned.status, scanned.exit_code, scanned.reasons) == (ScanStatus.SUCCESS, 0, ())
        assert scanned.started_at.tzinfo is not None
        assert scanned.started_at <= scanned.finished_at
        assert not scanned.report_owed
        report = scanned.artifact(ArtifactName.SARIF)
        assert report is not None
        for _ in range(2):
            with report.open() as file:
                content = file.read()
            assert len(content) == report.size
            assert json.loads(content)["version"] == "2.1.0"
        names = [artifact.name for artifact in scanned.artifacts]
        assert len(names) == len(set(names))
        assert {ArtifactName.SCAN_RESULT, ArtifactName.CYCLONEDX} <= set(names)


async def test_the_profile_says_what_scans(stage: Stage) -> None:
    profile = stage.scanner.profile
    assert profile.engine
    assert profile.version[0].isdigit()
    assert profile.mode == "get-report"
    assert profile.scan_types == ("pkg", "secret")


async def test_an_error_is_raised_where_the_context_is_entered(stage: Stage) -> None:
    with pytest.raises(Gone):
        async with stage.scanner.scan(snapshot("exit-10-absent"), session()):
            pytest.fail("there is nothing to hand over")
    assert stage.is_clean()


async def test_a_report_that_did_not_come_is_partial_and_owed(stage: Stage) -> None:
    async with stage.scanner.scan(snapshot("exit-40"), session()) as scanned:
        assert (scanned.status, scanned.reasons, scanned.report_owed) == (ScanStatus.PARTIAL, ("report_pending",), True)


async def test_cancelling_a_running_scan_leaves_nothing_behind(stage: Stage) -> None:
    async def scan() -> None:
        async with stage.scanner.scan(snapshot("hang"), session()):
            pytest.fail("it never ends by itself")

    task = asyncio.create_task(scan())
    await stage.running()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.is_clean()
    if isinstance(stage.scanner, MemoryScanner):
        assert [run.end for run in stage.scanner.runs] == [RunEnd.CANCELLED]


async def test_what_the_reader_of_the_files_raises_comes_through(stage: Stage) -> None:
    with pytest.raises(ZeroDivisionError):
        async with stage.scanner.scan(snapshot("exit-0"), session()):
            raise ZeroDivisionError
    assert stage.is_clean()


WORTH_STORING = [
    (0, ScanStatus.SUCCESS, (), None, False),
    *((code, ScanStatus.PARTIAL, (f"scan_type_failed:{code}",), None, False) for code in (11, 12, 13, 14, 16)),
    *((code, ScanStatus.PARTIAL, (f"scan_type_failed:{code}",), None, False) for code in (18, 19, 20, 21)),
    (15, ScanStatus.PARTIAL, ("os_not_found",), None, False),
    (17, ScanStatus.PARTIAL, ("os_not_supported",), None, False),
    (40, ScanStatus.PARTIAL, ("report_pending",), None, True),
    (41, ScanStatus.PARTIAL, ("policy_pending",), None, True),
    (42, ScanStatus.SUCCESS, (), PolicyVerdict.DENY, False),
    (43, ScanStatus.SUCCESS, (), PolicyVerdict.AUDIT, False),
]


@pytest.mark.parametrize(("code", "status", "reasons", "policy", "owed"), WORTH_STORING)
async def test_exit_codes_with_something_to_store(
    rig: Rig, code: int, status: ScanStatus, reasons: tuple[str, ...], policy: PolicyVerdict | None, owed: bool
) -> None:
    scanner = await rig.prepare()
    async with scanner.scan(snapshot(f"exit-{code}"), session()) as scanned:
        assert scanned.exit_code == code
        assert (scanned.status, scanned.reasons, scanned.policy) == (status, reasons, policy)
        assert scanned.report_owed is owed
        assert scanned.artifact(ArtifactName.SCAN_RESULT) is not None
        assert (scanned.artifact(ArtifactName.SARIF) is not None) is (code != 40)
    assert rig.scan_directories() == []


async def test_exit_0_is_a_verdict_where_a_policy_was_asked_for(rig: Rig) -> None:
    scanner = await rig.prepare(qscanner_mode="evaluate-policy")
    async with scanner.scan(snapshot("exit-0"), session()) as scanned:
        assert scanned.policy is PolicyVerdict.ALLOW


ERRORS: list[tuple[str, type[ScanhubError]]] = [
    ("exit-1", ScannerCrashed),
    ("exit-1-token", QualysFault),
    ("exit-2-flag", Misconfigured),
    ("exit-2-panic", ScannerCrashed),
    ("exit-2-token", QualysFault),
    ("exit-3", HostFault),
    *((f"exit-{code}", Unreadable) for code in (5, 7, 8, 9)),
    ("exit-5-enospc", ScannerCrashed),
    ("exit-6", ScannerCrashed),
    ("exit-6-manifest", Unreadable),
    ("exit-6-denied", NoAccess),
    ("exit-10", ScannerCrashed),
    ("exit-10-denied", NoAccess),
    ("exit-10-absent", Gone),
    ("exit-10-throttled", Throttled),
    ("exit-10-network", Unavailable),
    ("exit-10-session", Unavailable),
    ("exit-10-kms", Unreadable),
    ("exit-10-token", QualysFault),
    ("exit-10-qualysdown", UploadFailed),
    ("exit-10-throttled-denied", NoAccess),
    *((f"exit-{code}", ResultUnwritable) for code in (30, 31, 32, 34, 35, 36, 38)),
    ("exit-34-enospc", ScannerCrashed),
    *((f"exit-{code}", UploadFailed) for code in (33, 37, 39)),
    ("exit-33-token", QualysFault),
    ("exit-4", ScannerCrashed),
    ("exit-22", ScannerCrashed),
    ("exit-44-token", QualysFault),
    ("exit-127", ScannerCrashed),
    ("segv", ScannerCrashed),
]


@pytest.mark.parametrize(("name", "error"), ERRORS)
async def test_exit_codes_that_are_errors(rig: Rig, name: str, error: type[ScanhubError]) -> None:
    scanner = await rig.prepare()
    with pytest.raises(ScanhubError) as raised:
        async with scanner.scan(snapshot(name), session()):
            pytest.fail("there is nothing to hand over")
    assert type(raised.value) is error
    assert f":function:{name}" in raised.value.text
    assert "\n" not in raised.value.text
    assert TOKEN not in raised.value.text + raised.value.detail
    assert rig.scan_directories() == []


def test_every_exit_code_of_the_contract_has_its_case() -> None:
    documented = {0, 1, 2, 3, *range(5, 22), *range(30, 44)}
    covered = {case[0] for case in WORTH_STORING} | {int(name.split("-")[1]) for name, _ in ERRORS if "-" in name}
    assert documented <= covered
