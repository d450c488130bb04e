import pytest

from hub.packages import Inventory, Package, Purl


@pytest.mark.parametrize(
    ("text", "kind", "name", "version"),
    [
        ("pkg:pypi/requests@2.19.0", "pypi", "requests", "2.19.0"),
        ("pkg:npm/%40babel/core@7.0.0", "npm", "@babel/core", "7.0.0"),
        (
            "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
            "maven",
            "org.apache.logging.log4j:log4j-core",
            "2.14.1",
        ),
        ("pkg:golang/github.com/gin-gonic/gin@v1.7.0", "golang", "github.com/gin-gonic/gin", "v1.7.0"),
        ("pkg:deb/debian/curl@7.88.1-10?arch=amd64", "deb", "curl", "7.88.1-10"),
        ("pkg:npm/lodash", "npm", "lodash", None),
    ],
)
def test_a_purl_names_the_package_as_its_ecosystem_does(text: str, kind: str, name: str, version: str | None) -> None:
    purl = Purl.parse(text)
    assert purl is not None
    assert (purl.type, purl.name, purl.version) == (kind, name, version)


def test_a_purl_is_made_canonical() -> None:
    purl = Purl.parse("pkg:PyPI/PyYAML@5.1")
    assert purl is not None
    assert purl.text == "pkg:pypi/pyyaml@5.1"


@pytest.mark.parametrize("text", [None, "", "requests", "pkg:", "pkg:pypi", "http://a/b", "pkg:pypi/" + "a" * 3000])
def test_what_is_no_purl_is_none(text: str | None) -> None:
    assert Purl.parse(text) is None


def package(purl: str, **fields: object) -> Package:
    parsed = Purl.parse(purl)
    assert parsed is not None
    return Package.model_validate(
        {"name": parsed.name, "version": parsed.version, "type": parsed.type, "purl": parsed.text, **fields}
    )


def test_a_package_named_twice_is_one_with_every_place() -> None:
    inventory = Inventory.of(
        [
            package("pkg:npm/lodash@4.17.4", locations=("b",), licenses=("MIT",)),
            package("pkg:npm/lodash@4.17.4", locations=("a", "b")),
            package("pkg:npm/lodash@4.17.21"),
        ],
        limit=10,
    )
    assert [(one.version, one.locations, one.licenses) for one in inventory.packages] == [
        ("4.17.21", (), ()),
        ("4.17.4", ("a", "b"), ("MIT",)),
    ]


def test_packages_beyond_the_limit_are_told() -> None:
    entries = [package(f"pkg:npm/a{number}@1") for number in range(3)]
    assert not Inventory.of(entries, limit=3).truncated
    cut = Inventory.of(entries, limit=2)
    assert cut.truncated
    assert len(cut.packages) == 2


def test_a_report_may_use_any_name_of_a_package() -> None:
    purls = Inventory.of([package("pkg:maven/org.yaml/snakeyaml@1.26")], limit=9).purls()
    for name in ("snakeyaml", "org.yaml:snakeyaml", "org.yaml/snakeyaml"):
        assert purls[name, "1.26"] == "pkg:maven/org.yaml/snakeyaml@1.26"


def test_a_name_that_two_packages_have_gives_no_purl() -> None:
    purls = Inventory.of(
        [package("pkg:npm/uuid@1.0"), package("pkg:pypi/uuid@1.0"), Package(name="x")], limit=9
    ).purls()
    assert ("uuid", "1.0") not in purls
