"""Each open question, answered from trials as scanners of several kinds would leave them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hub.diagnosis import Check, Verdict
from spoke.credentials import SessionCredentials
from spoke.errors import HostFault
from spoke.snapshot import FunctionSnapshot
from tests.doubles.qscanner_double import SAID
from tests.doubles.qscanner_rig import TOKEN, Rig, qualys, session, snapshot
from worker.scanner import open_points, questions
from worker.scanner.trials import Trial, Wish

RULE = {"id": "QID-38909", "name": "CVE-2024-1", "properties": {"severity": 4, "cve-ids": ["CVE-2024-1"]}}
RESULT = {
    "ruleId": "QID-38909",
    "level": "error",
    "message": {"text": "vulnerable"},
    "properties": {"QID": 38909, "vulnerableSoftware": [{"name": "log4j", "installedVersion": "2.14"}]},
}
SECRET = {"RuleID": "aws-access-key-id", "Category": "AWS", "Severity": "HIGH", "Title": "key", "StartLine": 3}


def sarif(*results: dict[str, Any]) -> bytes:
    run = {"tool": {"driver": {"name": "qscanner", "rules": [RULE] if results else []}}, "results": list(results)}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def trial(exit_code: int = 0, **changes: Any) -> Trial:
    documents = {"scan-result.json": b'{"Metadata": {}}', "report.sarif.json": sarif(RESULT)}
    return Trial(
        **{
            "exit_code": exit_code,
            "over_time": False,
            "seconds": 2.0,
            "stdout": "",
            "stderr": "INFO done\n",
            "files": (("x-ScanResult.json", 300), ("x-Report.sarif.json", 900)),
            "documents": documents,
            "left": {"--cache-dir": (0, 0), "HOME": (12, 1), "TMPDIR": (0, 0)},
            **changes,
        }
    )


@dataclass
class Bench:
    """Answers each wish; what is not named goes well."""

    word: dict[str, Trial] = field(default_factory=dict)
    plain: Trial = field(default_factory=trial)
    wide: Trial = field(default_factory=trial)
    token: Trial = field(default_factory=lambda: trial(1, stderr=SAID["token"]))
    absent: Trial = field(default_factory=lambda: trial(10, stderr=SAID["absent"]))
    time_out: Trial = field(default_factory=lambda: trial(1, stderr="scan timed out"))
    secrets: list[Trial] = field(default_factory=list)
    types: Trial = field(default_factory=trial)
    inventory: list[Trial] = field(default_factory=list)
    asked: list[tuple[FunctionSnapshot, SessionCredentials, Wish]] = field(default_factory=list)

    async def run(self, snapshot: FunctionSnapshot, session: SessionCredentials, wish: Wish) -> Trial:
        self.asked.append((snapshot, session, wish))
        if snapshot.arn.name == questions.NO_SUCH_FUNCTION:
            return self.absent
        if wish.token is not None:
            assert wish.token.access_token.get_secret_value() != TOKEN
            return self.token
        if wish.word is not None:
            return self.word.get(wish.word, trial())
        if wish.scan_timeout is not None:
            return self.time_out
        if wish.scan_types == ():
            return self.types
        if wish.scan_types is not None:
            return self.secrets.pop(0) if self.secrets else trial()
        if wish.mode == "inventory-only":
            return self.inventory.pop(0) if self.inventory else trial()
        return self.wide if session.access_key_id.startswith("WIDE") else self.plain


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as made:
        yield made


async def answered(
    rig: Rig, bench: Bench, *, rules: Path | None = None, mode: str = "get-report", **changes: Any
) -> dict[str, Check]:
    async def narrowed(one: FunctionSnapshot) -> SessionCredentials:
        assert one.arn.account == "210987654321"
        return session()

    async def wide(_one: FunctionSnapshot) -> SessionCredentials:
        given = session()
        return SessionCredentials("WIDE", given.secret_access_key, given.session_token, given.expires_at)

    subject = questions.Subject(
        settings=rig.settings(qscanner_mode=mode),
        snapshot=snapshot("orders", **changes),
        qualys=qualys(),
        session=narrowed,
        wide=wide,
        rules=rules,
    )
    steps: list[str] = []
    checks = [check async for check in questions.answers(subject, bench, progress=steps.append)]
    assert len(steps) == len(checks) == len(open_points.KINDS)
    assert {check.name for check in checks} == {kind.name for kind in open_points.KINDS}
    return {check.name.removeprefix("qscanner-"): check for check in checks}


async def test_a_scanner_that_does_what_the_driver_expects(rig: Rig) -> None:
    with_secret = trial(
        documents={
            "scan-result.json": json.dumps({"SecretResults": [{"Target": "a.py", "Secrets": [SECRET]}]}).encode()
        }
    )
    layer = "arn:aws:lambda:eu-west-1:210987654321:layer:log4j:3"
    bench = Bench(
        secrets=[with_secret, with_secret],
        plain=trial(documents={"report.sarif.json": sarif(RESULT), "sbom.spdx.json": b'"opt/java/lib/log4j.jar"'}),
    )
    found = await answered(rig, bench, rules=Path("/rules.json"), layers=(layer,))
    assert {name: check.verdict for name, check in found.items()} == dict.fromkeys(found, Verdict.OK)
    assert found["word"].reason == "lambda and function works; SCANHUB_QSCANNER_COMMAND is lambda"
    assert found["report"].evidence[3] == "results[].properties: QID, vulnerableSoftware"
    assert found["secrets"].reason == "1 and 1 secrets can be read"
    assert "RuleID" in found["secrets"].evidence[1]
    assert found["files"].evidence[0] == "x-ScanResult.json (300 bytes): kept as scan-result.json"
    assert found["layers"].evidence == ("opt/java is named in sbom.spdx.json",)
    assert found["cache"].evidence[1] == "HOME: 12 bytes in 1 files"
    # One scan as the worker makes it serves several questions.
    assert sum(wish == Wish() for _, _, wish in bench.asked) == 1
    assert len(bench.asked) == 12


async def test_a_scanner_that_differs_in_everything(rig: Rig) -> None:
    bench = Bench(
        word={"lambda": trial(2, stderr='Error: unknown command "lambda"')},
        plain=trial(
            documents={
                "report.sarif.json": sarif({"ruleId": "CVE-2024-1", "level": "error", "message": {"text": "x"}})
            },
            files=(("x-ScanResult.json", 3), ("x-summary.html", 9)),
            left={"--cache-dir": (4096, 2), "HOME": (0, 0), "TMPDIR": (0, 0)},
        ),
        token=trial(77, stderr="forbidden zone"),
        absent=trial(9, stderr="cannot read"),
        time_out=trial(0),
        secrets=[trial(documents={"scan-result.json": b'{"SecretResults": [{"Target": "a", "Found": [{"Id": 1}]}]}'})],
        inventory=[trial(), trial(), trial(1, stderr="cache is locked")],
    )
    layer = "arn:aws:lambda:eu-west-1:210987654321:layer:log4j:3"
    found = await answered(rig, bench, layers=(layer,))
    assert {name: check.verdict.value for name, check in found.items()} == {
        "word": "failed",
        "session": "ok",
        "files": "warning",
        "streams": "ok",
        "cache": "warning",
        "report": "warning",
        "scan-types": "ok",
        "secrets": "warning",
        "layers": "warning",
        "token": "warning",
        "absent": "warning",
        "time-out": "warning",
        "together": "failed",
    }
    assert "SCANHUB_QSCANNER_COMMAND" in found["word"].fix
    assert "x-summary.html" in found["files"].reason
    assert "4096 bytes stay" in found["cache"].reason
    assert "taken for ScannerCrashed" in found["token"].reason
    assert "taken for Unreadable" in found["absent"].reason
    assert all(check.fix for check in found.values() if check.verdict is not Verdict.OK)


async def test_what_this_function_cannot_show_stays_open(rig: Rig) -> None:
    found = await answered(rig, Bench(plain=trial(documents={"report.sarif.json": sarif()}), types=trial(documents={})))
    unknown = {name for name, check in found.items() if check.verdict is Verdict.UNKNOWN}
    assert unknown == {"report", "secrets", "layers", "scan-types"}
    assert "there is no scan result" in found["scan-types"].reason
    assert "name a function with a vulnerable package" in found["report"].reason


@pytest.mark.parametrize(
    ("wide", "words"),
    [
        (trial(), "it does not suffice, the whole role does"),
        (trial(1), "the scan fails under the whole role too"),
    ],
)
async def test_whether_the_narrowed_session_is_to_blame(rig: Rig, wide: Trial, words: str) -> None:
    denied = trial(10, stderr=SAID["denied"], files=(), documents={})
    found = await answered(rig, Bench(plain=denied, wide=wide))
    assert found["session"].verdict is Verdict.FAILED
    assert words in found["session"].reason
    assert (found["files"].verdict, found["report"].verdict) == (Verdict.FAILED, Verdict.FAILED)


async def test_one_alone_that_fails_says_nothing_of_two(rig: Rig) -> None:
    found = await answered(rig, Bench(inventory=[trial(1), trial(1), trial(1)]))
    assert found["together"].verdict is Verdict.UNKNOWN


async def test_a_question_that_cannot_be_asked_ends_no_other(rig: Rig) -> None:
    class Broken(Bench):
        async def run(self, snapshot: FunctionSnapshot, session: SessionCredentials, wish: Wish) -> Trial:
            if wish.word is not None:
                raise HostFault("the scanner does not start")
            if wish.token is not None:
                raise ZeroDivisionError
            return await super().run(snapshot, session, wish)

    found = await answered(rig, Broken())
    assert (found["word"].verdict, found["word"].reason) == (Verdict.UNKNOWN, "the scanner does not start")
    assert (found["token"].verdict, "ZeroDivisionError" in found["token"].reason) == (Verdict.UNKNOWN, True)
    assert found["absent"].verdict is Verdict.OK


HOLDS_SECRET = trial(
    documents={"scan-result.json": b'{"SecretResults": [{"Target": "a", "Secrets": [{"RuleID": "x"}]}]}'}
)


@pytest.mark.parametrize(
    ("default", "told", "verdict", "words"),
    [
        (HOLDS_SECRET, trial(), Verdict.OK, "by default it looks for secrets"),
        (trial(), HOLDS_SECRET, Verdict.OK, "by default it does not look for secrets"),
        # The key alone shows nothing: it may stand there empty, or be left out, for a function without a secret.
        (trial(documents={"scan-result.json": b'{"SecretResults": []}'}), trial(), Verdict.UNKNOWN, "holds one"),
        (trial(), trial(), Verdict.UNKNOWN, "holds one"),
    ],
)
async def test_what_is_scanned_for_by_default_is_told_only_beside_a_scan_that_finds(
    rig: Rig, default: Trial, told: Trial, verdict: Verdict, words: str
) -> None:
    found = (await answered(rig, Bench(types=default, secrets=[told])))["scan-types"]
    assert found.verdict is verdict
    assert words in found.reason


async def test_layers_that_are_named_are_not_yet_looked_into(rig: Rig) -> None:
    layer = "arn:aws:lambda:eu-west-1:210987654321:layer:log4j:3"
    echoed = trial(documents={"scan-result.json": f'{{"Metadata": {{"Layers": ["{layer}"]}}}}'.encode()})
    found = (await answered(rig, Bench(plain=echoed), layers=(layer,)))["layers"]
    assert found.verdict is Verdict.UNKNOWN
    assert found.evidence == (f"{layer} is named in scan-result.json",)


async def test_without_a_word_that_works_the_scanner_says_why(rig: Rig) -> None:
    denied = trial(10, stderr=SAID["denied"])
    found = (await answered(rig, Bench(word={"lambda": denied, "function": denied})))["word"]
    assert found.verdict is Verdict.FAILED
    assert "neither works" in found.reason
    assert "exit 10" in found.reason
    assert "SCANHUB_QSCANNER_COMMAND" not in found.fix


async def test_a_wrong_token_shows_nothing_where_the_right_one_fails_too(rig: Rig) -> None:
    bench = Bench(plain=trial(33, stderr="upload failed: 503"), wide=trial(33, stderr="upload failed: 503"))
    found = await answered(rig, bench)
    assert found["token"].verdict is Verdict.UNKNOWN
    assert not any(wish.token for _, _, wish in bench.asked)


async def test_a_report_that_could_not_be_there_is_no_fault(rig: Rig) -> None:
    late = await answered(rig, Bench(plain=trial(40, documents={})))
    assert (late["report"].verdict, late["report"].fix) == (Verdict.UNKNOWN, "ask again")
    none = await answered(rig, Bench(plain=trial(documents={})), mode="inventory-only")
    assert none["report"].verdict is Verdict.UNKNOWN
    assert "inventory-only" in none["report"].reason
    assert (await answered(rig, Bench(plain=trial(documents={}))))["report"].verdict is Verdict.FAILED


async def test_a_limit_that_it_does_not_take_is_no_limit(rig: Rig) -> None:
    found = await answered(rig, Bench(time_out=trial(2, stderr="Error: invalid duration")))
    assert found["time-out"].verdict is Verdict.UNKNOWN


async def test_two_that_wait_for_each_other(rig: Rig) -> None:
    slow = trial(seconds=90.0)
    found = (await answered(rig, Bench(inventory=[trial(seconds=30.0), trial(seconds=31.0), slow])))["together"]
    assert (found.verdict, "one may wait for the other" in found.reason) == (Verdict.WARNING, True)
