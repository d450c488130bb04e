"""The functions as they are at the start, and what the ledger and the bucket hold of them by then."""

from datetime import timedelta

from hub.coverage import Coverage, CoverageState
from hub.results import Results
from hub.scanned import Artifact, ArtifactName, Scanned
from hub.scans import Claimed, ScanKey, ScanStatus
from tests.simulation.grounds import Grounds
from tests.simulation.plan import AGED_AT, FunctionPlan
from tests.simulation.truth import EXCLUDED_TAG, PROFILE, Function, Version, moment
from worker.memory.artifacts import artifacts_of, sarif, scan_result

BEFORE = 300.0
"""Seconds before the start at which the functions came to be that exist then."""

FAILED_BEFORE = 200.0
"""Seconds before the start at which the last try failed of what has failed by then."""

TTL = timedelta(days=30)
"""For so long a result is good."""

SCANNED_BEFORE = {
    "fresh": timedelta(days=1),
    "ageing": TTL - timedelta(seconds=AGED_AT),
    "old": timedelta(days=40),
}
"""By what is known of a function at the start."""


async def settle_in(function: FunctionPlan, grounds: Grounds) -> None:
    """Put the function into its account and, if it is to be known, a result of it into the stores."""
    label = f"{function.arn.name}-0"
    grounds.organization.functions[function.arn] = Function(
        arn=function.arn,
        layers=function.layers,
        is_image=function.is_image,
        unreadable=function.unreadable,
        never_ready=function.never_ready,
        tags={EXCLUDED_TAG: "true"} if function.excluded_by_tag else {},
        scan=function.scan,
        history=[Version(-BEFORE, label if function.exists else None, moment(-BEFORE))],
    )
    if function.ledger == "failed" and function.exists:
        await _note_a_failure(function, grounds)
    elif function.ledger and function.exists:
        await _store_a_result(function, label, grounds)


async def _note_a_failure(function: FunctionPlan, grounds: Grounds) -> None:
    snapshot = grounds.organization.describe(function.arn, 0.0)
    failure = Coverage(
        function=function.arn,
        state=CoverageState.FAILED,
        reason="scanner_crashed",
        at=moment(-FAILED_BEFORE),
        as_of=snapshot.last_modified,
        fingerprint=snapshot.fingerprint,
    )
    await grounds.ledger.record(failure)


async def _store_a_result(function: FunctionPlan, label: str, grounds: Grounds) -> None:
    scanned_at = moment(0) - SCANNED_BEFORE[function.ledger]
    snapshot = grounds.organization.describe(function.arn, 0.0)
    key = ScanKey(function.arn, snapshot.fingerprint, PROFILE.id)
    claim = await grounds.ledger.claim(key, message_id="before", now=scanned_at, duration=timedelta(minutes=3))
    if not isinstance(claim, Claimed):
        raise RuntimeError("nobody else is there")  # noqa: TRY004  # no argument has a wrong type
    summary = await Results(grounds.objects, now=lambda: scanned_at).store(
        snapshot=snapshot,
        profile=PROFILE,
        scan_id=f"{scanned_at:%Y%m%dT%H%M%S}000Z-00000000",
        scanned=Scanned(
            status=ScanStatus.SUCCESS,
            exit_code=0,
            started_at=scanned_at,
            finished_at=scanned_at,
            artifacts=_artifacts(label),
        ),
        ttl=TTL,
    )
    coverage = Coverage(
        function=function.arn,
        state=CoverageState.COVERED,
        at=scanned_at,
        as_of=snapshot.last_modified,
        fingerprint=snapshot.fingerprint,
    )
    await grounds.ledger.commit(claim.lease, summary, coverage, owed=())


def _artifacts(label: str) -> tuple[Artifact, ...]:
    component = f'{{"type": "library", "name": "{label}", "version": "1.0.0", "purl": "pkg:pypi/{label}@1.0.0"}}'
    inventory = f'{{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [{component}]}}'
    return artifacts_of(
        {
            ArtifactName.SCAN_RESULT: scan_result((), (), tag=None),
            ArtifactName.SARIF: sarif(()),
            ArtifactName.CYCLONEDX: inventory.encode(),
        }
    )
