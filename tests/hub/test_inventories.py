from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from hub.inventories import cyclonedx, scan_result, spdx
from hub.packages import Package
from tests.hub.broken import JSON, broken
from tests.hub.samples import CYCLONEDX

SPDX: dict[str, Any] = {
    "spdxVersion": "SPDX-2.3",
    "documentDescribes": ["SPDXRef-function"],
    "packages": [
        {"SPDXID": "SPDXRef-function", "name": "checkout", "versionInfo": ""},
        {
            "SPDXID": "SPDXRef-1",
            "name": "log4j-core",
            "versionInfo": "2.14.1",
            "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "Apache-2.0",
            "externalRefs": [
                {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:b"},
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
                },
            ],
        },
        {"SPDXID": "SPDXRef-2", "name": "plain", "versionInfo": "1"},
    ],
}

SCAN_RESULT: dict[str, Any] = {
    "Results": [
        {
            "Target": "Python",
            "Type": "python-pkg",
            "Packages": [
                {
                    "Name": "requests",
                    "Version": "2.19.0",
                    "Identifier": {"PURL": "pkg:pypi/requests@2.19.0"},
                    "Licenses": ["Apache-2.0"],
                    "FilePath": "var/task/requests-2.19.0.dist-info/METADATA",
                },
                {"Name": "noversion"},
            ],
        },
        {"packages": [{"packageName": "lodash", "installedVersion": "4.17.4", "purl": "no purl", "licenses": "MIT"}]},
    ]
}


def test_cyclonedx_components_become_packages() -> None:
    assert list(cyclonedx(CYCLONEDX)) == [
        Package(
            name="requests",
            version="2.19.0",
            type="pypi",
            purl="pkg:pypi/requests@2.19.0",
            locations=("var/task/requests-2.19.0.dist-info/METADATA",),
            licenses=("Apache-2.0",),
        ),
        Package(name="urllib3", version="1.23", type="pypi", purl="pkg:pypi/urllib3@1.23"),
        Package(
            name="pyyaml",
            version="5.1",
            type="pypi",
            purl="pkg:pypi/pyyaml@5.1",
            locations=("/var/task/PyYAML-5.1.dist-info/METADATA",),
        ),
    ]


def test_nested_components_and_those_without_a_purl_are_read() -> None:
    inner = {"type": "library", "group": "org.yaml", "name": "snakeyaml", "version": "1.26"}
    document = {
        "components": [
            {"type": "file", "name": "app.jar", "components": [inner]},
            {"type": "library", "name": "alone", "licenses": [{"expression": "MIT OR Apache-2.0"}]},
            {"type": "application", "name": "node", "purl": "pkg:generic/node@20.1.0"},
            {"type": ["library"], "name": "odd"},
        ]
    }
    assert [(one.name, one.version, one.type, one.licenses) for one in cyclonedx(document)] == [
        ("alone", None, "unknown", ("MIT OR Apache-2.0",)),
        ("node", "20.1.0", "generic", ()),
        ("org.yaml/snakeyaml", "1.26", "unknown", ()),
    ]


def test_spdx_packages_are_read_without_the_function_itself() -> None:
    assert list(spdx(SPDX)) == [
        Package(
            name="org.apache.logging.log4j:log4j-core",
            version="2.14.1",
            type="maven",
            purl="pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
            licenses=("Apache-2.0",),
        ),
        Package(name="plain", version="1"),
    ]


def test_the_function_may_be_described_by_a_relationship() -> None:
    relation = {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": "SPDXRef-function",
    }
    document = {"packages": SPDX["packages"][:1], "relationships": [relation]}
    assert list(spdx(document)) == []
    assert [one.name for one in spdx({"packages": SPDX["packages"][:1]})] == ["checkout"]


def test_the_scanners_own_inventory_is_read_in_any_spelling() -> None:
    found = {one.name: one for one in scan_result(SCAN_RESULT)}
    assert found == {
        "requests": Package(
            name="requests",
            version="2.19.0",
            type="pypi",
            purl="pkg:pypi/requests@2.19.0",
            locations=("var/task/requests-2.19.0.dist-info/METADATA",),
            licenses=("Apache-2.0",),
        ),
        "noversion": Package(name="noversion"),
        "lodash": Package(name="lodash", version="4.17.4", licenses=("MIT",)),
    }


@pytest.mark.parametrize("read", [cyclonedx, spdx, scan_result])
@settings(deadline=None)  # the machine may be busy
@given(document=JSON | broken(CYCLONEDX) | broken(SPDX) | broken(SCAN_RESULT))
def test_no_wrong_type_at_any_level_raises(read: Callable[[object], Iterator[Package]], document: object) -> None:
    for package in read(document):
        assert package.name
        assert package.line().decode().isprintable()
