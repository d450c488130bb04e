"""The worker's image, built for real and run as Fargate runs it: needs a container engine and a base image.

Without them the tests are skipped, with the reason. The first build takes two minutes; later ones come from the
engine's cache.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from infra.rollout import image_sources, scanner_binary
from infra.rollout.container_engine import ContainerEngine
from infra.rollout.scanner_binary import PLATFORMS, ScannerBinary
from scanhub import __version__
from spoke.errors import HostFault, Misconfigured

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
OWN_BASES = ("scanhub-base:bookworm", "scanhub-base:trixie")
"""As docs/container.md has them made."""
IMAGE = f"scanhub:test-{os.getpid()}"

SCRATCH = ["--tmpfs", "/scratch:size=64m,mode=0700,uid=10001,gid=10001"]
HARDENED = [
    *["--rm", "--init", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    *["--user", "10001:10001", "--memory", "512m", "--pids-limit", "128", "--network", "none"],
]

SETTINGS = {
    "AWS_REGION": "eu-central-1",
    "SCANHUB_CHANGES_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes",
    "SCANHUB_CHANGES_DLQ_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes-dlq",
    "SCANHUB_LEDGER_TABLE": "scanhub-ledger",
    "SCANHUB_RESULTS_BUCKET": "scanhub-results-123456789012-eu-central-1",
    "SCANHUB_QUALYS_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub/qualys-AbCdEf",
    "SCANHUB_EXTERNAL_ID": "an-external-id-of-the-test",
}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([shutil.which("docker") or "docker", *words], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def base() -> str:
    if shutil.which("docker") is None:
        pytest.skip("no container engine: docker is not on the PATH")
    try:
        ContainerEngine.find(print, "docker")
    except Misconfigured as error:
        pytest.skip(f"no container engine: {error}")
    [pinned] = re.findall(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for candidate in (*OWN_BASES, pinned):
        if run("image", "inspect", candidate).returncode == 0:
            return candidate
    pytest.skip(
        f"no base image: docker pull {pinned}, or infra/local/container/make-base.sh --suite bookworm {OWN_BASES[0]}"
    )


@pytest.fixture(scope="module")
def binary() -> ScannerBinary:
    """A real program of this machine in the place of the licensed one, which no test has."""
    return scanner_binary.read(Path("/bin/true").resolve())


@pytest.fixture(scope="module")
def context(base: str, binary: ScannerBinary) -> Iterator[Path]:  # noqa: ARG001  # without a base there is nothing to build
    """One for all builds: the engine's cache holds as long as no source is changed meanwhile."""
    with image_sources.find().assembled(binary) as folder:
        yield folder


@pytest.fixture(scope="module")
def image(base: str, binary: ScannerBinary, context: Path) -> Iterator[str]:
    build(base, binary, context, binary.sha256)
    yield IMAGE
    run("rmi", "--force", IMAGE)


def build(base: str, binary: ScannerBinary, context: Path, sha256: str) -> None:
    lines: list[str] = []
    arguments = {"QSCANNER": "qscanner", "QSCANNER_SHA256": sha256, "BASE": base, "VERSION": "7.1.0-test"}
    if mirror := os.environ.get("PIP_INDEX_URL"):
        arguments["PIP_INDEX_URL"] = mirror
    engine = ContainerEngine.find(lines.append, "docker")
    try:
        engine.build(context, image=IMAGE, platform=PLATFORMS[binary.architecture], arguments=arguments)
    except HostFault as error:
        raise AssertionError("\n".join(lines[-20:])) from error


def inside(
    image: str,
    *words: str,
    environ: dict[str, str] | None = None,
    scratch: Sequence[str] = SCRATCH,
    by_shell: bool = False,
) -> subprocess.CompletedProcess[str]:
    given = [word for name, value in (environ or {}).items() for word in ("--env", f"{name}={value}")]
    entrypoint = ["--entrypoint", "/bin/sh"] if by_shell else []
    script = ["-c", *words] if by_shell else list(words)
    return run("run", *HARDENED, *scratch, *given, *entrypoint, image, *script)


def test_it_tells_its_version(image: str) -> None:
    told = inside(image, "--version")
    assert (told.returncode, told.stdout) == (0, f"scanhub {__version__}\n"), told.stderr


def test_the_health_check_fails_where_no_worker_has_written(image: str) -> None:
    told = inside(image, "worker", "--check")
    assert told.returncode == 1
    assert "no worker has written" in told.stdout + told.stderr


def test_a_worker_without_settings_ends_with_2_and_names_them(image: str) -> None:
    told = inside(image, "worker")
    assert told.returncode == 2
    for name in SETTINGS:
        if name.startswith("SCANHUB_") and name != "SCANHUB_EXTERNAL_ID":
            assert f"{name}: is not set" in told.stderr
    assert "Traceback" not in told.stderr


CHECK = """
import os, pathlib, sys
from spoke.errors import Misconfigured
from worker.scanner import binary
try:
    binary.check(pathlib.Path(os.environ["SCANHUB_QSCANNER_PATH"]), os.environ["SCANHUB_QSCANNER_SHA256"])
except Misconfigured as error:
    sys.exit(str(error))
"""
"""What the worker does at its start, once it has reached the queues, which this container cannot."""


def test_the_worker_starts_with_the_binary_that_it_was_built_for_and_no_other(image: str) -> None:
    line = f"/opt/scanhub/bin/python -c '{CHECK}'"
    right = inside(image, line, by_shell=True)
    assert (right.returncode, right.stderr) == (0, "")
    wrong = inside(image, line, by_shell=True, environ={"SCANHUB_QSCANNER_SHA256": "0" * 64})
    assert wrong.returncode == 1
    assert f"not {'0' * 64}" in wrong.stderr


def test_a_worker_without_a_network_ends_with_one_line(image: str) -> None:
    told = inside(image, "worker", environ=SETTINGS)
    assert told.returncode == 2
    assert told.stderr.startswith("scanhub: ")
    assert told.stderr.count("\n") == 1


def test_the_image_names_the_binarys_checksum(image: str, binary: ScannerBinary) -> None:
    told = inside(image, 'sha256sum "$SCANHUB_QSCANNER_PATH"; stat -c %a "$SCANHUB_QSCANNER_PATH"; env', by_shell=True)
    assert f"{binary.sha256}  /opt/qscanner\n555\n" in told.stdout
    assert f"SCANHUB_QSCANNER_SHA256={binary.sha256}\n" in told.stdout
    assert not re.search(r"TOKEN|SECRET|PASSWORD|EXTERNAL_ID", told.stdout)


def test_a_build_with_another_checksum_stops(image: str, base: str, binary: ScannerBinary, context: Path) -> None:
    assert image
    with pytest.raises(AssertionError, match="did NOT match"):
        build(base, binary, context, "0" * 64)


def test_it_has_no_rights(image: str) -> None:
    told = inside(image, "id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status", by_shell=True)
    assert told.stdout.split() == [
        *["10001", "CapEff:", "0000000000000000", "CapBnd:", "0000000000000000"],
        *["NoNewPrivs:", "1", "Seccomp:", "2"],
    ]


@pytest.mark.parametrize("scratch", [SCRATCH, []], ids=["a tmpfs", "the volume that the image declares"])
def test_it_writes_to_its_scratch_and_nowhere_else(image: str, scratch: list[str]) -> None:
    places = "/ /tmp /opt/scanhub /home /var/tmp /etc /scratch"
    script = f'for place in {places}; do touch "$place/x" 2>/dev/null && echo "$place"; done'
    told = inside(image, f"{script}; stat -c '%u %g %a' /scratch", by_shell=True, scratch=scratch)
    assert told.stdout == "/scratch\n10001 10001 700\n"


def test_there_is_nothing_to_climb_up_by(image: str) -> None:
    script = """
        find / -xdev -type f -perm /6000 -print
        for name in pip pip3 gcc cc make ld curl wget git qscanner-stand-in; do command -v "$name"; done
        for name in pip ensurepip moto; do python3 -c "import $name" 2>/dev/null && echo "$name"; done
        /opt/scanhub/bin/python -c 'import pip' 2>/dev/null && echo pip
        true
    """
    told = inside(image, script, by_shell=True)
    assert (told.stdout, told.returncode) == ("", 0), told.stderr


def test_the_workers_packages_import_from_bytecode(image: str) -> None:
    script = "import aiobotocore, structlog, worker.service as service; print(service.__cached__)"
    told = inside(image, f"ls $(/opt/scanhub/bin/python -c '{script}')", by_shell=True)
    assert (told.returncode, told.stdout.count(".pyc")) == (0, 1), told.stderr


def test_more_memory_than_allowed_ends_the_process_and_not_the_machine(image: str) -> None:
    told = inside(image, "/opt/scanhub/bin/python -c 'bytearray(1 << 30)'; echo $?", by_shell=True)
    assert told.stdout.strip() in {"137", "1"}
