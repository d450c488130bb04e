"""Lost events: what no event has told, one sweep brings to its state."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.coverage import CoverageState
from infra.local import traffic
from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy
from infra.local.publication import Published, publish
from infra.local.samples import SAMPLES, Sample
from infra.local.samples.zips import zip_of
from spoke.arn import FunctionArn
from tests.conftest import forget_aws
from tests.e2e import quick_worker
from tests.e2e.course import empty_queues
from tests.e2e.main_job import STAND_IN
from tests.e2e.town import Called, counting, document
from tests.scanhub.processes import scanhub
from worker.trip import EndingKind

pytestmark = [pytest.mark.timeout(240)]

LONG = timedelta(hours=48)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A cloud on which the samples stand.

    Attributes:
        deployment: Hub and spokes.
        published: By ARN.
        calls: What has reached the cloud so far.
    """

    deployment: Deployment
    published: Mapping[str, tuple[Sample, Published]]
    calls: list[Called]

    def function(self, name: str) -> Published:
        """A sample's."""
        [found] = [function for sample, function in self.published.values() if sample.name == name]
        return found

    def sweep(self) -> Any:  # noqa: ANN401  # JSON
        """What a sweep over the spokes says."""
        return document("sweep", "--accounts", ",".join(self.deployment.spokes))

    def states(self) -> Mapping[str, CoverageState]:
        """Of every function that is known, by ARN."""
        rows = document("coverage", "--account", ",".join(self.deployment.spokes))["listed"]
        return {row["function"]: CoverageState(row["state"]) for row in rows}

    def update(self, function: Published, package: bytes) -> None:
        """Give a function other code, and tell nobody."""
        functions = self.deployment.client("lambda", account=function.account, region=function.region)
        functions.update_function_code(FunctionName=function.arn.rpartition(":")[2], ZipFile=package)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The samples are there, and not one event has come through."""
    with EmbeddedCloud() as cloud:
        forget_aws(monkeypatch)
        calls = counting(monkeypatch)
        deployment = deploy(cloud.endpoint)
        published = {}
        for sample in SAMPLES:
            function = publish(deployment, sample)
            published[function.arn] = (sample, function)
        for name, value in {
            **deployment.settings,
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_REGION": deployment.hub_region,
            "SCANHUB_WORK_DIR": str(tmp_path),
            "SCANHUB_QSCANNER_PATH": str(STAND_IN),
            "SCANHUB_SWEEP_REGIONS": ",".join(deployment.regions),
            "SCANHUB_SWEEP_PER_MINUTE": "0",
        }.items():
            monkeypatch.setenv(name, value)
        yield Place(deployment=deployment, published=published, calls=calls)


def long_ago(deployment: Deployment) -> None:
    """Let everything that waits have waited for two days."""
    table, name = deployment.client("dynamodb"), deployment.settings["SCANHUB_LEDGER_TABLE"]
    span = round(LONG.total_seconds() * 1000)
    for item in table.scan(TableName=name)["Items"]:
        if "queuedAt" in item:
            moments = {key: {"N": str(int(item[key]["N"]) - span)} for key in ("at", "queuedAt")}
            table.put_item(TableName=name, Item=item | moments)


def expected(sample: Sample) -> CoverageState:
    """The state in which a sample must end."""
    if sample.excluded:
        return CoverageState.EXCLUDED
    return CoverageState.PARTIAL if sample.expected.reasons else CoverageState.COVERED


def test_with_every_event_lost_one_sweep_brings_all_to_their_states(place: Place) -> None:
    assert document("coverage")["functions"] == 0
    due = [arn for arn, (sample, _) in place.published.items() if not sample.excluded]
    swept = place.sweep()
    assert swept["counts"]["queuedBy"] == {"missing": len(due)}
    worked = scanhub("worker", "--drain")
    assert worked.code == 0, worked.err

    assert place.states() == {arn: expected(sample) for arn, (sample, _) in place.published.items()}
    for arn in due:
        found = document("show", arn)["findings"]
        assert {cve for one in found for cve in one.get("cves", [])} == place.published[arn][0].expected.cves, arn
    begun = len(place.calls)
    again = place.sweep()
    assert (again["counts"]["queued"], again["counts"]["fresh"]) == (0, len(due))
    assert Counter(one.operation for one in place.calls[begun:])["GetFunction"] == 0


def test_with_half_of_them_lost_and_the_code_changed_meanwhile_too(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANHUB_ENABLE_TAGGING", "false")
    everything = [function for sample, function in place.published.values() if not sample.excluded]
    told = everything[::2]
    for function in told:
        traffic.put(place.deployment, function.account, function.region, [traffic.created(function)])
    assert asyncio.run(quick_worker.drained()).endings == {EndingKind.STORED: len(told)}
    fingerprints = {one.arn: document("show", one.arn)["fingerprint"] for one in told}

    # Two that were scanned get other code, one is deleted, one is deleted that nobody knew: of all that no event comes.
    changed, gone, never_known = told[:2], told[2], everything[1]
    for function in changed:
        place.update(function, zip_of({"app.py": f"# the second of {function.arn}\n"}))
    for function in (gone, never_known):
        functions = place.deployment.client("lambda", account=function.account, region=function.region)
        functions.delete_function(FunctionName=function.arn.rpartition(":")[2])

    begun = len(place.calls)
    counts = place.sweep()["counts"]
    assert Counter(one.operation for one in place.calls[begun:])["GetFunction"] == 0
    missing = len(everything) - len(told) - 1
    assert counts["queuedBy"] == {"changed": len(changed), "missing": missing}
    assert (counts["gone"], counts["fresh"]) == (1, len(told) - len(changed) - 1)

    again = place.sweep()["counts"]
    assert (again["queued"], again["waiting"], again["gone"]) == (0, len(changed) + missing, 0)

    assert asyncio.run(quick_worker.drained()).endings == {EndingKind.STORED: len(changed) + missing}
    states = dict(place.states())
    assert states.pop(gone.arn) is CoverageState.GONE
    assert never_known.arn not in states
    for arn, (sample, _) in place.published.items():
        if arn not in {gone.arn, never_known.arn}:
            assert states[arn] is (CoverageState.EXCLUDED if sample.excluded else CoverageState.COVERED), arn
    for function in changed:
        shown = document("show", function.arn)
        assert shown["fingerprint"] != fingerprints[function.arn]
        assert shown["state"] == "COVERED"


def test_requests_that_are_lost_are_made_again_once_their_time_is_up(place: Place) -> None:
    first = place.sweep()["counts"]
    empty_queues(place.deployment)
    assert place.sweep()["counts"]["waiting"] == first["queued"]
    long_ago(place.deployment)
    assert place.sweep()["counts"]["queuedBy"] == {"lost": first["queued"]}
    assert asyncio.run(quick_worker.drained()).endings == {EndingKind.STORED: first["queued"]}
    assert place.sweep()["counts"]["queued"] == 0


def test_a_function_that_comes_back_is_scanned_again(place: Place) -> None:
    sample, function = next(one for one in place.published.values() if not one[0].excluded)
    place.sweep()
    asyncio.run(quick_worker.drained())
    functions = place.deployment.client("lambda", account=function.account, region=function.region)
    functions.delete_function(FunctionName=sample.name)
    assert place.sweep()["counts"]["gone"] == 1
    assert place.states()[function.arn] is CoverageState.GONE
    publish(place.deployment, sample)
    assert place.sweep()["counts"]["queuedBy"] == {"missing": 1}
    asyncio.run(quick_worker.drained())
    assert place.states()[function.arn] is CoverageState.COVERED
    assert FunctionArn.parse(function.arn).name == sample.name
