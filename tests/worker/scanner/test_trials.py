"""Runs of the scanner double that are looked at, not judged."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from spoke.errors import HostFault
from tests.doubles.qscanner_rig import ENVIRON, SECRETS, TOKEN, Rig, qualys, session, snapshot
from worker.scanner.trials import Bench, Trial, Wish


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as made:
        yield made


async def tried(rig: Rig, name: str, wish: Wish | None = None, **changes: object) -> Trial:
    bench = Bench(rig.settings(**changes), qualys=rig.qualys, redactor=rig.redactor, environ=ENVIRON)
    return await bench.run(snapshot(name), session(), wish or Wish())


async def dumped(rig: Rig, wish: Wish, **changes: object) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment that a trial had."""
    rig.gate()
    rig.open_gate()
    trial = await tried(rig, "dump", wish, **changes)
    document = json.loads(trial.documents["report.json"])
    return document["argv"][1:], document["environment"]


async def test_what_a_scan_leaves_is_seen_and_nothing_stays(rig: Rig) -> None:
    trial = await tried(rig, "exit-40")
    assert (trial.exit_code, trial.over_time) == (40, False)
    assert [name for name, size in trial.files if size] == [
        "exit-40-ScanResult.cyclonedx.json",
        "exit-40-ScanResult.json",
        "exit-40-ScanResult.spdx.json",
    ]
    assert json.loads(trial.documents["scan-result.json"]) == {"Metadata": {"Name": "exit-40"}}
    assert trial.left == {"--cache-dir": (0, 0), "HOME": (0, 0), "TMPDIR": (0, 0)}
    assert trial.end.startswith("exit 40 after ")
    assert rig.scan_directories() == []


async def test_no_secret_is_in_what_is_seen(rig: Rig) -> None:
    trial = await tried(rig, "leaky")
    seen = trial.said + str(trial.documents)
    assert "[redacted]" in seen
    assert not [secret for secret in SECRETS if secret in seen]


async def test_a_wish_changes_what_it_names_and_nothing_else(rig: Rig) -> None:
    plain, environment = await dumped(rig, Wish())
    assert environment["QUALYS_ACCESS_TOKEN"] == "[redacted]"
    assert plain[-2:] == ["lambda", "arn:aws:lambda:eu-west-1:210987654321:function:dump"]
    assert plain[plain.index("--mode") + 1] == "get-report"


@pytest.mark.parametrize(
    ("wish", "expected", "absent"),
    [
        (Wish(word="function"), ["function"], []),
        (Wish(mode="inventory-only"), ["--mode", "inventory-only"], ["--report-format", "--policy-tags"]),
        (Wish(scan_types=("secret",)), ["--scan-types", "secret"], []),
        (Wish(scan_types=()), [], ["--scan-types"]),
        (Wish(scan_timeout="1ms"), ["--scan-timeout", "1ms"], []),
        (Wish(rules=Path("/rules.json")), ["--secret-config-file", "/rules.json"], []),
    ],
)
async def test_each_wish(rig: Rig, wish: Wish, expected: list[str], absent: list[str]) -> None:
    argv, _ = await dumped(rig, wish, qscanner_mode="evaluate-policy", qscanner_policy_tags=("prod",))
    assert argv[-1].endswith(":function:dump")
    at = argv.index(expected[0]) if expected else 0
    assert argv[at : at + len(expected)] == expected
    assert not [name for name in absent if name in argv]


async def test_another_token_takes_the_place_of_the_right_one(rig: Rig) -> None:
    wrong = qualys(qualys_access_token="another-token-altogether")
    trial = await tried(rig, "segv", Wish(token=wrong))
    assert trial.exit_code == -11
    assert "about to die with [redacted]" in trial.stderr
    assert "another-token-altogether" not in trial.said
    assert TOKEN not in trial.said


async def test_one_that_takes_too_long_is_ended(rig: Rig) -> None:
    trial = await tried(rig, "hang", scan_timeout=1)
    assert trial.over_time
    assert "ran over its time" in trial.end
    assert rig.scan_directories() == []


async def test_a_binary_that_does_not_start(rig: Rig) -> None:
    broken = rig.directory / "broken"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    with pytest.raises(HostFault):
        await tried(rig, "exit-0", qscanner_path=broken)
    assert rig.scan_directories() == []
