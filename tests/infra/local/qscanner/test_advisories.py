import re

import pytest

from infra.local.qscanner.advisories import Advisory, Severity, advisories, key, match
from infra.local.qscanner.inventory import Ecosystem, Package
from infra.local.qscanner.limits import Budget, Limits

LOG4J = "org.apache.logging.log4j:log4j-core"


def cves(ecosystem: Ecosystem, name: str, version: str) -> dict[str, str]:
    budget = Budget(Limits())
    found = match([Package(ecosystem, name, version, "somewhere")], advisories(), budget)
    assert budget.warnings == []
    return {finding.advisory.cve: finding.affected[0].fixed for finding in found}


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.0-beta9", {"44228": "2.3.1", "45046": "2.12.2", "45105": "2.3.1", "44832": "2.3.2"}),
        ("2.3.1", {"45046": "2.12.2", "44832": "2.3.2"}),
        ("2.12.1", {"44228": "2.12.2", "45046": "2.12.2", "45105": "2.12.3", "44832": "2.12.4"}),
        ("2.12.4", {}),
        ("2.14.1", {"44228": "2.15.0", "45046": "2.16.0", "45105": "2.17.0", "44832": "2.17.1"}),
        ("2.15.0", {"45046": "2.16.0", "45105": "2.17.0", "44832": "2.17.1"}),
        ("2.16.0", {"45105": "2.17.0", "44832": "2.17.1"}),
        ("2.17.0", {"44832": "2.17.1"}),
        ("2.17.1", {}),
        ("2.25.2", {}),
    ],
)
def test_log4shell_and_its_successors(version: str, expected: dict[str, str]) -> None:
    assert cves(Ecosystem.MAVEN, LOG4J, version) == {f"CVE-2021-{number}": fixed for number, fixed in expected.items()}


@pytest.mark.parametrize(
    ("ecosystem", "name", "version", "expected"),
    [
        (Ecosystem.MAVEN, "log4j-core", "2.17.0", {"CVE-2021-44832"}),
        (Ecosystem.MAVEN, "org.apache.logging.log4j:log4j-api", "2.14.1", set()),
        (Ecosystem.MAVEN, "com.example:log4j-core", "2.14.1", set()),
        (Ecosystem.MAVEN, "org.springframework:spring-beans", "5.2.19.RELEASE", {"CVE-2022-22965"}),
        (Ecosystem.MAVEN, "org.springframework:spring-beans", "5.2.20.RELEASE", set()),
        (
            Ecosystem.MAVEN,
            "com.fasterxml.jackson.core:jackson-databind",
            "2.13.2.1",
            {"CVE-2022-42003", "CVE-2022-42004"},
        ),
        (Ecosystem.MAVEN, "org.apache.commons:commons-text", "1.4", set()),
        (Ecosystem.MAVEN, "org.apache.commons:commons-text", "1.5", {"CVE-2022-42889"}),
        (Ecosystem.PYPI, "pyyaml", "5.1", {"CVE-2019-20477", "CVE-2020-1747", "CVE-2020-14343"}),
        (Ecosystem.PYPI, "PyYAML", "5.4b1", {"CVE-2020-14343"}),
        (Ecosystem.PYPI, "PyYAML", "5.4", set()),
        (Ecosystem.PYPI, "Requests", "2.32.4", {"CVE-2026-25645"}),
        (Ecosystem.PYPI, "requests", "2.34.2", set()),
        (Ecosystem.PYPI, "certifi", "2023.7.22", set()),
        (Ecosystem.NPM, "lodash", "4.17.21", {"CVE-2025-13465", "CVE-2026-2950"}),
        (
            Ecosystem.NPM,
            "lodash",
            "3.10.1",
            {"CVE-2026-2950", "CVE-2018-3721", "CVE-2018-16487", "CVE-2019-1010266"}
            | {"CVE-2019-10744", "CVE-2020-8203", "CVE-2020-28500", "CVE-2021-23337"},
        ),
        (Ecosystem.NPM, "lodash", "4.18.1", set()),
        (Ecosystem.NPM, "minimist", "0.2.1", {"CVE-2021-44906"}),
        (Ecosystem.NPM, "minimist", "1.2.6", set()),
        (Ecosystem.NPM, "@types/lodash", "4.14.0", set()),
        (Ecosystem.NPM, "requests", "0.1.0", set()),
    ],
)
def test_each_ecosystem_compares_its_own_way(ecosystem: Ecosystem, name: str, version: str, expected: set[str]) -> None:
    assert set(cves(ecosystem, name, version)) == expected


def test_one_finding_names_every_place_and_the_gravest_come_first() -> None:
    packages = [
        Package(Ecosystem.NPM, "lodash", "4.17.4", "node_modules/lodash/package.json"),
        Package(Ecosystem.NPM, "lodash", "4.17.11", "node_modules/async/node_modules/lodash/package.json"),
    ]
    findings = match(packages, advisories(), Budget(Limits()))
    severities = [finding.advisory.severity for finding in findings]
    assert severities == sorted(severities, reverse=True)
    by_cve = {finding.advisory.cve: finding.affected for finding in findings}
    assert [one.package.version for one in by_cve["CVE-2019-10744"]] == ["4.17.4", "4.17.11"]
    assert [one.package.version for one in by_cve["CVE-2018-3721"]] == ["4.17.4"]


@pytest.mark.parametrize(
    ("ecosystem", "name", "version"), [(Ecosystem.PYPI, "requests", "unknown"), (Ecosystem.NPM, "lodash", "latest")]
)
def test_a_version_that_cannot_be_compared_is_a_warning(ecosystem: Ecosystem, name: str, version: str) -> None:
    budget = Budget(Limits())
    assert match([Package(ecosystem, name, version, "here")], advisories(), budget) == []
    assert budget.warnings
    assert set(budget.warnings) == {f"here: version {version!r} cannot be compared"}


def test_python_names_are_normalised() -> None:
    assert key(Ecosystem.PYPI, "Charset_Normalizer.x") == "charset-normalizer-x"
    assert key(Ecosystem.NPM, "JSONStream") == "JSONStream"


@pytest.mark.parametrize("advisory", advisories(), ids=lambda advisory: advisory.cve)
def test_every_entry_of_the_list_is_well_formed(advisory: Advisory) -> None:
    assert re.fullmatch(r"CVE-\d{4}-\d{4,7}", advisory.cve)
    assert re.fullmatch(r"GHSA(-[23456789cfghjmpqrvwx]{4}){3}", advisory.ghsa)
    assert advisory.published is None or re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", advisory.published)
    assert 990_001 <= advisory.qid <= 990_999
    assert advisory.packages == tuple(key(advisory.ecosystem, name) for name in advisory.packages)
    assert 0 < advisory.score <= 100
    assert advisory.ranges
    for name in advisory.packages:
        for one in advisory.ranges:
            # The mended version is outside of its own range; just below it lies something affected.
            assert advisory.cve not in cves(advisory.ecosystem, name, one.fixed) or len(advisory.ranges) > 1
            if one.introduced != "0":
                assert cves(advisory.ecosystem, name, one.introduced)[advisory.cve] == one.fixed


def test_ids_and_numbers_are_given_once() -> None:
    known = advisories()
    assert len({one.cve for one in known}) == len({one.ghsa for one in known}) == len({one.qid for one in known}) == 37
    assert {one.severity for one in known} == {Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL}
