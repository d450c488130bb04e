import pytest

from infra.local.qscanner.inventory import Ecosystem, Found
from infra.local.qscanner.node_packages import NodePackages


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("node_modules/lodash/package.json", True),
        ("nodejs/node_modules/lodash/package.json", True),
        ("node_modules/async/node_modules/lodash/package.json", True),
        ("node_modules/@aws-sdk/client-s3/package.json", True),
        ("package.json", False),
        ("package-lock.json", False),
        ("node_modules/.package-lock.json", False),
        ("node_modules/package.json", False),
        ("node_modules/@aws-sdk/package.json", False),
        ("node_modules/lodash/test/package.json", False),
        ("my_node_modules/lodash/package.json", False),
    ],
)
def test_wants_the_manifests_of_what_is_installed(path: str, wanted: bool) -> None:
    assert NodePackages().wants(path) is wanted


def test_name_and_version_are_the_manifests() -> None:
    detector = NodePackages()
    detector.file("node_modules/lodash/package.json", b'{"name": "lodash", "version": "4.17.4", "license": "MIT"}')
    assert detector.found() == [Found(Ecosystem.NPM, "lodash", "4.17.4", "node_modules/lodash/package.json")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"lodash"',
        b'{"name": "x"}',
        b'{"name": 1, "version": "1"}',
        b'{"name": "", "version": "1"}',
        b"[" * 100_000,
        b"\xff",
        b'{"name": "a\\u0007", "version": "1"}',
    ],
)
def test_what_is_no_manifest_is_no_package(content: bytes) -> None:
    detector = NodePackages()
    detector.file("node_modules/x/package.json", content)
    assert detector.found() == []
