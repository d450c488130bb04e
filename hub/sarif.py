"""Vulnerabilities read from the scanner's report (SARIF 2.1.0, OASIS), trusted in nothing.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/ has the format; Qualys's own keys stand under `properties`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hub.findings import Draft, Drafts, FindingKind
from hub.scans import Severity
from hub.untrusted import NAME_LIMIT, integer, items, mapping, objects, text

_CVE = re.compile(r"CVE-\d{4}-\d{4,19}", re.ASCII | re.IGNORECASE)
_MAX_CVES = 200
_QID = re.compile(r"(?:QID[-_: ]?)?(\d{1,12})", re.ASCII | re.IGNORECASE)
_BY_LEVEL = {"error": Severity.CRITICAL, "warning": Severity.MEDIUM, "note": Severity.LOW}
_NOT_FOUND = frozenset({"pass", "notApplicable"})
"""Values of a result's `kind` that say that the rule was checked and nothing was wrong (SARIF 3.27.9)."""

Rules = tuple[list[Any], Mapping[str, Mapping[str, Any]]]


class NotSarif(ValueError):
    """The document is no SARIF report."""


def read(document: object, drafts: Drafts) -> bool:
    """Add every vulnerability of the report to `drafts`.

    Returns:
        Whether the report is complete: every run has results (an empty list means that nothing was found; none at all
        means that the tool could not tell, SARIF 3.14.23) and says of itself that it succeeded.

    Raises:
        NotSarif: It is not an object with a list `runs`.
    """
    runs = mapping(document).get("runs")
    if not isinstance(runs, list):
        raise NotSarif("no list of runs")
    complete = True
    for run in runs:
        results = mapping(run).get("results")
        complete = complete and isinstance(results, list) and _succeeded(mapping(run))
        rules = _rules(mapping(run))
        for result in items(results):
            _result(result, rules, drafts)
    return complete


def _succeeded(run: Mapping[str, Any]) -> bool:
    return all(invocation.get("executionSuccessful") is not False for invocation in objects(run.get("invocations")))


def _rules(run: Mapping[str, Any]) -> Rules:
    listed = items(mapping(mapping(run.get("tool")).get("driver")).get("rules"))
    return listed, {rule["id"]: rule for rule in objects(listed) if isinstance(rule.get("id"), str)}


def _result(result: object, rules: Rules, drafts: Drafts) -> None:
    if not isinstance(result, dict):
        drafts.skipped += 1
        return
    if text(result.get("kind")) in _NOT_FOUND:
        return
    rule = _rule_of(result, rules)
    of_result, of_rule = mapping(result.get("properties")), mapping(rule.get("properties"))
    rule_id = text(result.get("ruleId"), NAME_LIMIT) or text(rule.get("id"), NAME_LIMIT)
    qid = _qid(of_result, rule_id)
    if rule_id is None and qid is None:
        drafts.skipped += 1
        return
    rule_id = rule_id or str(qid)
    shared = Draft(
        kind=FindingKind.VULNERABILITY,
        severity=_severity(result, rule),
        title=_title(result, rule) or rule_id,
        rule_id=rule_id,
        qid=qid,
        cves=_cves([of_rule.get("cve-ids"), of_result.get("cve-ids"), rule_id]),
        qds=_first_integer(of_result.get("qds"), of_rule.get("qds")),
        path=_path(result),
    )
    for draft in _by_package(shared, of_result):
        drafts.add(draft)


def _rule_of(result: Mapping[str, Any], rules: Rules) -> Mapping[str, Any]:
    """The rule by its id, else by its index (SARIF 3.27.5 and 3.27.6)."""
    listed, by_id = rules
    rule_id = result.get("ruleId") or mapping(result.get("rule")).get("id")
    if isinstance(rule_id, str) and rule_id in by_id:
        return by_id[rule_id]
    for index in (result.get("ruleIndex"), mapping(result.get("rule")).get("index")):
        at = integer(index)
        if at is not None and at < len(listed):
            return mapping(listed[at])
    return {"id": rule_id}


def _qid(properties: Mapping[str, Any], rule_id: str | None) -> int | None:
    stated = integer(properties.get("QID"), least=1)
    if stated is not None:
        return stated
    for candidate in (text(properties.get("QID"), NAME_LIMIT), rule_id):
        # The whole text must be the number: that of a CVE id is none.
        match = _QID.fullmatch(candidate or "")
        if match is not None and int(match[1]) > 0:
            return int(match[1])
    return None


def _severity(result: Mapping[str, Any], rule: Mapping[str, Any]) -> Severity:
    for properties in (result.get("properties"), rule.get("properties")):
        severity = _stated(mapping(properties).get("severity"))
        if severity is not None:
            return severity
    level = result.get("level") or mapping(rule.get("defaultConfiguration")).get("level")
    return _BY_LEVEL.get(level, Severity.INFORMATIONAL) if isinstance(level, str) else Severity.INFORMATIONAL


def _stated(value: object) -> Severity | None:
    rank = integer(value)
    if rank is not None:
        return Severity.from_rank(rank)
    if isinstance(value, str) and value.lower() in set(Severity):
        return Severity(value.lower())
    return None


def _title(result: Mapping[str, Any], rule: Mapping[str, Any]) -> str | None:
    return (
        text(mapping(rule.get("shortDescription")).get("text"))
        or text(rule.get("name"))
        or text(mapping(result.get("message")).get("text"))
    )


def _cves(sources: Iterable[object]) -> frozenset[str]:
    found: set[str] = set()
    for source in sources:
        for entry in source if isinstance(source, list) else [source]:
            if isinstance(entry, str):
                found.update(match.upper() for match in _CVE.findall(entry[:10_000]))
    return frozenset(sorted(found)[:_MAX_CVES])


def _first_integer(*values: object) -> int | None:
    return next((number for value in values if (number := integer(value)) is not None), None)


def _path(result: Mapping[str, Any]) -> str | None:
    for location in objects(result.get("locations")):
        artifact = mapping(mapping(location.get("physicalLocation")).get("artifactLocation"))
        uri = text(artifact.get("uri"))
        if uri is not None:
            return uri
    return None


def _by_package(shared: Draft, properties: Mapping[str, Any]) -> Iterable[Draft]:
    """One draft a package named; the draft itself where the result names none."""
    named = False
    for software in objects(properties.get("vulnerableSoftware")):
        name = text(software.get("name"), NAME_LIMIT)
        if name is None:
            continue
        named = True
        yield replace(
            shared,
            package=name,
            installed_version=text(software.get("installedVersion"), NAME_LIMIT),
            fixed_version=text(software.get("fixedVersion"), NAME_LIMIT),
            layer=text(software.get("layerSHA"), NAME_LIMIT),
        )
    if not named:
        yield shared
