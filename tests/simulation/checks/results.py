"""Invariants 4 and 5: a result is of one function and of the code that was read; no state goes back in time."""

from tests.simulation.scene import Item, Run, Scene

DOUBTFUL = {"code_changed", "code_not_verified"}
"""Reasons by which a partial result says itself that it may be of other code."""

LAST_WORDS = {"FAILED", "UNREADABLE", "EXCLUDED"}
CLOCKS = 10_000
"""Milliseconds. What two workers write within so many of each other, may have been written the other way round."""


class ResultsCheck:
    """Reads what is written to the bucket and to the table."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def scan_started(self, run: Run) -> None:
        session = self._scene.organization.sessions.get(run.session)
        if session is None or session.function != run.function:
            self._scene.violated(4, f"the scan of {run.function} was given a session for {session}")

    def stored(self, worker: str, key: str) -> None:
        """An object was written."""
        if not key.endswith("/manifest.json"):
            return
        manifest = self._scene.document(key)
        function = manifest["function"]
        prefix = "/".join(("scans", function["account"], function["region"], function["name"], manifest["scanId"]))
        if key != f"{prefix}/manifest.json":
            self._scene.violated(4, f"{key} holds the manifest of {prefix}")
            return
        for file in manifest["files"]:
            if not file["key"].startswith(f"{prefix}/") or self._scene.objects(file["key"]) is None:
                self._scene.violated(3, f"{key} names {file['key']}, which is not there")
        self._scene.trace.count(f"result: {' '.join((manifest['status'], *manifest['reasons']))}")
        if manifest["status"] != "failed":
            self._markers(worker, key, manifest)

    def _markers(self, worker: str, key: str, manifest: Item) -> None:
        arn = manifest["function"]["arn"]
        inventory = self._scene.document(key.replace("manifest.json", "sbom.cdx.json"))
        label = inventory["components"][0]["name"] if inventory else ""
        scanned = [
            run
            for run in self._scene.runs
            if run.worker == worker and str(run.function) == arn and run.marker == label and run.is_over
        ]
        if not scanned:
            self._scene.violated(4, f"{key} is of {arn}, but holds what was read elsewhere: {label}")
            return
        truth = self._scene.organization.functions[scanned[0].function]
        if truth.content(label) != manifest["fingerprint"] and DOUBTFUL.isdisjoint(manifest["reasons"]):
            self._scene.violated(4, f"{key} says {manifest['fingerprint'][:12]}, but {label} was read")

    def committed(self, pk: str, sk: str, before: Item, after: Item) -> None:
        """An item of a scan key was written."""
        summary = after.get("summary")
        if summary is None or summary == before.get("summary"):
            return
        manifest = self._scene.document(summary["manifestKey"])
        if not manifest:
            self._scene.violated(3, f"{pk} has a result whose manifest is not there: {summary['manifestKey']}")
        elif (pk, sk.split("#")[1]) != (f"function#{manifest['function']['arn']}", manifest["fingerprint"]):
            self._scene.violated(4, f"{pk} {sk} has the result of {manifest['function']['arn']}")
        elif summary["status"] != manifest["status"]:
            self._scene.violated(4, f"{pk} has status {summary['status']}, its manifest {manifest['status']}")

    def state_written(self, pk: str, before: Item, after: Item) -> None:
        """The item of a function's coverage was written."""
        # The list shows what GONE denies: it says so in the list's words, whatever moment GONE speaks of.
        is_found_again = before.get("state") == "GONE" and before.get("queuedAt") != after.get("queuedAt")
        if before.get("asOf", 0) > after.get("asOf", 0) and not is_found_again:
            self._scene.violated(5, f"{pk} spoke of {before['asOf']}, now of {after.get('asOf')}")
        if "lastGood" in before and "lastGood" not in after:
            self._scene.violated(5, f"{pk} has lost its last good result")
        if _hides_a_last_word(before, after):
            self._scene.violated(5, f"{pk} was {before['state']}, and is {after['state']} by a clock that may be ahead")


def _hides_a_last_word(before: Item, after: Item) -> bool:
    """Whether nobody may come to say once more what has been said; a sweep that queues the function knows it."""
    return (
        before.get("state") in LAST_WORDS
        and after.get("state") in {"PENDING", "SCANNING"}
        and before.get("asOf") == after.get("asOf")
        and before.get("queuedAt") == after.get("queuedAt")
        and bool(after["at"] <= before["at"] + CLOCKS)
    )
