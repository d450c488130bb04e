"""Packages read from the scanner's inventories: CycloneDX, SPDX and its own ScanResult; trusted in nothing."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.packages import MAX_LOCATIONS, MAX_PURL, UNKNOWN_TYPE, Package, Purl
from hub.untrusted import NAME_LIMIT, items, mapping, objects, text

_PACKAGE_KINDS = frozenset({"library", "framework"})
"""CycloneDX component types that are packages even without a purl; `file`, `operating-system`, ... are not."""

_NO_LICENSE = frozenset({"NOASSERTION", "NONE"})


def cyclonedx(document: object) -> Iterator[Package]:
    """The components of a CycloneDX document, nested ones too (https://cyclonedx.org/docs/1.6/json/)."""
    waiting = [items(mapping(document).get("components"))]
    while waiting:
        for component in objects(waiting.pop()):
            if isinstance(component.get("components"), list):
                waiting.append(component["components"])
            purl = _purl(component.get("purl"))
            if purl is None and text(component.get("type")) not in _PACKAGE_KINDS:
                continue
            name, group = text(component.get("name"), NAME_LIMIT), text(component.get("group"), NAME_LIMIT)
            yield from _package(
                name=f"{group}/{name}" if group and name else name,
                version=component.get("version"),
                purl=purl,
                locations=_cyclonedx_locations(component),
                licenses=_cyclonedx_licenses(component),
            )


def spdx(document: object) -> Iterator[Package]:
    """The packages of an SPDX 2.3 document, without the one that stands for the function itself."""
    described = _described(mapping(document))
    for package in objects(mapping(document).get("packages")):
        locators = (
            reference.get("referenceLocator")
            for reference in objects(package.get("externalRefs"))
            if reference.get("referenceType") == "purl"
        )
        purl = next((purl for locator in locators if (purl := _purl(locator)) is not None), None)
        if purl is None and text(package.get("SPDXID"), NAME_LIMIT) in described:
            continue
        yield from _package(
            name=text(package.get("name"), NAME_LIMIT),
            version=package.get("versionInfo"),
            purl=purl,
            locations=(),
            licenses=(package.get("licenseConcluded"), package.get("licenseDeclared")),
        )


def scan_result(document: object) -> Iterator[Package]:
    """Whatever the scanner's own inventory lists under a key `Packages`, at any depth.

    Its shape is not documented, so every common spelling of a package's fields is read.
    """
    waiting: list[object] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(one for one in value if isinstance(one, dict | list))
        elif isinstance(value, dict):
            for key, inner in value.items():
                if key.casefold() == "packages":
                    yield from _listed(inner)
                elif isinstance(inner, dict | list):
                    waiting.append(inner)


def _listed(packages: object) -> Iterator[Package]:
    for entry in objects(packages):
        keys = {key.casefold(): value for key, value in entry.items()}
        identifier = {key.casefold(): value for key, value in mapping(keys.get("identifier")).items()}
        licenses = keys.get("licenses")
        yield from _package(
            name=text(keys.get("name") or keys.get("packagename"), NAME_LIMIT),
            version=keys.get("version") or keys.get("installedversion"),
            purl=_purl(keys.get("purl") or identifier.get("purl")),
            locations=(keys.get("filepath"), keys.get("path"), keys.get("location")),
            licenses=licenses if isinstance(licenses, list) else (licenses,),
        )


def _package(
    *, name: str | None, version: object, purl: Purl | None, locations: Iterable[object], licenses: Iterable[object]
) -> Iterator[Package]:
    name = purl.name if purl is not None else name
    line = text(name, NAME_LIMIT)
    if line is None:
        return
    yield Package(
        name=line,
        version=text(version, NAME_LIMIT) or (text(purl.version, NAME_LIMIT) if purl is not None else None),
        type=purl.type if purl is not None else UNKNOWN_TYPE,
        purl=purl.text if purl is not None else None,
        locations=_lines(locations),
        licenses=tuple(one for one in _lines(licenses) if one not in _NO_LICENSE),
    )


def _purl(value: object) -> Purl | None:
    return Purl.parse(text(value, MAX_PURL + 1)) if isinstance(value, str) else None


def _lines(values: Iterable[object]) -> tuple[str, ...]:
    found = {line for value in values if isinstance(value, str) and (line := text(value)) is not None}
    return tuple(sorted(found)[:MAX_LOCATIONS])


def _cyclonedx_locations(component: Mapping[str, Any]) -> Iterator[object]:
    for occurrence in objects(mapping(component.get("evidence")).get("occurrences")):
        yield occurrence.get("location")
    # Where occurrences are missing, Syft and Trivy name the path in properties of their own.
    for one in objects(component.get("properties")):
        key = one.get("name")
        if isinstance(key, str) and (key.endswith((":FilePath", ":path")) or key == "path"):
            yield one.get("value")


def _cyclonedx_licenses(component: Mapping[str, Any]) -> Iterator[object]:
    for choice in objects(component.get("licenses")):
        named = mapping(choice.get("license"))
        yield named.get("id") or named.get("name")
        yield choice.get("expression")


def _described(document: Mapping[str, Any]) -> frozenset[str | None]:
    ids = [text(one, NAME_LIMIT) for one in items(document.get("documentDescribes"))]
    ids += [
        text(relation.get("relatedSpdxElement"), NAME_LIMIT)
        for relation in objects(document.get("relationships"))
        if relation.get("relationshipType") == "DESCRIBES"
    ]
    return frozenset(one for one in ids if one is not None)
