"""Commands against the embedded cloud, each as a process of its own."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest

from infra.local.cloud import EmbeddedCloud
from infra.local.samples import SAMPLES
from tests.conftest import forget_aws
from tests.e2e.main_job import STAND_IN
from tests.scanhub.processes import scanhub, terminated, worker_until
from tests.scanhub.promised import promised

pytestmark = [pytest.mark.timeout(180)]

ORDERS = "arn:aws:lambda:eu-central-1:210000000001:function:orders-api"
EXCLUDED = "arn:aws:lambda:eu-central-1:210000000002:function:legacy-report"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str | None]]:
    """The environment of a worker for a cloud to which `scanhub local up` has deployed."""
    with pytest.MonkeyPatch.context() as monkeypatch, EmbeddedCloud() as embedded:
        forget_aws(monkeypatch)
        # As on Fargate, where botocore's own variable need not be set.
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        base = {"AWS_ENDPOINT_URL": embedded.endpoint, "AWS_REGION": "eu-central-1"}
        run = scanhub("local", "up", "--json", **base)
        assert run.code == 0, run.err
        printed = json.loads(run.out)
        assert printed["spokes"] == ["210000000001", "210000000002", "210000000003"]
        assert printed["regions"] == ["eu-central-1", "us-east-1"]
        yield {
            "AWS_DEFAULT_REGION": None,
            **base,
            **printed["settings"],
            "SCANHUB_QSCANNER_PATH": str(STAND_IN),
            "SCANHUB_WORK_DIR": str(tmp_path_factory.mktemp("work")),
        }


def test_local_up_again_prints_the_same_settings_as_exports(cloud: Mapping[str, str | None]) -> None:
    run = scanhub("local", "up", "--no-samples", **cloud)
    assert run.code == 0, run.err
    for line in run.out.splitlines():
        [word, assignment] = shlex.split(line)
        name, _, value = assignment.partition("=")
        assert (word, cloud[name]) == ("export", value)


def test_a_drain_scans_the_samples_that_were_published_and_what_was_asked_for(
    cloud: Mapping[str, str | None],
) -> None:
    never_seen = scanhub("show", ORDERS.replace("orders-api", "no-such"), **cloud)
    assert never_seen.code == 1
    assert "was never seen; ask for a scan with: scanhub scan" in never_seen.err
    asked = scanhub("scan", "--force", ORDERS, EXCLUDED, **cloud)
    assert (asked.code, asked.out) == (0, "2 scans asked for.\n")

    drained = scanhub("worker", "--drain", **cloud)
    assert drained.code == 0, drained.err
    assert drained.err.splitlines()[-1].startswith("scanhub: ")
    assert "excluded" in drained.err.splitlines()[-1]

    shown = json.loads(scanhub("show", ORDERS, "--json", **cloud).out)
    assert shown["state"] == "COVERED"
    assert "CVE-2021-44228" in {cve for finding in shown["findings"] for cve in finding["cves"]}
    assert "CVE-2021-44228" in scanhub("show", ORDERS, **cloud).out
    status = promised("status", json.loads(scanhub("status", "--json", **cloud).out))
    assert (status["queues"]["changes"]["visible"], status["lastSweep"]) == (0, None)
    listed = json.loads(scanhub("coverage", "--region", "eu-central-1,us-east-1", "--json", **cloud).out)
    states = {one["function"]: one["state"] for one in promised("coverage of functions", listed)["listed"]}
    assert len(states) == len(SAMPLES)
    assert (states[ORDERS], states[EXCLUDED]) == ("COVERED", "EXCLUDED")
    assert "orders-api" in scanhub("coverage", "--state", "covered", **cloud).out
    assert "none in 90 days" in scanhub("status", **cloud).out


def test_a_worker_waits_for_work_and_ends_with_0_on_sigterm(cloud: Mapping[str, str | None], tmp_path: Path) -> None:
    process = worker_until("worker ready", tmp_path / "metrics", **cloud)
    try:
        waited = scanhub("scan", "--wait", "--timeout", "45", ORDERS, **cloud)
        assert waited.code == 0, waited.err
        assert "COVERED" in waited.out
    finally:
        assert terminated(process) == 0
    figures = [json.loads(line) for line in (tmp_path / "metrics").read_text().splitlines()]
    assert any("EventsStored" in one or "EventsCovered" in one for one in figures)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"SCANHUB_LEDGER_TABLE": "no-such-table"}, 2, ["no-such-table"]),
        ({"SCANHUB_RESULTS_BUCKET": "no-such-bucket"}, 2, ["no-such-bucket"]),
        ({"SCANHUB_CHANGES_QUEUE_URL": "http://127.0.0.1/123456789012/no-such-queue"}, 2, ["no-such-queue"]),
        ({"SCANHUB_CHANGES_DLQ_URL": "http://127.0.0.1/123456789012/no-such-dlq"}, 2, ["no-such-dlq"]),
        (
            {"SCANHUB_QUALYS_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:no-such-abcdef"},
            2,
            ["no-such-abcdef"],
        ),
        ({"SCANHUB_QSCANNER_PATH": "/no/such/qscanner"}, 2, ["/no/such/qscanner"]),
        ({"SCANHUB_QSCANNER_PATH": __file__}, 2, [__file__, "executable"]),
        ({"SCANHUB_QSCANNER_SHA256": "0" * 64}, 2, ["SHA-256", "0" * 64]),
        ({"SCANHUB_WORK_DIR": "/proc/nowhere"}, 2, ["/proc/nowhere"]),
        ({"AWS_DEFAULTS_MODE": "nonsense"}, 2, ["nonsense", "standard"]),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 1, ["http://127.0.0.1:9"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_wrong_at_the_start_is_told_in_a_line(
    changes: Mapping[str, str | None], code: int, words: list[str], cloud: Mapping[str, str | None]
) -> None:
    run = scanhub("worker", "--drain", **{**cloud, **changes})
    [line] = [line for line in run.err.splitlines() if line.startswith("scanhub: ")]
    assert "Traceback" not in run.err
    assert all(word in line for word in words), line
    assert run.code == code


def test_an_unreadable_secret_is_told_without_its_value(cloud: Mapping[str, str | None]) -> None:
    secrets = boto3.client("secretsmanager", endpoint_url=cloud["AWS_ENDPOINT_URL"], region_name="eu-central-1")
    arn = secrets.create_secret(
        Name="broken", SecretString='{"qualys_pod": "XX9", "qualys_access_token": "s3cr3t-v4lue"}'
    )
    run = scanhub("worker", "--drain", **{**cloud, "SCANHUB_QUALYS_SECRET_ARN": arn["ARN"]})
    assert run.code == 2
    assert f"the secret {arn['ARN']} is not usable: qualys_pod: must be one of US1" in run.err
    assert "s3cr3t-v4lue" not in run.err + run.out
