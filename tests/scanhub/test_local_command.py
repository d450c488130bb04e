"""Straight after `scanhub local up`, in a shell that has taken over what it printed and nothing else."""

import json
import shlex
from collections.abc import Iterator, Mapping

import pytest

from infra.local.cloud import EmbeddedCloud
from infra.local.samples import SAMPLES
from tests.conftest import forget_aws
from tests.scanhub.processes import Run, scanhub
from tests.scanhub.promised import promised

pytestmark = [pytest.mark.timeout(180)]

ACCOUNTS = ("210000000001", "210000000002", "210000000003")
HUB, MANAGEMENT = "123456789012", "111111111111"
ORDERS = "arn:aws:lambda:eu-central-1:210000000001:function:orders-api"
NOTHING: Mapping[str, str | None] = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"))

Shell = Mapping[str, str | None]


def exported(run: Run) -> dict[str, str]:
    """The variables that a shell has after it."""
    assert run.code == 0, run.err
    words = [shlex.split(line) for line in run.out.splitlines()]
    assert all(len(line) == 2 and line[0] == "export" for line in words)
    return {name: value for name, _, value in (line[1].partition("=") for line in words)}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as monkeypatch, EmbeddedCloud() as embedded:
        forget_aws(monkeypatch)
        yield embedded.endpoint


@pytest.fixture(scope="module")
def first(endpoint: str) -> Run:
    """With the endpoint alone: neither credentials nor a region."""
    return scanhub("local", "up", **NOTHING, AWS_ENDPOINT_URL=endpoint)


@pytest.fixture
def shell(first: Run) -> Shell:
    return {**NOTHING, **exported(first)}


def unit(run: Run, path: str) -> str:
    """The id of a unit, as a user reads it."""
    (line,) = [line for line in run.err.splitlines() if line.startswith(f"unit {path} (")]
    return line.partition("(")[2].partition(")")[0]


def test_a_sweep_of_the_whole_needs_no_options_and_is_complete(shell: Shell) -> None:
    run = scanhub("sweep", "--json", **shell)
    told = promised("sweep", json.loads(run.out))
    assert (run.code, told["isComplete"], told["problems"]) == (0, True, [])
    excluded = sum(sample.excluded for sample in SAMPLES)
    assert (told["accounts"], told["counts"]["accounts"]) == (5, 5)
    assert (told["counts"]["functions"], told["counts"]["excluded"]) == (len(SAMPLES), excluded)
    by_account = json.loads(scanhub("coverage", "--group-by", "account", "--json", **shell).out)["groups"]
    assert [one["account"] for one in by_account] == sorted([MANAGEMENT, HUB, *ACCOUNTS])
    assert all(one["lastSweepAt"] and not one["problems"] for one in by_account)


def test_were_the_management_account_not_excluded_each_sweep_would_end_in_part(shell: Shell) -> None:
    run = scanhub("sweep", "--regions", "eu-central-1", "--json", **{**shell, "SCANHUB_EXCLUDE_ACCOUNTS": None})
    told = json.loads(run.out)
    assert (run.code, [one["account"] for one in told["problems"]]) == (3, [MANAGEMENT])


def test_a_unit_is_named_by_what_was_printed_and_status_tells_the_two_apart(first: Run, shell: Shell) -> None:
    assert scanhub("sweep", **shell).code == 0
    workloads = unit(first, "workloads")
    told = json.loads(scanhub("sweep", "--ou", workloads, "--json", **shell).out)
    assert (told["accounts"], told["problems"]) == (2, []), "the unit, and the one that lies in it"
    status = promised("status", json.loads(scanhub("status", "--json", **shell).out))
    last, whole = status["lastSweep"], status["lastWholeSweep"]
    assert last["scope"] | {"ous": None} == whole["scope"] | {"isWhole": False, "ous": None}
    assert (last["scope"]["ous"], whole["scope"]["isWhole"]) == ({"number": 1, "first": [workloads]}, True)
    assert (last["accounts"], whole["accounts"]) == (2, 5)
    lines = scanhub("status", **shell).out.splitlines()
    assert any(line.startswith("last sweep") and f", unit {workloads}: 2 of 2 accounts" in line for line in lines)
    assert any(line.startswith("last whole") and ", the whole organization: 5 of 5 accounts" in line for line in lines)


def test_a_scan_is_asked_for_and_done_by_the_scanner_that_was_printed(shell: Shell) -> None:
    assert scanhub("scan", ORDERS, **shell).out == "1 scan asked for.\n"
    drained = scanhub("worker", "--drain", **shell)
    assert drained.code == 0, drained.err
    assert "CVE-2021-44228" in scanhub("show", ORDERS, **shell).out
    assert json.loads(scanhub("coverage", "--json", **shell).out)["share"] == 1


def test_the_doctor_misses_only_what_no_laptop_has(shell: Shell) -> None:
    assert scanhub("sweep", **shell).code == 0
    run = scanhub("doctor", "--json", **shell)
    failed = {one["name"] for one in json.loads(run.out)["checks"] if one["verdict"] == "failed"}
    assert failed == {"service", "organization-trail"}, "no task runs here, and no trail is kept"
    sweep = {one["name"]: one for one in json.loads(run.out)["checks"] if one["group"] == "sweep"}
    assert {name: one["verdict"] for name, one in sweep.items()} == {
        "last-sweep": "ok",
        "swept-accounts": "ok",
        "sweep-roster": "ok",
    }
    assert sweep["sweep-roster"]["reason"] == "5 accounts"


def test_a_second_time_it_prints_the_same(first: Run, shell: Shell) -> None:
    assert exported(scanhub("local", "up", "--no-samples", **shell)) == exported(first)


def test_as_json_it_tells_the_organization_too(first: Run, shell: Shell) -> None:
    run = scanhub("local", "up", "--no-samples", "--json", **shell)
    printed = json.loads(run.out)
    assert printed["settings"] == exported(first)
    organization = printed["organization"]
    assert organization["units"]["workloads"] == unit(first, "workloads")
    assert organization["members"] == {
        HUB: "security",
        ACCOUNTS[0]: "workloads",
        ACCOUNTS[1]: "workloads/production",
        ACCOUNTS[2]: "sandbox",
    }
    assert (organization["managementAccount"], organization["hubAccount"]) == (MANAGEMENT, HUB)
    rehearsed = scanhub("local", "organization", **shell)
    assert rehearsed.code == 0, rehearsed.err
    assert f"{ACCOUNTS[0]}  workloads ({organization['units']['workloads']})\n" in rehearsed.out


def test_a_scanner_of_ones_own_is_kept(shell: Shell) -> None:
    own = scanhub("local", "up", "--no-samples", **{**shell, "SCANHUB_QSCANNER_PATH": "/opt/qscanner"})
    assert exported(own)["SCANHUB_QSCANNER_PATH"] == "/opt/qscanner"
