"""`scanhub rollout image` as a command: what it prints, and how it ends."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from infra.organization import Organization
from infra.rollout.sessions import Sessions
from infra.rollout.site import Site
from scanhub.command_line import app
from spoke.errors import Misconfigured, ScanhubError
from tests.conftest import HUB_ACCOUNT, REGION
from tests.infra.rollout.programs import RecordingEngine, elf

pytestmark = pytest.mark.usefixtures("moto")


@pytest.fixture(autouse=True)
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordingEngine:
    def find(clients: Sessions, *, region: str, hub_account: str | None) -> Site:
        # Plain moto does not know who administers StackSets.
        found = Organization(id="o-a1b2c3d4e5", management_account="1" * 12, account=HUB_ACCOUNT, partition="aws")
        return Site(clients=clients, organization=found, hub_account=hub_account or HUB_ACCOUNT, region=region)

    monkeypatch.setattr("infra.rollout.site.find", find)
    made = RecordingEngine(tmp_path / "engine")
    monkeypatch.setenv("PATH", str(made.bin))
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["rollout", "image", "--region", REGION, *words])


def test_the_image_alone_goes_to_the_standard_output(tmp_path: Path, recording: RecordingEngine) -> None:
    done = run("--qscanner", str(elf(tmp_path / "qscanner")), "--yes", "--replicate-to", "eu-west-1,us-east-1")
    assert done.exit_code == 0, done.output
    uri, _, digest = done.stdout.strip().partition("@sha256:")
    assert uri == f"{HUB_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/scanhub"
    assert len(digest) == 64
    assert "push on stdout" in done.stderr
    assert "is replicated to us-east-1" in done.stderr
    assert recording.call("login")["stdin"] not in done.output


def test_a_dry_run_of_a_new_image_prints_none(tmp_path: Path, recording: RecordingEngine) -> None:
    done = run("--qscanner", str(elf(tmp_path / "qscanner")), "--dry-run")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "to be built" in done.stderr
    assert recording.calls == []


@pytest.mark.parametrize(
    "words",
    [["--sha256", "0" * 64], ["--architecture", "ARM64"], ["--source", "/nowhere"], ["--engine", "finch", "--yes"]],
)
def test_what_does_not_fit_ends_before_anything_is_built(
    tmp_path: Path, recording: RecordingEngine, words: list[str]
) -> None:
    done = run("--qscanner", str(elf(tmp_path / "qscanner")), *words)
    assert isinstance(done.exception, Misconfigured)
    assert "\n" not in done.exception.text
    assert recording.calls == []


def test_without_a_terminal_nobody_can_be_asked(tmp_path: Path) -> None:
    done = run("--qscanner", str(elf(tmp_path / "qscanner")))
    assert isinstance(done.exception, ScanhubError)
    assert "--yes" in done.exception.text
