import io
from functools import partial

from infra.local.qscanner.archive import read_zip
from infra.local.qscanner.inventory import Ecosystem, Package
from infra.local.qscanner.limits import Budget, Limits
from infra.local.qscanner.scan import Contents
from infra.local.samples import credentials
from tests.infra.local.qscanner.recording import zipped

FILES: dict[str, bytes | str] = {
    "node_modules/lodash/package.json": '{"name": "lodash", "version": "4.17.4"}',
    "lib/a-1.0.jar": zipped({"key.txt": credentials.aws_access_key_id()}),
    "PyYAML-5.1.dist-info/METADATA": "Name: PyYAML\nVersion: 5.1\n",
}


def collected(budget: Budget, files: dict[str, bytes | str], *, packages: bool, secrets: bool) -> Contents:
    contents = Contents(budget, packages=packages, secrets=secrets)
    contents.collect(partial(read_zip, io.BytesIO(zipped(files))), layer="sha256:ab")
    return contents


def test_packages_and_secrets_each_only_when_asked_for() -> None:
    both = collected(Budget(Limits()), FILES, packages=True, secrets=True)
    assert {(one.name, one.layer) for one in both.packages} == {
        ("lodash", "sha256:ab"),
        ("a", "sha256:ab"),
        ("PyYAML", "sha256:ab"),
    }
    assert [one.target for one in both.secrets] == ["lib/a-1.0.jar!/key.txt"]
    assert collected(Budget(Limits()), FILES, packages=True, secrets=False).secrets == []
    assert collected(Budget(Limits()), FILES, packages=False, secrets=True).packages == []


def test_files_larger_than_text_are_not_looked_at() -> None:
    budget = Budget(Limits(text_bytes=30))
    contents = collected(budget, FILES, packages=True, secrets=True)
    assert contents.packages == [
        Package(Ecosystem.PYPI, "PyYAML", "5.1", "PyYAML-5.1.dist-info/METADATA", "sha256:ab"),
        Package(Ecosystem.MAVEN, "a", "1.0", "lib/a-1.0.jar", "sha256:ab"),
    ]


def test_a_package_full_of_keys_leaves_a_thousand_and_a_warning() -> None:
    budget = Budget(Limits())
    keys = (credentials.aws_access_key_id() + "\n") * 900
    contents = collected(budget, {f"{number}.txt": keys for number in range(3)}, packages=False, secrets=True)
    assert len(contents.secrets) == 1000
    assert budget.warnings == ["only the first 1,000 of 1,800 secrets are kept"]
