"""The driver on real processes. Nothing here waits on the wall clock, save the scan that runs over its time."""

import asyncio
import io
import json
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.redaction import MASK
from hub.scanned import ArtifactName, Scanned
from hub.scans import ScanStatus
from spoke.errors import HostFault, ScannerCrashed, Unreadable
from tests.doubles.qscanner_rig import (
    PROXY_PASSWORD,
    REGISTRY_PASSWORD,
    SECRETS,
    SESSION_KEY,
    SESSION_TOKEN,
    TOKEN,
    Rig,
    qualys,
    session,
    snapshot,
)
from worker.scanner import limits, output
from worker.scanner.driver import QScanner
from worker.scanner.run import Patience

IMAGE = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/dump@sha256:" + "c0" * 32


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as rig:
        yield rig


def content(scanned: Scanned, name: ArtifactName) -> bytes:
    artifact = scanned.artifact(name)
    assert artifact is not None
    with artifact.open() as file:
        data = file.read()
    assert len(data) == artifact.size
    return data


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@asynccontextmanager
async def begun(rig: Rig, scanner: QScanner, name: str) -> AsyncIterator[tuple[asyncio.Task[None], dict[str, Any]]]:
    """A scan that runs, and what its process said when it had started."""

    async def scan() -> None:
        async with scanner.scan(snapshot(name), session()):
            pass

    task = asyncio.create_task(scan())
    yield task, await rig.bell.rung()


async def dumped(rig: Rig, scanner: QScanner, **changes: Any) -> dict[str, Any]:
    """What the double was given."""
    rig.gate()

    async def scan() -> dict[str, Any]:
        async with scanner.scan(snapshot("dump", **changes), session()) as scanned:
            document: dict[str, Any] = json.loads(content(scanned, ArtifactName.REPORT))
            return document

    task = asyncio.create_task(scan())
    await rig.bell.rung()
    rig.open_gate()
    return await task


async def test_argv_is_what_the_contract_says(rig: Rig) -> None:
    scanner = await rig.prepare(scan_timeout=600)
    given = await dumped(rig, scanner)
    scan = Path(given["cwd"])
    assert given["argv"][1:] == [
        *("--pod", "EU1"),
        *("--mode", "get-report"),
        *("--scan-types", "pkg,secret"),
        *("--format", "json,spdx,cyclonedx"),
        *("--report-format", "sarif,json"),
        *("--output-dir", str(scan / "out")),
        *("--cache", "none"),
        *("--cache-dir", str(rig.work / "cache" / "slot-0")),
        *("--scan-timeout", "300s"),
        *("lambda", "arn:aws:lambda:eu-west-1:210987654321:function:dump"),
    ]
    assert scan.parent == rig.work / "scans"


async def test_an_image_is_scanned_by_its_digest_where_the_settings_say_so(rig: Rig) -> None:
    rig.qualys = qualys(qualys_gateway_url="https://gateway.qualys.bank.example")
    scanner = await rig.prepare(
        qscanner_image_command="image", qscanner_mode="evaluate-policy", qscanner_policy_tags="prod,pci"
    )
    given = await dumped(rig, scanner, package_type="Image", resolved_image_uri=IMAGE)
    assert given["argv"][-4:] == ["--policy-tags", "prod,pci", "image", IMAGE]
    assert given["argv"][1:3] == ["--gateway-url", "https://gateway.qualys.bank.example"]


async def test_the_environment_is_the_allow_list_and_this_scans_own(rig: Rig) -> None:
    given = await dumped(rig, await rig.prepare())
    scan = Path(given["cwd"])
    environment = given["environment"]
    environment.pop("LC_CTYPE", None)  # Python sets it for itself where no locale is given (PEP 538)
    assert environment == {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HTTPS_PROXY": f"http://scanhub:{MASK}@proxy.internal:3128",
        "no_proxy": "169.254.170.2",
        "SSL_CERT_FILE": "/etc/ssl/certs/ca.pem",
        "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:4566",
        "QUALYS_ACCESS_TOKEN": MASK,
        "QSCANNER_REGISTRY_PASSWORD": MASK,
        "AWS_ACCESS_KEY_ID": "ASIASPOKESPOKESPOKE1",
        "AWS_SECRET_ACCESS_KEY": MASK,
        "AWS_SESSION_TOKEN": MASK,
        "AWS_REGION": "eu-west-1",
        "HOME": str(scan / "home"),
        "TMPDIR": str(scan / "tmp"),
    }


@pytest.fixture
def open_stdin() -> Iterator[None]:
    """A standard input that a child could take from us; pytest's own is empty already."""
    ours, (reader, writer) = os.dup(0), os.pipe()
    os.dup2(reader, 0)
    yield
    os.dup2(ours, 0)
    for descriptor in (ours, reader, writer):
        os.close(descriptor)


@pytest.mark.usefixtures("open_stdin")
async def test_the_process_is_on_its_own(rig: Rig) -> None:
    given = await dumped(rig, await rig.prepare())
    assert given["group"] is True
    assert given["stdin"] == "/dev/null"
    assert given["descriptors"] == [0, 1, 2, 3]  # the last is the double's own, for listing them
    assert given["modes"] == ["0o700"] * 5


async def test_the_process_has_limits(rig: Rig) -> None:
    given = await dumped(rig, await rig.prepare())
    assert given["limits"]["RLIMIT_CORE"] == [0, 0]
    for name in ("RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC"):
        soft, hard = given["limits"][name]
        assert soft == hard
        assert 0 < hard <= limits.LIMITS[getattr(resource, name)]
    assert given["oom"] == limits.OOM_SCORE


async def test_a_secret_that_the_scanner_tells_is_in_no_file(rig: Rig) -> None:
    scanner = await rig.prepare()
    async with scanner.scan(snapshot("leaky"), session()) as scanned:
        for artifact in scanned.artifacts:
            data = content(scanned, artifact.name).decode()
            for secret in SECRETS:
                assert secret not in data, artifact.name
        report = json.loads(content(scanned, ArtifactName.SARIF))
        assert report["runs"][1:] == [MASK] * 4
        result = json.loads(content(scanned, ArtifactName.SCAN_RESULT))
        assert result == {"Metadata": {"Digest": "sha256:" + "ab" * 32}, "Env": [MASK] * 4}
        printed = content(scanned, ArtifactName.STDERR)
        assert printed.count(b"using [redacted] to sign in\n") == 8
        assert b"\n--- stdout ---\n" in printed


async def test_a_crash_tells_the_end_of_stderr_without_secrets(rig: Rig) -> None:
    scanner = await rig.prepare()
    with pytest.raises(ScannerCrashed, match="died by SIGSEGV: about to die with") as raised:
        async with scanner.scan(snapshot("segv"), session()):
            pass
    assert raised.value.detail == f"about to die with {MASK}\n"
    assert raised.value.exit_code == "SIGSEGV"


async def test_200_megabytes_of_output_are_drained_and_hardly_kept(rig: Rig) -> None:
    scanner = await rig.prepare()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with scanner.scan(snapshot("flood"), session()) as scanned:
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        printed = content(scanned, ArtifactName.STDERR)
    assert scanned.status is ScanStatus.SUCCESS
    assert grown < 32 * 1024 * 1024
    assert output.HEAD < len(printed) < output.HEAD + output.TAIL + output.LAST + 1000
    assert b"the end\n\n--- stdout ---\n" in printed
    assert printed.count(b" bytes left out]\n") == 1  # of stderr; of stdout the end is kept alone
    for at in range(len(TOKEN) - 8):
        assert TOKEN[at : at + 8].encode() not in printed


async def test_a_scan_over_its_time_is_ended_and_its_directory_removed(rig: Rig) -> None:
    scanner = await rig.prepare(scan_timeout=0.3)
    with pytest.raises(ScannerCrashed, match=r"ran over its time of 0\.3 s") as raised:
        async with scanner.scan(snapshot("hang"), session()):
            pass
    assert raised.value.exit_code == "timeout"
    assert rig.processes() == []
    assert rig.scan_directories() == []


async def test_a_cancelled_scan_is_asked_to_end_first(rig: Rig) -> None:
    scanner = await rig.prepare()
    async with begun(rig, scanner, "tidy") as (task, _):
        task.cancel()
        assert (await rig.bell.rung())["what"] == "TERM"
        with pytest.raises(asyncio.CancelledError):
            await task
    assert rig.scan_directories() == []


async def test_children_that_ignore_term_are_killed(rig: Rig) -> None:
    scanner = await rig.prepare(patience=Patience(version=30, grace=0.05, kill=30))
    async with begun(rig, scanner, "stubborn") as (task, _):
        assert len(rig.processes()) == 2
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert rig.processes() == []
    assert rig.scan_directories() == []


async def test_a_second_cancellation_does_not_cut_the_cleaning_short(rig: Rig) -> None:
    scanner = await rig.prepare(patience=Patience(version=30, grace=0.2, kill=30))
    async with begun(rig, scanner, "stubborn") as (task, _):
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert rig.processes() == []
    assert rig.scan_directories() == []


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 50, 500, 5000])
async def test_a_scan_may_be_cancelled_at_any_moment(rig: Rig, turns: int) -> None:
    scanner = await rig.prepare(max_concurrent_scans=1)

    async def scan(name: str) -> None:
        async with scanner.scan(snapshot(name), session()):
            pass

    task = asyncio.create_task(scan("exit-0"))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert rig.processes() == []
    assert rig.scan_directories() == []
    await scan("exit-0")  # its slot is free again


def test_closing_the_loop_ends_a_running_scan(rig: Rig) -> None:
    async def main() -> None:
        scanner = await rig.prepare(patience=Patience(version=30, grace=0.05, kill=30))

        async def scan() -> None:
            async with scanner.scan(snapshot("stubborn"), session()):
                pass

        running = asyncio.create_task(scan())
        await rig.bell.rung()
        assert not running.done()

    asyncio.run(main())
    assert rig.processes() == []
    assert rig.scan_directories() == []


async def test_children_that_outlive_the_leader_neither_hang_the_driver_nor_live_on(rig: Rig) -> None:
    scanner = await rig.prepare()
    async with scanner.scan(snapshot("orphans"), session()) as scanned:
        assert rig.processes() == []
        assert scanned.exit_code == 0
        assert content(scanned, ArtifactName.STDERR) == b"leader ends\n"


async def test_two_scans_at_once_share_neither_output_nor_cache(rig: Rig) -> None:
    scanner = await rig.prepare(max_concurrent_scans=2)

    async def scan(name: str) -> set[str]:
        async with scanner.scan(snapshot(name), session()) as scanned:
            artifact = scanned.artifact(ArtifactName.SCAN_RESULT)
            assert artifact is not None
            assert json.loads(content(scanned, ArtifactName.SCAN_RESULT)) == {"Metadata": {"Name": name}}
            return {path.name for path in (rig.work / "cache").glob("slot-*/*")}

    names = ("hold.one", "hold.two", "hold.three")
    for name in names:
        rig.gate(f"go-{name}")
    tasks = [asyncio.create_task(scan(name)) for name in names]
    first, second = await rig.bell.rung(), await rig.bell.rung()
    assert first["out"] != second["out"]
    assert {first["cache"], second["cache"]} == {str(rig.work / "cache" / f"slot-{slot}") for slot in (0, 1)}
    assert len(rig.processes()) == 2  # the third waits for a slot
    for name in names:
        rig.open_gate(f"go-{name}")
    third = await rig.bell.rung()
    assert third["cache"] in {first["cache"], second["cache"]}
    assert third["out"] not in {first["out"], second["out"]}
    await asyncio.gather(*tasks)
    assert rig.scan_directories() == []


async def test_two_workers_with_one_work_directory_share_no_cache(rig: Rig) -> None:
    one, other = await rig.prepare(), await rig.prepare()
    async with begun(rig, one, "hang") as (first, told), begun(rig, other, "hang") as (second, told_too):
        assert told["cache"] != told_too["cache"]
        for task in (first, second):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_files_of_an_earlier_run_are_not_taken_for_this_ones(rig: Rig) -> None:
    scanner = await rig.prepare()
    for slot in range(2):  # the worker that left them was killed
        stale = rig.work / "scans" / f"slot-{slot}-{'a' * 16}" / "out"
        stale.mkdir(parents=True)
        (stale / "exit-40-Report.sarif.json").write_text('{"version": "2.1.0", "runs": ["stale"]}')
    async with scanner.scan(snapshot("exit-40"), session()) as scanned:
        assert scanned.artifact(ArtifactName.SARIF) is None
        assert rig.scan_directories()[-1] == f"slot-1-{'a' * 16}"  # of another slot, which may be somebody's
        assert len(rig.scan_directories()) == 2
    await rig.prepare()
    assert rig.scan_directories() == []


async def test_a_scanner_left_running_by_a_killed_worker_is_ended_before_its_slot_is_used(rig: Rig) -> None:
    scanner = await rig.prepare()
    stale = rig.work / "scans" / f"slot-0-{'b' * 16}"
    (stale / "out").mkdir(parents=True)
    left = await asyncio.create_subprocess_exec(
        *(str(rig.binary), "--output-dir", str(stale / "out"), "--cache-dir", str(rig.work / "cache" / "slot-0")),
        *("lambda", str(snapshot("hang").arn)),
        env={"HOME": str(stale / "home")},
        start_new_session=True,
    )
    await rig.bell.rung()
    async with scanner.scan(snapshot("exit-0"), session()):
        assert await left.wait() == -signal.SIGKILL
    assert rig.scan_directories() == []


async def test_links_pipes_and_directories_are_no_files_of_the_scanner(rig: Rig) -> None:
    scanner = await rig.prepare()
    async with scanner.scan(snapshot("links"), session()) as scanned:
        assert [artifact.name for artifact in scanned.artifacts] == [ArtifactName.SCAN_RESULT]


async def test_of_several_files_the_newest_is_taken_and_it_is_said(rig: Rig) -> None:
    scanner = await rig.prepare()
    async with scanner.scan(snapshot("several"), session()) as scanned:
        assert content(scanned, ArtifactName.SCAN_RESULT) == b'"newer"'
        assert (scanned.status, scanned.reasons) == (ScanStatus.PARTIAL, ("several_scan_result",))


async def test_a_directory_is_removed_whatever_lies_in_it(rig: Rig) -> None:
    precious = rig.control / "precious"
    precious.mkdir()
    (precious / "file").touch()
    rig.gate()
    scanner = await rig.prepare()

    async def scan() -> None:
        async with scanner.scan(snapshot("untidy"), session()) as scanned:
            assert json.loads(content(scanned, ArtifactName.REPORT)) == {"mode": "0000"}

    task = asyncio.create_task(scan())
    await rig.bell.rung()
    rig.open_gate()
    await task
    assert rig.scan_directories() == []
    assert (precious / "file").exists()


async def test_files_that_cannot_be_read_are_a_host_fault(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> io.BufferedReader:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("worker.scanner.files.open_file", broken)
    scanner = await rig.prepare()
    with pytest.raises(HostFault, match=r"files cannot be read: Input/output error: .*/exit-0-"):
        async with scanner.scan(snapshot("exit-0"), session()):
            pass
    assert rig.scan_directories() == []


async def test_an_image_uri_that_is_none_never_reaches_argv(rig: Rig) -> None:
    scanner = await rig.prepare(qscanner_image_command="image")
    with pytest.raises(Unreadable):
        async with scanner.scan(snapshot("x", package_type="Image", resolved_image_uri="--proxy=evil"), session()):
            pass


async def test_rotated_credentials_are_used_by_the_next_scan(rig: Rig) -> None:
    scanner = await rig.prepare()
    rig.qualys = qualys(qualys_pod="US2", qualys_access_token="another-token")
    given = await dumped(rig, scanner)
    assert given["argv"][1:3] == ["--pod", "US2"]
    assert given["environment"]["QUALYS_ACCESS_TOKEN"] == MASK  # another token, and no file tells it either


async def test_no_secret_stands_in_argv(rig: Rig) -> None:
    scanner = await rig.prepare()
    async with begun(rig, scanner, "hang") as (task, told):
        seen = command_line(told["pid"])
        for secret in (TOKEN, REGISTRY_PASSWORD, SESSION_KEY, SESSION_TOKEN, PROXY_PASSWORD):
            assert os.fsencode(secret) not in seen
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
