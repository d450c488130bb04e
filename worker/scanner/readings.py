"""What can be read from a trial of the scanner."""

from collections.abc import Iterable, Mapping
from typing import Any

from hub import sarif, secret_findings
from hub.findings import Draft, Drafts
from hub.untrusted import NotJson, load, mapping, objects
from spoke.errors import ScanhubError
from worker.scanner import files, outcome
from worker.scanner.trials import Trial

MOST_FINDINGS = 10_000


def is_useful(trial: Trial) -> bool:
    """Whether a scan that ended so is worth storing."""
    return not trial.over_time and (trial.exit_code == 0 or trial.exit_code in outcome.WORTH_STORING)


def judged(trial: Trial, target: str, *, mode: str) -> ScanhubError | None:
    """What the driver would make of it; None for a result."""
    try:
        outcome.judge(trial.exit_code, trial.said, mode=mode, target=target, disk=None)
    except ScanhubError as error:
        return error
    return None


def plain(name: str) -> str:
    """What becomes of a file of that name."""
    known = files.plain_name(name)
    return f"kept as {known.value}" if known is not None else "not known"


def document(trial: Trial, name: str) -> Mapping[str, Any] | None:
    """A JSON object that the trial left; None if it left none of that name."""
    try:
        read = load(trial.documents[name])
    except (KeyError, NotJson):
        return None
    return read if isinstance(read, dict) else None


def keys(found: Iterable[object]) -> str:
    """The keys of all the objects together."""
    return ", ".join(sorted({str(key) for one in found for key in mapping(one)})) or "none"


def vulnerabilities(report: Mapping[str, Any]) -> tuple[Draft, ...]:
    """What the reader of reports, which the results go through, finds in it."""
    drafts = Drafts(MOST_FINDINGS)
    try:
        sarif.read(report, drafts)
    except sarif.NotSarif:
        return ()
    return tuple(drafts.sorted())


def secrets(trial: Trial) -> tuple[Draft, ...]:
    """What the reader of secrets finds in the scan result."""
    drafts = Drafts(MOST_FINDINGS)
    secret_findings.read(document(trial, "scan-result.json"), drafts)
    return tuple(drafts.sorted())


def secret_results(trial: Trial) -> list[Mapping[str, Any]]:
    """The places with secrets, as the scanner writes them."""
    return list(objects(mapping(document(trial, "scan-result.json")).get("SecretResults")))


def secret_keys(trial: Trial) -> str:
    """Keys alone: the values may be the secrets themselves."""
    found = secret_results(trial)
    inner = [one for place in found for key in ("Secrets", "Details") for one in objects(place.get(key))]
    return f"{len(found)} places, keys {keys(found)}; each secret: {keys(inner)}; {trial.end}"
