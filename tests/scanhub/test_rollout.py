"""`scanhub rollout` on the embedded cloud: from an empty organization to a complete one, and back."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from infra import stacks
from infra.local.accounts import Accounts
from infra.local.cloud import EmbeddedCloud
from infra.local.organization import LocalOrganization, set_up
from infra.rollout import deployment, ecs_role, operations
from infra.rollout.operator import Step
from scanhub.command_line import app
from scanhub.rollout_operator import TerminalOperator
from spoke.errors import Misconfigured, ScanhubError
from tests.conftest import REGION, forget_aws
from tests.infra.rollout.programs import elf

pytestmark = [pytest.mark.timeout(240)]

TOKEN = "canary-qualys-token-3Rm"
IMAGE = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/scanhub@sha256:{'5' * 64}"

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    def invoke(*arguments: str, text: str | None = None) -> Result:
        return CliRunner().invoke(app, ["rollout", *arguments], input=text)

    return invoke


@pytest.fixture(scope="module")
def cloud() -> Iterator[tuple[Accounts, LocalOrganization]]:
    """One organization that the tests of this module change one after the other."""
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as embedded:
        forget_aws(environment)
        environment.setattr(deployment, "PAUSE", 0.01)
        environment.setattr(operations, "LEAST_PAUSE", 0.01)
        environment.setattr(ecs_role, "SPREAD", 0.01)
        accounts = Accounts(embedded.endpoint, REGION)
        yield accounts, set_up(accounts)


@pytest.fixture(autouse=True)
def _reached(cloud: tuple[Accounts, LocalOrganization], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud[0].endpoint)


def as_management(accounts: Accounts, monkeypatch: pytest.MonkeyPatch, account: str) -> None:
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    entered = accounts.client("sts").assume_role(RoleArn=role, RoleSessionName="admin")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", entered["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", entered["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", entered["SessionToken"])


def test_two_commands_cover_an_organization_and_one_takes_all_away(
    run: Run,
    cloud: tuple[Accounts, LocalOrganization],
    tmp_path: Path,
) -> None:
    accounts, organization = cloud
    outputs: list[str] = []

    def told(*arguments: str, code: int = 0, text: str | None = None) -> str:
        result = run(*arguments, text=text)
        outputs.append(result.output + repr(result.exception))
        assert result.exit_code == code, result.output + repr(result.exception)
        return result.output

    secret = tmp_path / "qualys.json"
    secret.write_text(json.dumps({"qualys_pod": "US1", "qualys_access_token": TOKEN}))

    assert "scanhub-hub " in told("status", code=1)
    shown = told("hub", "--dry-run", "--create-network", "--image", IMAGE)
    assert "create the stack scanhub-hub in 123456789012, eu-central-1: " in shown
    told("hub", "--yes", "--create-network", "--image", IMAGE, "--qualys-secret-file", "-", text=secret.read_text())
    covered = told("spokes", "--yes", "--regions", "eu-central-1,us-east-1", "--failure-tolerance", "0")
    assert "accounts that are covered: 4: 123456789012" in covered
    assert "210000000002 us-east-1 SUCCEEDED" in covered

    document = json.loads(told("status", "--json"))
    assert document["complete"] is True
    assert {stack["name"]: (stack["isCurrent"], stack["reason"]) for stack in document["stacks"]} == {
        "scanhub-hub-network": (True, ""),
        "scanhub-hub": (True, ""),
        "scanhub-hub-monitoring": (True, ""),
    }
    assert len(document["spokes"]) == 8
    [uncovered] = document["notCovered"]
    assert uncovered["account"] == organization.management_account

    # Again: nothing is changed.
    assert told("hub", "--yes").count("no changes") == 2
    assert "no changes; 4 accounts are covered" in told("spokes", "--yes")

    # The management account's own stacks, with its credentials.
    with pytest.MonkeyPatch.context() as management:
        as_management(accounts, management, organization.management_account)
        told("spokes", "--yes", "--management-only")
        assert told("status").endswith("\ncomplete\n")

    told("remove", "--yes", "--dry-run")
    told("remove", "--yes", "--spokes-only")
    gone = told("status", code=1)
    assert "not complete" in gone

    hub = stacks.describe(accounts.client("cloudformation"), "scanhub-hub")
    assert hub is not None
    arn = hub.outputs["ExternalIdSecretArn"]
    external_id = accounts.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    for text in outputs:
        assert TOKEN not in text
        assert external_id not in text


def test_an_interruption_tells_what_goes_on_and_ends_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("infra.rollout.spokes.SpokesRollout.run", interrupted)
    result = run("spokes", "--yes")
    assert result.exit_code == 130
    assert "goes on by itself" in result.output
    assert "scanhub rollout status" in result.output


def test_what_failed_elsewhere_is_told_account_by_account(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise operations.OperationFailed(
            "ended as FAILED", detail="210000000001 a: FAILED: x\n210000000002 a: FAILED: y"
        )

    monkeypatch.setattr("infra.rollout.spokes.SpokesRollout.run", failing)
    result = run("spokes", "--yes")
    assert result.output.splitlines() == ["  210000000001 a: FAILED: x", "  210000000002 a: FAILED: y"]
    assert isinstance(result.exception, ScanhubError)


@pytest.mark.parametrize("arguments", [("hub",), ("spokes",), ("single",), ("remove",)])
def test_without_a_terminal_nothing_is_done_that_was_not_agreed_to(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, Misconfigured)
    assert "--yes" in result.exception.text
    assert "--dry-run" in result.exception.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("hub", "--yes", "--parameter", TOKEN), "write --parameter Key=Value"),
        (("hub", "--yes", "--qualys-secret-file", "/nowhere"), "cannot read /nowhere"),
        (("hub", "--yes", "--profile", "nobody"), "nobody"),
        (("single", "--yes", "--spoke-parameter", "a"), "write --parameter Key=Value"),
    ],
)
def test_wrong_usage_is_one_line_without_the_value(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, Misconfigured)
    assert words in result.exception.text
    assert TOKEN not in result.exception.text + result.output


def terminal(monkeypatch: pytest.MonkeyPatch, *answers: str) -> TerminalOperator:
    given = iter(answers)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    console = Console(force_terminal=True, width=120, record=True, file=io.StringIO())
    monkeypatch.setattr(console, "input", lambda *_, **__: next(given))
    return TerminalOperator(assume_yes=False, console=console)


def test_only_a_yes_is_a_yes_and_only_the_word_is_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch, "y", "YES", "", "n", "ye", "123456789012", "yes") as operator:
        assert [operator.agrees("Go on?") for _ in range(5)] == [True, True, False, False, False]
        assert [operator.types("Type the id", "123456789012") for _ in range(2)] == [True, False]


def test_the_token_is_asked_for_without_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[str] = []

    def hidden(prompt: str) -> str:
        prompts.append(prompt)
        return f"{TOKEN}\n"

    monkeypatch.setattr("getpass.getpass", hidden)
    with terminal(monkeypatch, "eu1") as operator:
        value = operator.ask_for_qualys()
    assert value is not None
    assert json.loads(value.get_secret_value()) == {"qualys_pod": "eu1", "qualys_access_token": TOKEN}
    assert TOKEN not in operator._console.export_text()
    assert len(prompts) == 1


def test_a_terminal_that_is_closed_instead_of_an_answer_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", closed)
    with terminal(monkeypatch, "eu1") as operator:
        assert operator.ask_for_qualys() is None


@pytest.mark.parametrize("command", ["hub", "spokes", "single", "remove", "status", "image"])
def test_the_region_is_that_of_the_environment_as_every_tool_of_aws_reads_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    seen: list[str | None] = []

    class Opened(Exception):  # no error: how far the command came
        pass

    def opened(*, region: str | None, **_: object) -> None:
        seen.append(region)
        raise Opened

    monkeypatch.setattr("scanhub.rollout_options.Sessions", opened)
    monkeypatch.setenv("AWS_REGION", "ap-southeast-2")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    more = {"status": [], "image": ["--yes", "--qscanner", str(elf(tmp_path / "qscanner"))]}.get(command, ["--yes"])
    assert isinstance(run(command, *more).exception, Opened)
    assert isinstance(run(command, *more, "--region", "eu-north-1").exception, Opened)
    assert seen == ["ap-southeast-2", "eu-north-1"]


def test_an_account_that_has_begun_is_no_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as operator:
        operator.moved(Step(where="210000000001 eu-central-1", what="", status="RUNNING"))
        assert vars(operator)["_spinner"] is not None
        operator.moved(Step(where="210000000001 eu-central-1", what="", status="SUCCEEDED"))
    console = Console(width=120, record=True, file=io.StringIO())
    with TerminalOperator(assume_yes=True, console=console) as operator:
        operator.moved(Step(where="210000000001 eu-central-1", what="", status="RUNNING"))
        operator.moved(Step(where="210000000001 eu-central-1", what="", status="SUCCEEDED"))
    assert console.export_text() == "  210000000001 eu-central-1 SUCCEEDED\n"


def test_on_a_terminal_what_is_under_way_moves_and_what_has_ended_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as operator:
        operator.moved(Step(where="scanhub-hub", what="Bus (AWS::Events::EventBus)", status="CREATE_IN_PROGRESS"))
        operator.moved(Step(where="scanhub-hub", what="Key (AWS::KMS::Key)", status="CREATE_IN_PROGRESS"))
        moving = operator._spinner
        assert moving is not None
        operator.moved(Step(where="scanhub-hub", what="Bus", status="CREATE_FAILED", reason="over limit"))
    assert vars(operator)["_spinner"] is None
    assert "scanhub-hub Bus CREATE_FAILED: over limit" in operator._console.export_text()
