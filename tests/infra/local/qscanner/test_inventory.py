import pytest

from infra.local.qscanner.inventory import Ecosystem, Package, is_plausible


@pytest.mark.parametrize(
    ("ecosystem", "name", "version", "purl"),
    [
        (Ecosystem.PYPI, "PyYAML", "5.1", "pkg:pypi/pyyaml@5.1"),
        (Ecosystem.PYPI, "charset_normalizer", "3.5.2", "pkg:pypi/charset-normalizer@3.5.2"),
        (Ecosystem.NPM, "lodash", "4.17.4", "pkg:npm/lodash@4.17.4"),
        (Ecosystem.NPM, "@aws-sdk/client-s3", "3.1.0", "pkg:npm/%40aws-sdk/client-s3@3.1.0"),
        (Ecosystem.MAVEN, "org.yaml:snakeyaml", "1.30", "pkg:maven/org.yaml/snakeyaml@1.30"),
        (Ecosystem.MAVEN, "snakeyaml", "1.30", "pkg:generic/snakeyaml@1.30"),
    ],
)
def test_package_urls(ecosystem: Ecosystem, name: str, version: str, purl: str) -> None:
    assert Package(ecosystem, name, version, "somewhere").purl == purl


@pytest.mark.parametrize(
    ("name", "version", "plausible"),
    [("a", "1", True), ("", "1", False), ("a", "", False), ("a" * 257, "1", False), ("a\n", "1", False)],
)
def test_implausible_names_stay_out(name: str, version: str, plausible: bool) -> None:
    assert is_plausible(name, version) is plausible
