"""What must be true after the main job has run: the same on every local cloud."""

import json
from datetime import datetime

from jsonschema import Draft202012Validator

from hub.coverage import CoverageState
from hub.scans import Severity
from infra.local.scenario import NOT_JSON
from tests.e2e.main_job import Aftermath
from tests.hub.schemas import published
from worker.trip import EndingKind


class MainJob:
    """Collected by whoever gives a fixture `aftermath`."""

    def test_every_sample_has_the_findings_that_it_really_has(self, aftermath: Aftermath) -> None:
        for arn, sample in aftermath.scenario.functions.items():
            if sample.excluded:
                continue
            findings = aftermath.documents(sample.name, "findings.jsonl")
            assert {cve for one in findings for cve in one.get("cves", [])} == sample.expected.cves, arn
            assert sum(one["kind"] == "secret" for one in findings) == sample.expected.secrets, arn
            assert all(one["functionArn"] == arn for one in findings), arn
            assert len(aftermath.documents(sample.name, "packages.jsonl")) == sample.expected.packages, arn

    def test_every_sample_has_its_state_in_the_ledger(self, aftermath: Aftermath) -> None:
        for arn, sample in aftermath.scenario.functions.items():
            coverage = aftermath.coverages[arn]
            if sample.excluded:
                assert coverage.state is CoverageState.EXCLUDED
                assert coverage.last_good is None
                continue
            partial = bool(sample.expected.reasons)
            assert coverage.state is (CoverageState.PARTIAL if partial else CoverageState.COVERED), arn
            assert coverage.last_good is not None
            assert coverage.last_good.status is sample.expected.status
            assert coverage.last_good.reasons == sample.expected.reasons
            assert coverage.last_good.manifest_key in aftermath.objects

    def test_a_function_that_was_deleted_meanwhile_is_gone(self, aftermath: Aftermath) -> None:
        assert aftermath.coverages[aftermath.scenario.gone].state is CoverageState.GONE
        assert not any("/nightly-cleanup/" in key for key in aftermath.objects)

    def test_each_scan_left_its_files_and_a_manifest_that_lists_them(self, aftermath: Aftermath) -> None:
        for sample in aftermath.scenario.functions.values():
            if sample.excluded:
                continue
            [manifest] = aftermath.documents(sample.name, "manifest.json")
            Draft202012Validator(published("manifest")).validate(manifest)
            names = {one["name"] for one in manifest["files"]}
            assert names >= {
                "scan-result.json",
                "report.sarif.json",
                "sbom.cdx.json",
                "sbom.spdx.json",
                "findings.jsonl",
                "packages.jsonl",
            }
            assert all(len(aftermath.objects[one["key"]]) == one["size"] for one in manifest["files"])

    def test_findings_and_packages_are_what_their_schemas_say(self, aftermath: Aftermath) -> None:
        for key, content in aftermath.objects.items():
            for file, name in (("findings.jsonl", "finding"), ("packages.jsonl", "package")):
                if key.endswith(file):
                    validator = Draft202012Validator(published(name))
                    for line in content.splitlines():
                        validator.validate(json.loads(line))

    def test_one_scan_each_although_events_came_twice(self, aftermath: Aftermath) -> None:
        manifests = [key for key in aftermath.objects if key.endswith("/manifest.json")]
        scanned = [sample for sample in aftermath.scenario.functions.values() if not sample.excluded]
        assert len(manifests) == len(scanned)
        assert aftermath.tally.endings[EndingKind.STORED] == len(scanned)
        together = aftermath.tally.endings.get(EndingKind.COALESCED, 0) + aftermath.tally.endings.get(
            EndingKind.COVERED, 0
        )
        assert together == aftermath.scenario.sent["duplicates"]

    def test_every_message_is_accounted_for_and_the_queue_is_empty(self, aftermath: Aftermath) -> None:
        assert aftermath.left == (0, 0, 0)
        assert sum(aftermath.tally.endings.values()) == aftermath.scenario.deliveries
        # The rules keep away what a worker would only ignore.
        assert EndingKind.IGNORED not in aftermath.tally.endings
        assert aftermath.tally.endings[EndingKind.EXCLUDED] == 1
        assert aftermath.tally.endings[EndingKind.GONE] == 2

    def test_what_cannot_be_read_is_parked_with_its_reason(self, aftermath: Aftermath) -> None:
        reasons = sorted(attributes["reason"] for _, attributes in aftermath.parked)
        assert tuple(reasons) == aftermath.scenario.parked
        bodies = {attributes["reason"]: body for body, attributes in aftermath.parked}
        assert bodies["not_json"] == NOT_JSON
        for _, attributes in aftermath.parked:
            assert attributes["attempts"] == "1"
            assert attributes["detail"]
            assert datetime.fromisoformat(attributes["parkedAt"]).tzinfo is not None

    def test_scanned_functions_are_tagged_and_no_others(self, aftermath: Aftermath) -> None:
        for arn, sample in aftermath.scenario.functions.items():
            tags = dict(aftermath.tags[arn])
            own = {name: tags.pop(name) for name in list(tags) if name.startswith("QualysScan")}
            excluding = own.pop("QualysScanExclude", None)
            assert tags == {name: value for name, value in sample.tags.items() if name != "QualysScanExclude"}
            if sample.excluded:
                assert (own, excluding) == ({}, "true")
                continue
            assert set(own) == {"QualysScanTimestamp", "QualysScanStatus", "QualysScanTag"}
            assert own["QualysScanStatus"] == sample.expected.status.value

    def test_somebody_is_told_of_what_is_worth_it(self, aftermath: Aftermath) -> None:
        told = {}
        for notification in aftermath.notifications:
            document = json.loads(notification["Message"])
            told[document["functionArn"]] = document
        worth = {
            arn
            for arn, coverage in aftermath.coverages.items()
            if coverage.last_good is not None
            and (
                coverage.last_good.secrets
                or any(coverage.last_good.severities.get(level) for level in (Severity.CRITICAL, Severity.HIGH))
            )
        }
        assert set(told) == worth
        assert len(aftermath.notifications) == len(worth), "one message a scan"
        assert aftermath.arn("orders-api") in worth
        assert aftermath.arn("health-check") not in worth

    def test_no_secret_is_anywhere(self, aftermath: Aftermath) -> None:
        places = {
            "the log": aftermath.log,
            "argv": aftermath.argv,
            "the results": "\n".join(one.decode(errors="replace") for one in aftermath.objects.values()),
            "the keys of results": "\n".join(aftermath.objects),
            "the ledger": json.dumps(aftermath.items, default=str),
            "the tags": json.dumps(dict(aftermath.tags)),
            "the notifications": json.dumps(aftermath.notifications),
            "the dead-letter queue": json.dumps([(body, dict(attributes)) for body, attributes in aftermath.parked]),
        }
        assert all(places.values()), "an empty place would prove nothing"
        assert aftermath.secrets["token"] in aftermath.environment, "the token was really in use"
        assert aftermath.secrets["external id"] not in aftermath.environment
        for name, secret in aftermath.secrets.items():
            assert len(secret) >= 16
            for place, text in places.items():
                assert secret not in text, f"the {name} is in {place}"

    def test_the_scanner_leaves_nothing_behind(self, aftermath: Aftermath) -> None:
        # The locks of the slots stay: they are empty.
        assert [path.name for path in aftermath.leftovers if path.suffix != ".lock" or path.stat().st_size] == []
