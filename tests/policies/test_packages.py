"""What is installed for these tests is what was looked at: by hash, from whichever registry a machine uses."""

import json
import re
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
LOCK = REQUIREMENTS / "policies" / "package-lock.json"


def test_the_lock_names_every_package_by_its_hash_and_no_host() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    wanted = json.loads((REQUIREMENTS / "policies" / "package.json").read_text())["dependencies"]
    assert packages.pop("")["dependencies"] == wanted
    assert {f"node_modules/{name}" for name in wanted} <= set(packages)
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
    assert "://" not in LOCK.read_text()


def test_versions_are_named_exactly() -> None:
    wanted = json.loads((REQUIREMENTS / "policies" / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert "--hash=sha256:" in (REQUIREMENTS / "node.txt").read_text()


def test_nothing_of_it_is_shipped() -> None:
    for name in ("worker.txt", "local.txt"):
        assert "nodejs" not in (REQUIREMENTS / name).read_text()
