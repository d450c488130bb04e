"""`scanhub doctor` against the embedded cloud, as a process of its own; and its document."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hub.diagnosis import Check, Kind, Verdict
from infra.doctor import lines
from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy
from infra.local.publication import publish
from scanhub import doctor_halves, doctor_inside, doctor_tables
from scanhub.doctor_halves import KINDS
from spoke.errors import Misconfigured
from tests.conftest import forget_aws
from tests.e2e.main_job import STAND_IN
from tests.infra.local.packages import SmallFunction
from tests.scanhub.processes import Run, scanhub

pytestmark = [pytest.mark.timeout(180)]

Environment = Mapping[str, str | None]


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with pytest.MonkeyPatch.context() as monkeypatch, EmbeddedCloud() as embedded:
        forget_aws(monkeypatch)
        yield deploy(embedded.endpoint, spokes=2, regions=["eu-central-1"])


@pytest.fixture
def engineer(deployment: Deployment) -> Environment:
    """Of somebody at a laptop: no setting of the worker's."""
    return {"AWS_ENDPOINT_URL": deployment.endpoint, "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": None}


@pytest.fixture
def worker(engineer: Environment, deployment: Deployment, tmp_path: Path) -> Environment:
    """Of the worker."""
    # This cloud has no organization that could be asked.
    accounts = tmp_path / "accounts.txt"
    accounts.write_text("\n".join(deployment.spokes))
    own = {
        "SCANHUB_QSCANNER_PATH": str(STAND_IN),
        "SCANHUB_WORK_DIR": str(tmp_path / "work"),
        "SCANHUB_ACCOUNTS_FILE": str(accounts),
    }
    return {**engineer, **deployment.settings, **own}


def checks(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    document = json.loads(run.out)
    assert document["schemaVersion"] == 1
    found = {(check["name"], check["subject"]): check for check in document["checks"]}
    assert sum(document["verdicts"].values()) == len(document["checks"])
    return found


def test_from_a_laptop_it_sees_the_hub_from_outside(engineer: Environment) -> None:
    run = scanhub("doctor", "--json", **engineer)
    found = checks(run)
    assert found["queue-policy", "scanhub-changes"]["verdict"] == "ok"
    assert found["organization-trail", "CloudTrail"]["verdict"] == "failed"
    assert found["inside", "task"]["verdict"] == "unknown"
    assert "SCANHUB_" in found["inside", "task"]["reason"]
    assert (run.code, run.err) == (1, "")
    without = scanhub("doctor", "--json", "--no-task", **engineer)
    assert ("inside", "task") not in checks(without)


def test_where_the_workers_settings_are_it_sees_both_halves(worker: Environment) -> None:
    found = checks(scanhub("doctor", "--json", **worker))
    assert found["queue-policy", "scanhub-changes"]["verdict"] == "ok"
    assert found["settings", "SCANHUB_*"]["verdict"] == "ok"
    assert found["account-role", "all accounts"]["verdict"] == "unknown"
    assert ("inside", "task") not in found


def test_the_worker_sees_its_parts_and_every_account(worker: Environment, deployment: Deployment) -> None:
    publish(deployment, SmallFunction(name="orders-api", account=1))
    first, second = deployment.spokes
    run = scanhub(
        "doctor", "--inside", "--accounts", f"{first},{second}", "--regions", "eu-central-1", "--json", **worker
    )
    found = checks(run)
    assert {name for name, _ in found} >= {kind.name for kind in doctor_inside.KINDS if kind.group != "qscanner"} - {
        "task-protection"  # asked in a task of ECS alone
    }
    assert {key for key, check in found.items() if check["verdict"] == "failed"} <= {
        ("work-directory", str(Path(str(worker["SCANHUB_WORK_DIR"]))))  # a small disk is told, rightly
    }
    assert found["account-read", f"{first} eu-central-1"]["reason"] == "readable; there are no functions"
    assert found["last-event", f"{second} eu-central-1"]["verdict"] == "warning"
    for secret in ("QualysSecretArn", "ExternalIdSecretArn"):
        value = deployment.client("secretsmanager").get_secret_value(SecretId=deployment.outputs[secret])[
            "SecretString"
        ]
        assert all(one not in run.out for one in [value, *re.findall(r'token": "([^"]+)', value)])


def test_strictly_an_open_question_is_a_fault_too(worker: Environment) -> None:
    nobody = ("doctor", "--inside", "--accounts-only", "--regions", "eu-central-1")
    assert scanhub(*nobody, **worker).code == 0
    assert scanhub(*nobody, "--strict", **worker).code == 1


def test_lines_for_the_other_half_come_back_whole(worker: Environment) -> None:
    run = scanhub("doctor", "--inside", "--lines", "--accounts", "210000000001", "--regions", "eu-central-1", **worker)
    told = lines.read(run.out.splitlines())
    assert told.is_complete
    assert told.others == ()
    assert {"settings", "scanner-version", "account-role"} <= {check.name for check in told.checks}
    assert run.code == 0


def test_the_open_questions_are_asked_of_the_binary(worker: Environment, deployment: Deployment) -> None:
    function = publish(deployment, SmallFunction(name="orders-api", account=1)).arn
    run = scanhub("doctor", "--inside", "--json", "--qscanner", function, "--accounts", "210000000002", **worker)
    found = checks(run)
    answers = {name: check for (name, subject), check in found.items() if subject == function}
    assert set(answers) == {kind.name for kind in KINDS if kind.group == "qscanner"}
    assert answers["qscanner-absent"]["verdict"] == "ok"
    assert "5 files, all of them known" in answers["qscanner-files"]["reason"]


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"SCANHUB_LEDGER_TABLE": "no-such-table"}, "reach-ledger", "no-such-table"),
        ({"SCANHUB_RESULTS_BUCKET": "no-such-bucket"}, "reach-bucket", "no-such-bucket"),
        ({"SCANHUB_CHANGES_DLQ_URL": "http://127.0.0.1/123456789012/no-such-dlq"}, "reach-queues", "no-such-dlq"),
        ({"SCANHUB_QSCANNER_PATH": "/no/such/qscanner"}, "scanner-binary", "/no/such/qscanner"),
        ({"SCANHUB_QSCANNER_SHA256": "0" * 64}, "scanner-binary", "0" * 64),
        (
            {"SCANHUB_EXTERNAL_ID_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:none-abcdef"},
            "external-id-secret",
            "none-abcdef",
        ),
        ({"SCANHUB_ACCOUNTS_FILE": "/no/such/accounts"}, "sweep-roster", "/no/such/accounts"),
        ({"SCANHUB_LEDGER_TABLE": None}, "settings", "SCANHUB_LEDGER_TABLE: is not set"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_fault_of_the_worker_is_found_by_its_own_check(
    changes: Environment, name: str, words: str, worker: Environment
) -> None:
    run = scanhub("doctor", "--inside", "--json", "--accounts", "210000000001", **{**worker, **changes})
    failed = [check for check in json.loads(run.out)["checks"] if check["verdict"] == "failed"]
    [found] = [check for check in failed if check["name"] == name]
    assert words in found["reason"]
    assert found["fix"]
    assert run.code == 1


def test_what_is_wrong_with_the_command_line(engineer: Environment, tmp_path: Path) -> None:
    assert scanhub("doctor", "--accounts", "12345", **engineer).code == 2
    assert scanhub("doctor", "--qscanner", "orders-api", **engineer).code == 2
    nowhere = scanhub("doctor", "--json", **{**engineer, "AWS_REGION": "us-west-2"})
    [check] = json.loads(nowhere.out)["checks"]
    assert (nowhere.code, check["name"], "us-west-2" in check["reason"]) == (1, "hub-stack", True)
    rules = tmp_path / "rules.json"
    rules.write_text("{}")
    assert scanhub("doctor", "--secret-rules", str(rules), **engineer).code == 2


def test_a_comma_list() -> None:
    assert doctor_inside.names(" a, b,,a ") == ("a", "b")
    assert doctor_inside.account_ids(None) == ()
    with pytest.raises(Misconfigured, match="twelve digits"):
        doctor_inside.account_ids("210000000001,21000000000")


KIND = Kind(name="account-role", group="accounts", asks="?", wrong="-", fix="roll out again")


def shown(found: list[Check], *, everything: bool = False) -> str:
    console = Console(width=100, record=True, file=io.StringIO())
    doctor_tables.told(found, console, everything=everything)
    return console.export_text()


def test_many_that_are_well_are_told_as_one() -> None:
    well = [KIND.ok(f"21000000000{number}", "in") for number in range(9)]
    text = shown([*well, KIND.failed("999999999999", "not in", evidence=["AccessDenied"])])
    assert "9 of them: as they should be" in text
    assert "999999999999: not in" in text
    assert "AccessDenied" in text
    assert "→ roll out again" in text
    assert "9 ok, 1 failed" in text
    assert "210000000003: in" in shown(well, everything=True)


def rows() -> dict[str, str]:
    text = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text().partition("## All checks")[2]
    return dict(re.findall(r"^\| `([a-z-]+)` (\|.*)$", text, re.MULTILINE))


def row(kind: Kind) -> str:
    return f"| {kind.asks} | {kind.wrong} | {kind.fix} |"


def test_the_document_lists_every_check_in_its_own_words() -> None:
    assert rows() == {kind.name: row(kind) for kind in KINDS}


def test_names_are_unique_and_no_word_breaks_the_table() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert not [kind.name for kind in KINDS if "|" in row(kind).strip("| ").replace(" | ", "")]
    assert Verdict.OK.value == "ok"
    assert doctor_halves.PATIENCE_OF_QUESTIONS > 3600


def test_a_function_that_is_not_there_leaves_every_question_open(worker: Environment) -> None:
    gone = "arn:aws:lambda:eu-central-1:210000000002:function:no-such"
    run = scanhub("doctor", "--inside", "--json", "--qscanner", gone, "--accounts", "210000000002", **worker)
    answers = [check for (name, _), check in checks(run).items() if name.startswith("qscanner-")]
    assert {check["verdict"] for check in answers} == {"unknown"}
    assert len(answers) == len([kind for kind in KINDS if kind.group == "qscanner"])
