import json
from datetime import datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hub.document import Part
from hub.sweep import summary
from hub.sweep.decision import Why
from hub.sweep.report import SweepReport
from hub.sweep.summary import (
    SummaryAccount,
    SummaryCounts,
    SummaryRegion,
    SummaryScope,
    SweepSummary,
    summary_key,
)
from hub.sweeps import SweepScope
from tests.hub.schemas import closed, published
from tests.hub.sweep.rig import PROFILE, Rig, account, covered, function, snapshot
from tests.hub.test_schemas import examples
from tests.virtual_time import run

SCOPE = SweepScope(
    accounts=(account(3), account(1), account(2)),
    regions=("eu-central-1", "us-east-1"),
    exclude=("aws-controltower-*",),
    profile_id=PROFILE,
)


async def swept() -> tuple[Rig, SweepReport]:
    """Three accounts: one with a change, one that refuses a region, one that refuses itself."""
    rig = Rig(latency=0.05)
    fresh, _, _ = rig.has(*(function(name, account=account(1)) for name in ("payments", "orders", "thumbnails")))
    await rig.knows(covered(fresh), covered(snapshot(function("away", account=account(1)))))
    rig.has(function("reports", account=account(2)))
    rig.estate.deny(account(2), "us-east-1")
    rig.estate.deny(account(3), call="functions")
    return rig, await rig.sweep(SCOPE.accounts, scope=SCOPE)


def stored() -> tuple[SweepReport, dict[str, Any]]:
    rig, report = run(swept())
    document: dict[str, Any] = json.loads(rig.objects.stored[report.summary_key].data)
    assert rig.objects.stored[report.summary_key].content_type == "application/json"
    return report, document


def test_what_is_stored_fits_the_published_schema_to_the_letter() -> None:
    _, document = stored()
    Draft202012Validator(closed("sweep")).validate(document)


def test_the_example_of_the_reference_is_what_is_written() -> None:
    (example,) = [one for one in examples() if "sweepId" in one]
    _, document = stored()
    assert document | {"sweepId": example["sweepId"]} == example
    Draft202012Validator(closed("sweep")).validate(example)


def test_it_tells_what_was_found_where() -> None:
    report, document = stored()
    assert report.run is not None
    assert document["sweepId"] == report.run.id
    assert document["scope"] == {
        "id": SCOPE.id,
        "accounts": list(SCOPE.accounts),
        "ous": [],
        "regions": ["eu-central-1", "us-east-1"],
        "exclude": ["aws-controltower-*"],
        "profileId": PROFILE,
    }
    assert document["counts"] == {
        "functions": 4,
        "fresh": 1,
        "waiting": 0,
        "excluded": 0,
        "queued": {"missing": 3, "changed": 0, "stale": 0, "profile": 0, "failed": 0, "lost": 0},
        "gone": 1,
        "outlived": 0,
        "failed": 3,
    }
    assert [(one["account"], one["counts"]["functions"]) for one in document["accounts"]] == [
        (account(1), 3),
        (account(2), 1),
        (account(3), 0),
    ]
    assert [[region["region"] for region in one["regions"]] for one in document["accounts"]] == [
        [],
        ["us-east-1"],
        ["eu-central-1", "us-east-1"],
    ]
    assert document["calls"] == report.counts.calls > 0
    assert document["functionsPerSecond"] > 0
    assert datetime.fromisoformat(document["startedAt"]) < datetime.fromisoformat(document["finishedAt"])
    assert document["startedAt"].endswith("Z")


def test_it_is_read_again() -> None:
    async def main() -> None:
        rig, report = await swept()
        assert report.run is not None
        read = await summary.read(report.run.id, rig.objects)
        assert read == SweepSummary.of(report.run.id, report)
        assert await summary.read("20260101T000000000Z-00000000", rig.objects) is None

    run(main())


def test_one_of_an_older_release_is_read() -> None:
    async def main() -> None:
        rig, report = await swept()
        assert report.run is not None
        document = json.loads(rig.objects.stored[report.summary_key].data)
        for counts in (document["counts"], *(one["counts"] for one in document["accounts"])):
            del counts["outlived"]
        assert SweepSummary.model_validate(document) == SweepSummary.of(report.run.id, report)

    run(main())


def test_a_sweep_without_functions_has_no_rate() -> None:
    async def main() -> None:
        rig = Rig()
        report = await rig.sweep(())
        assert report.run is not None
        read = await summary.read(report.run.id, rig.objects)
        assert read is not None
        assert read.functions_per_second == 0

    run(main())


def test_the_key_says_which_run() -> None:
    assert summary_key("20260101T000000000Z-1a2b3c4d") == "sweeps/20260101T000000000Z-1a2b3c4d/summary.json"


class TestSchema:
    @pytest.mark.parametrize(
        ("model", "path"),
        [
            (SweepSummary, ()),
            (SummaryScope, ("properties", "scope")),
            (SummaryCounts, ("properties", "counts")),
            (SummaryAccount, ("properties", "accounts", "items")),
            (SummaryCounts, ("properties", "accounts", "items", "properties", "counts")),
            (SummaryRegion, ("properties", "accounts", "items", "properties", "regions", "items")),
        ],
    )
    def test_its_fields_are_those_that_are_written(self, model: type[Part], path: tuple[str, ...]) -> None:
        schema: Any = published("sweep")
        for step in path:
            schema = schema[step]
        written = {field.alias for field in model.model_fields.values()}
        assert set(schema["properties"]) == set(schema["required"]) == written

    def test_every_reason_stands_there(self) -> None:
        queued = published("sweep")["properties"]["counts"]["properties"]["queued"]
        assert set(queued["required"]) == {why.value for why in Why}
