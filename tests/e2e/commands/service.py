"""`scanhub status`, `pause`, `resume` and `show` in a town."""

import asyncio

from tests.e2e import quick_worker
from tests.e2e.commands.places import SPOKES, waiting
from tests.e2e.course import Course
from tests.e2e.town import BY_TAG, Town, document, invoke
from tests.scanhub.promised import promised
from worker.trip import EndingKind


class TestStatusAndPause:
    def test_status_tells_of_queues_workers_and_sweeps(self, quiet: Town, told: Course) -> None:
        document("scan", quiet.arn("service-040"))
        status = promised("status", document("status"))
        assert status["queues"]["changes"]["visible"] == 1
        assert "quick-worker" in {one["id"] for one in status["workers"]}
        assert status["lastSweep"]["counts"]["functions"] == len(quiet.members)
        assert status["lastSweep"]["sweepId"] >= told.partial["sweepId"]
        assert (status["paused"], status["runningSweep"], status["circuitOpen"]) == (None, None, False)
        assert status["versions"]["scanner"] == ["memory 1.0.0"]
        shown = invoke("status").stdout
        assert f"5 of 5 accounts, {len(quiet.members)} functions" in shown

    def test_a_paused_service_takes_nothing_and_goes_on_afterwards(self, quiet: Town) -> None:
        function = quiet.arn("service-042")
        document("scan", function)
        document("pause", "--because", "the registry is down")
        try:
            swept = promised("sweep", document("sweep", code=1))
            assert "paused" in swept["stopped"]
            assert "the registry is down" in swept["stopped"]
            assert swept["counts"]["functions"] == 0
            assert "The sweep was not done" in invoke("sweep").stdout
            assert document("sweep", "--dry-run", "--accounts", SPOKES[0])["counts"]["functions"]
            tally = asyncio.run(quick_worker.drained())
            assert tally.endings == {}
            assert tally.paused is not None
            assert waiting()["changes"] == 1
            assert promised("status", document("status"))["paused"]["reason"] == "the registry is down"
            assert "PAUSED since" in invoke("status").stdout
        finally:
            assert document("resume")["wasPaused"]
        assert asyncio.run(quick_worker.drained()).endings == {EndingKind.COVERED: 1}
        assert document("status")["paused"] is None


class TestShow:
    def test_it_shows_the_result_and_its_findings(self, town: Town) -> None:
        shown = document("show", town.arn("service-006"))
        assert shown["state"] == "COVERED"
        assert {cve for one in shown["findings"] for cve in one["cves"]} == {"CVE-2018-18074"}

    def test_a_function_without_a_result_has_a_reason(self, town: Town) -> None:
        excluded = document("show", town.arn(BY_TAG[0]))
        assert (excluded["state"], excluded["lastGood"]) == ("EXCLUDED", None)
        assert "QualysScanExclude" in excluded["reason"]
        waiting = document("show", town.arn("batch-03"))
        assert (waiting["state"], waiting["reason"]) == ("PENDING", "queued by a sweep: it has no result")
