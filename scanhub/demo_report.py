"""What a demo ended with, from the ledger, the bucket and the dead-letter queue, compared with what is true."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from hub.coverage import Coverage, CoverageState
from hub.coverage_selection import Selection, selected, stated_reason
from hub.findings import Finding, finding_document
from hub.settings import Settings
from hub.standing import CoverageRow
from hub.stored_results import StoredResults
from hub.sweep.report import SweepReport
from infra.local.deployment import Deployment
from infra.local.samples import Sample
from infra.local.scenario import Scenario
from scanhub.coverage_documents import row_document
from scanhub.coverage_tables import functions_table
from scanhub.documents import SCHEMA_VERSION, coverage_document
from scanhub.sweep_documents import sweep_document
from scanhub.tables import counts, new_table, state
from scanhub.wiring import open_hub
from spoke.arn import FunctionArn
from worker.tally import Tally
from worker.trip import EndingKind

WIDE = 120
"""Columns of a terminal from which on there is room for what each sample is."""


@dataclass(frozen=True, kw_only=True)
class FunctionReport:
    """One sample: what is known of it, and what was found in it."""

    sample: Sample
    coverage: Coverage | None
    findings: list[Finding]

    def faults(self) -> list[str]:
        """In what it differs from what the sample really contains."""
        name, expected = self.sample.name, self.sample.expected
        if self.coverage is None:
            return [f"{name} was never seen"]
        if self.sample.excluded:
            return [] if self.coverage.state is CoverageState.EXCLUDED else [f"{name} is not excluded"]
        faults = []
        if self.cves != expected.cves:
            faults.append(f"{name}: found {sorted(self.cves)}, contains {sorted(expected.cves)}")
        if self.secrets != expected.secrets:
            faults.append(f"{name}: found {self.secrets} secrets, contains {expected.secrets}")
        summary = self.coverage.last_good
        if summary is None or (summary.status, summary.reasons) != (expected.status, expected.reasons):
            faults.append(f"{name}: ended {summary.status if summary else 'without a result'}, not {expected.status}")
        return faults

    @property
    def cves(self) -> frozenset[str]:
        """The CVE ids found."""
        return frozenset(cve for finding in self.findings for cve in finding.cves)

    @property
    def secrets(self) -> int:
        """The number of secrets found."""
        return sum(finding.kind == "secret" for finding in self.findings)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How the parts of a demo ended.

    Attributes:
        events: What the worker counted while it carried the events.
        sweep: The sweep afterwards.
        swept: What the worker counted while it carried what the sweep had queued.
    """

    events: Tally
    sweep: SweepReport
    swept: Tally


@dataclass(frozen=True, kw_only=True)
class Report:
    """The end of a demo.

    Attributes:
        functions: By ARN, the samples.
        coverage: Every function that the ledger knows, by ARN.
        sent: Events sent, by what they are.
        endings: How the journeys of the events ended.
        sweep: What the sweep found.
        parked: The messages in the dead-letter queue: reason and detail.
        bucket: The results bucket.
        directory: Where its objects were copied to.
        faults: What is not as it should be; empty when all is well.
    """

    functions: Mapping[str, FunctionReport]
    coverage: Sequence[CoverageRow]
    sent: Mapping[str, int]
    endings: Mapping[EndingKind, int]
    sweep: SweepReport
    parked: list[tuple[str, str]]
    bucket: str
    directory: Path
    faults: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The report for `--json`."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "ok": not self.faults,
            "faults": self.faults,
            "sent": dict(self.sent),
            "endings": {kind.value: count for kind, count in sorted(self.endings.items())},
            "functions": [
                {
                    **(coverage_document(one.coverage) if one.coverage is not None else {"function": arn}),
                    "description": one.sample.description,
                    "findings": [finding_document(finding) for finding in one.findings],
                }
                for arn, one in self.functions.items()
            ],
            "sweep": sweep_document(self.sweep),
            "coverage": [row_document(row) for row in self.coverage],
            "parked": [{"reason": reason, "detail": detail} for reason, detail in self.parked],
            "results": {"bucket": self.bucket, "directory": str(self.directory)},
        }


async def gather(
    settings: Settings, deployment: Deployment, scenario: Scenario, ended: Ended, output: Path, *, since: datetime
) -> Report:
    """Read what the worker has left, and compare it with what the scenario has sent.

    Args:
        settings: The worker's.
        deployment: Where it ran.
        scenario: What was sent.
        ended: How each part ended.
        output: Where the results are copied to.
        since: What was parked before is of an earlier run on the same cloud (aware, UTC).
    """
    functions = {}
    async with open_hub(settings, os.environ) as hub:
        for arn, sample in {**scenario.functions, **scenario.unannounced}.items():
            coverage = await hub.ledger.coverage(FunctionArn.parse(arn))
            findings: list[Finding] = []
            if coverage is not None and coverage.last_good is not None:
                findings = await StoredResults(hub.objects).findings_under(coverage.last_good.manifest_key)
            functions[arn] = FunctionReport(sample=sample, coverage=coverage, findings=findings)
        rows = [row async for row in selected(hub.ledger, Selection(accounts=deployment.spokes), ())]
    parked = _parked(deployment, settings.changes_dlq_url, since)
    faults = [fault for one in functions.values() for fault in one.faults()]
    faults += _gaps(rows, _deployed(deployment), gone=scenario.gone)
    if tuple(sorted(reason for reason, _ in parked)) != scenario.parked:
        faults.append(f"parked: {sorted(reason for reason, _ in parked)}, not {list(scenario.parked)}")
    for what, sent, tally in (
        ("events", scenario.deliveries, ended.events),
        ("requests of the sweep", ended.sweep.counts.due, ended.swept),
    ):
        if sum(tally.endings.values()) != sent:
            faults.append(f"{sent} {what} were sent and {sum(tally.endings.values())} journeys ended")
    faults += [f"{one.account} {one.region} was not swept: {one.text}" for one in ended.sweep.problems]
    return Report(
        functions=functions,
        coverage=sorted(rows, key=lambda row: row.function),
        sent=scenario.sent,
        endings=ended.events.endings,
        sweep=ended.sweep,
        parked=parked,
        bucket=settings.results_bucket,
        directory=_copied(deployment, settings.results_bucket, output / "results"),
        faults=faults,
    )


def _deployed(deployment: Deployment) -> set[str]:
    """Every function that really exists in the spokes, by its own account's word."""
    return {
        function["FunctionArn"]
        for account in deployment.spokes
        for region in deployment.regions
        for page in deployment.client("lambda", account=account, region=region)
        .get_paginator("list_functions")
        .paginate()
        for function in page["Functions"]
    }


def _gaps(rows: Sequence[CoverageRow], deployed: set[str], *, gone: str) -> list[str]:
    """Functions without a state or a reason, and states that are not true."""
    known = {str(row.function): row for row in rows}
    faults = [f"{arn} exists and is not known" for arn in sorted(deployed - known.keys())]
    faults += [f"{arn} has no reason for its state" for arn, row in known.items() if not stated_reason(row)]
    for arn in {*known, gone} - deployed:
        if arn not in known or known[arn].state is not CoverageState.GONE:
            faults.append(f"{arn} is not known to be gone")
    return faults


def _parked(deployment: Deployment, url: str, since: datetime) -> list[tuple[str, str]]:
    """What lies in the dead-letter queue; it is left there."""
    queue = deployment.client("sqs")
    parked = {}
    while messages := queue.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60, MessageAttributeNames=["All"]
    ).get("Messages", []):
        for message in messages:
            attributes = message.get("MessageAttributes", {})
            values = {name: value["StringValue"] for name, value in attributes.items()}
            if datetime.fromisoformat(values["parkedAt"]) >= since:
                parked[message["MessageId"]] = (values["reason"], values["detail"])
    return sorted(parked.values())


def _copied(deployment: Deployment, bucket: str, directory: Path) -> Path:
    """Copy the results next to the user: the embedded cloud is gone when the demo ends."""
    objects = deployment.client("s3")
    for page in objects.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="scans/"):
        for one in page.get("Contents", []):
            target = directory / one["Key"]
            target.parent.mkdir(parents=True, exist_ok=True)
            objects.download_file(bucket, one["Key"], str(target))
    return directory


def told(report: Report, console: Console) -> None:
    """The report for a person."""
    table = new_table("ACCOUNT", "REGION", "FUNCTION", "STATE", folded=("FOUND",))
    if console.width >= WIDE:
        table.add_column("WHAT IT IS", overflow="fold")
    for arn, one in report.functions.items():
        function = FunctionArn.parse(arn)
        found = counts(one.coverage.last_good) if one.coverage is not None else Text("-")
        shown = state(one.coverage) if one.coverage is not None else Text("never seen", style="red")
        what = [Text(one.sample.description, style="dim")] if console.width >= WIDE else []
        table.add_row(function.account, function.region, function.name, shown, found, *what)
    console.print("\n[bold]Every sample, and what was found in it[/]")
    console.print(table)
    endings = Counter({kind.value: count for kind, count in report.endings.items()})
    console.print("\n[bold]What became of the messages[/]  ", end="")
    console.print(", ".join(f"{count} {kind}" for kind, count in endings.most_common()))
    for reason, detail in report.parked:
        console.print(Text(f"  parked: {reason}: {detail.splitlines()[0] if detail else ''}", style="dim"))
    swept = report.sweep.counts
    console.print(
        f"\n[bold]The sweep[/]  {swept.functions} functions listed, {swept.fresh} fresh, {swept.due} queued, "
        f"{swept.excluded} excluded, {swept.gone} gone"
    )
    console.print(f"\n[bold]Results[/]  {report.directory}/scans/  (copied from s3://{report.bucket}/scans/)")
    console.print(f"[bold]Log[/]      {report.directory.parent / 'worker.log'}")
    console.print(
        Text("Scanned by the stand-in, not by qscanner: it knows a small, dated list of advisories.", style="yellow")
    )
    console.print("\n[bold]Coverage: every function of every spoke, its state and why[/]")
    console.print(functions_table(report.coverage, details=console.width >= WIDE))
