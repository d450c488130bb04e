"""Least privilege, both ways: what the worker asks for is allowed, and what is allowed is asked for."""

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import pytest

from hub.diagnosis import Verdict
from infra.permissions.document import DOCUMENT
from tests.conftest import forget_aws
from tests.permissions.checks import Check, asked
from tests.permissions.granted import Granted
from tests.permissions.work import Work, worked
from tests.policies.evaluator import Evaluator
from worker.trip import EndingKind

pytestmark = [pytest.mark.timeout(180)]

BY_THE_SCANNER = "the licensed scanner pulls the image; the stand-in reads none"
NO_SUCH_KEY = "the embedded cloud encrypts no package with a customer's key"

UNSEEN: Mapping[tuple[str, str, str], str] = MappingProxyType(
    {
        (
            "TaskRole",
            "ReadTheGivenSecret",
            "kms:Decrypt",
        ): "only for a secret of the customer's own, under a key of its own",
        ("TaskRole", "ReadCoverage", "dynamodb:Scan"): "counts of more accounts than the organization here has",
        (
            "SpokeRole",
            "ReadFunctions",
            "lambda:GetFunctionConfiguration",
        ): "what the licensed scanner asks is not known",
        ("SpokeRole", "ListFunctionsAndSignInToEcr", "ecr:GetAuthorizationToken"): BY_THE_SCANNER,
        ("SpokeRole", "ReadImages", "ecr:BatchCheckLayerAvailability"): BY_THE_SCANNER,
        ("SpokeRole", "ReadImages", "ecr:BatchGetImage"): BY_THE_SCANNER,
        ("SpokeRole", "ReadImages", "ecr:GetDownloadUrlForLayer"): BY_THE_SCANNER,
        ("SpokeRole", "DecryptCodeThroughLambda", "kms:Decrypt"): NO_SUCH_KEY,
    }
)
"""Role, statement, action -> why the run cannot show that it is used."""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    """One worker's life for all tests of this module."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        forget_aws(monkeypatch)
        with worked(tmp_path_factory.mktemp("permissions"), monkeypatch) as work:
            yield work


@pytest.fixture(scope="module")
def granted(work: Work) -> Granted:
    """What the templates allow, where they were deployed."""
    return Granted.of(work)


@pytest.fixture(scope="module")
def needed(work: Work, granted: Granted) -> tuple[Check, ...]:
    """All that was asked of IAM."""
    return tuple(granted.named(check) for check in asked(work.calls, {work.deployment.hub_account: granted.key}))


def test_the_run_was_a_whole_life(work: Work) -> None:
    first, last = work.tallies
    assert first.endings == {
        EndingKind.STORED: 2,
        EndingKind.EXCLUDED: 1,
        EndingKind.GONE: 1,
        EndingKind.PARKED: 3,
    }
    assert last.endings == {EndingKind.GIVEN_BACK: 2}
    assert {"account-sweep", "last-event", "sweep-roster", "pause"} <= {check.name for check in work.checks}
    # The doctor looks before the first sweep.
    assert [check.name for check in work.checks if check.verdict is not Verdict.OK] == ["last-sweep"]
    assert work.swept.counts.due > 0
    assert work.swept.counts.failed == 0


def test_every_call_is_allowed(needed: tuple[Check, ...], granted: Granted, evaluator: Evaluator) -> None:
    assert len(needed) >= 40
    decisions = evaluator.evaluate(granted.request(check) for check in needed)
    refused = [f"{check}: {one.verdict}" for check, one in zip(needed, decisions, strict=True) if not one.allowed]
    assert refused == []


def test_a_scan_asks_under_a_session_of_its_own(work: Work) -> None:
    """Else nothing here would tell of the session policies."""
    by_scans = [call for call in work.calls if call.session.name.startswith("scan-")]
    assert {str(call.operation) for call in by_scans} == {"lambda:GetFunction", "lambda:GetLayerVersionByArn"}
    assert {call.session.name for call in by_scans} == {"scan-invoice-render", "scan-health-check", "scan-thumbnails"}
    for call in by_scans:
        assert call.session.policy is not None
        assert call.session.source_identity == "scanhub"
        assert json.loads(call.session.policy)["Statement"]


def test_every_permission_is_used(needed: tuple[Check, ...], granted: Granted) -> None:
    unused = {(one.role, one.sid, one.action, one.resource) for one in granted.permissions() if not one.used_by(needed)}
    unexplained = sorted(one for one in unused if one[:3] not in UNSEEN)
    assert unexplained == [], "the worker does not need them: take them out of the template"


def test_a_key_is_used_through_every_service_that_is_named(needed: tuple[Check, ...], granted: Granted) -> None:
    used = {check.context["kms:ViaService"] for check in needed if "kms:ViaService" in check.context}
    named = list(granted.through())
    assert len(named) > 4
    assert [one for one in named if one[2] not in used] == []


def test_what_is_said_to_be_unseen_is_there_and_is_unseen(needed: tuple[Check, ...], granted: Granted) -> None:
    unused = {(one.role, one.sid, one.action) for one in granted.permissions() if not one.used_by(needed)}
    assert set(UNSEEN) - unused == set()


def test_iams_wildcards_are_all_that_is_matched(granted: Granted) -> None:
    """`fnmatch` knows ranges too, IAM does not."""
    assert not [one for one in granted.permissions() if "[" in one.resource + one.action]


def test_the_document_says_what_an_engineers_commands_need(work: Work) -> None:
    (section,) = re.findall(
        r"^## Your own credentials\n(.*?)^## ", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    rows = re.findall(r"^\| `(scanhub [^`]+)` \| (.*) \|$", section, re.MULTILINE)
    told = {command: set(re.findall(r"`(\w+:\w+)`", needs)) for command, needs in rows}
    assert told == {name: {check.action for check in asked(calls, {})} for name, calls in work.by_commands.items()}
