"""Invariant 12: sweeps bring every function to its true state, and do nothing that needs not be done."""

from hub.coverage import Coverage
from hub.ledger_schema import milliseconds
from hub.standing import Standing
from hub.sweep.report import SweepReport
from tests.simulation.plan import RETRY_HOURS
from tests.simulation.scene import Item, Scene, second_of
from tests.simulation.truth import PROFILE, Function

CLOCKS = 10.0
"""Seconds that the clocks of two processes, and a call under way, may make of a moment."""

ON_THE_WAY = 120.0
"""Seconds between the last request for a function and the word in the ledger that it was queued."""

RESULTS = {"COVERED", "PARTIAL"}
FAILURES = {"FAILED", "NO_ACCESS", "UNREADABLE"}


class Sweeps:
    """Watches what sweeps write and send, and what is known in the end."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._written_at: dict[str, float] = {}
        self._seen: dict[tuple[str, int], tuple[str, int] | None] = {}
        self._claimed_at: dict[str, float] = {}

    def replaces(self, coverage: Coverage, seen: Standing | None) -> None:
        """A sweep is about to write a state over the one that it has seen."""
        key = f"function#{coverage.function}", milliseconds(coverage.at)
        self._seen[key] = None if seen is None else (seen.state.value, milliseconds(seen.at))

    def account_written(self, account: str, before: Item, after: Item) -> None:
        """The item of an account was written."""
        old, new = before.get("claimOwner"), after.get("claimOwner")
        if new is None:
            if after.get("sweptAt") != before.get("sweptAt") and account in self._claimed_at:
                self._swept(account, after["outcome"], self._claimed_at[account])
            return
        if old == new:
            return
        self._claimed_at[account] = self._scene.time()
        if old is not None and (until := second_of(before["claimExpiresAt"])) > self._scene.time():
            self._scene.violated(12, f"{new} takes the claim {old} on {account}, which is live until {until:.3f}")

    def state_written(self, pk: str, before: Item, after: Item) -> None:
        """The item of a function's coverage was written."""
        scene = self._scene
        self._written_at[pk] = scene.time()
        stood = (before["state"], before.get("at", 0)) if before else None
        if self._seen.get((pk, after.get("at", 0)), stood) != stood and after.get("queuedAt") != before.get("queuedAt"):
            scene.violated(12, f"a sweep writes over {stood} on {pk}, which it has not seen")
        function = next((one for arn, one in scene.organization.functions.items() if pk == f"function#{arn}"), None)
        if function is None:
            return
        if after.get("queuedAt") != before.get("queuedAt"):
            self._queued(function, second_of(after["queuedAt"]))
        elif after["state"] == "STALE":
            scene.trace.count("sweep: result outlived")
            if self._is_sound(before, scene.time()):
                scene.violated(12, f"{function.arn} is said to be outlived, and its result is good")
            if before.get("state") not in {*RESULTS, "STALE"}:
                scene.violated(12, f"{function.arn} is said to be outlived over {stood}, which is no result")
        is_by_a_sweep = after["state"] == "GONE" and str(after.get("reason", "")).startswith("a sweep")
        if is_by_a_sweep and not function.was_absent_since(second_of(after["asOf"]) - CLOCKS):
            scene.violated(12, f"a sweep says that {function.arn} is gone, and it was there all the time")

    def sent(self, sweeper: str, function: Function, since: float) -> None:
        """A sweep has queued it; its process began at that second."""
        scene, now = self._scene, self._scene.time()
        if scene.is_never_scanned(function.arn):
            scene.violated(12, f"{sweeper} queues {function.arn}, which is excluded by its name or account")
        state = scene.state(function.arn)
        # Who has written since the sweep looked, it could not know of.
        if state is None or self._written_at.get(f"function#{function.arn}", now) >= since:
            return
        if (
            state["state"] in RESULTS
            and self._is_true_result(function, state, now)
            and self._unchanged(function, since)
        ):
            scene.violated(12, f"{sweeper} queues {function.arn}, whose result is fresh")
        heard = second_of(max(state["at"], state.get("queuedAt", 0)))
        waits = state["state"] in {"PENDING", "SCANNING", "STALE"} and not self._is_outlived(state)
        if waits and now - heard < RETRY_HOURS * 3600 - CLOCKS:
            scene.violated(12, f"{sweeper} queues {function.arn}, which waits since {heard:.3f}")
        is_of_this_code = function.now.label is not None and state.get("fingerprint") == function.content(
            function.now.label
        )
        has_just_failed = state["state"] in FAILURES and now - second_of(state["at"]) < RETRY_HOURS * 3600 - CLOCKS
        if has_just_failed and is_of_this_code and self._unchanged(function, since):
            scene.violated(12, f"{sweeper} queues {function.arn}, which has just failed")

    def last_ended(self, sweeper: str, report: SweepReport, since: float) -> None:
        """A sweep in which nothing may go wrong any more has ended; its process began at that second.

        If it goes on with an interrupted run, it tells also of what that has met where it was done: those accounts
        are not entered again before the next run.
        """
        if report.stopped:
            self._scene.violated(12, f"{sweeper}, the last sweep, is stopped: {report.stopped}")
        for problem in report.problems:
            swept_at = (self._scene.item("accounts", problem.account) or {}).get("sweptAt")
            if swept_at is None or second_of(swept_at) >= since - CLOCKS:
                self._scene.violated(12, f"{sweeper}, the last sweep, is done in part: {problem}")

    def finished(self, *, since: float) -> None:
        """The last sweep was worked off; what it had to look at was so from this second on."""
        for function in self._scene.organization.functions.values():
            fault = self._fault(function, since)
            if fault:
                self._scene.violated(12, f"{function.arn}, code {function.now.label}: {fault}")

    def _swept(self, account: str, outcome: Item, since: float) -> None:
        """An account was gone over, from that second on: nothing that is not good any more counts, or is forgotten."""
        for function in self._scene.organization.functions.values():
            arn = function.arn
            state = self._scene.state(arn)
            problem = outcome["regions"].get(arn.region, {}).get("problem", outcome["problem"])
            if (
                arn.account != account
                or state is None
                or self._written_at.get(f"function#{arn}", since) >= since
                # Between two lists it may have gone and come: then this sweep has not decided on it.
                or function.was_absent_since(since - CLOCKS)
                or "the queue did not take" in problem
            ):
                continue
            if state["state"] in RESULTS and not self._is_sound(state, since - 2 * CLOCKS):
                self._scene.violated(12, f"{arn} was swept, and is {state['state']} by a result that is not good")
            if self._is_outlived(state) and not problem:
                self._scene.violated(12, f"{arn} was listed, and is outlived since {second_of(state['at']):.3f}")

    def _is_sound(self, state: Item, second: float) -> bool:
        """Whether the result counts, and by its age and profile should, from that second on."""
        return (
            state.get("state") in RESULTS
            and state.get("profileId") == PROFILE.id
            and second_of(state.get("freshUntil", 0)) > second + CLOCKS
        )

    def _is_outlived(self, state: Item) -> bool:
        """Whether it says that its result does not count, and nobody has queued it since."""
        return bool(state["state"] == "STALE" and state.get("queuedAt", 0) < state["at"])

    def _queued(self, function: Function, queued_at: float) -> None:
        """What is said to be queued is: a worker that comes at this moment finds the message, or its result."""
        sent = [
            letter.sent_at
            for letter in self._scene.letters.values()
            if letter.function is function and letter.sending.queue == "sweep"
        ]
        if not any(queued_at - ON_THE_WAY <= one <= queued_at + CLOCKS for one in sent):
            self._scene.violated(12, f"{function.arn} is said to be queued at {queued_at:.3f}, and was not sent")

    def _unchanged(self, function: Function, since: float) -> bool:
        return function.label_changed_at() < since - CLOCKS

    def _is_true_result(self, function: Function, state: Item, now: float) -> bool:
        return bool(
            function.now.label is not None
            and state.get("fingerprint") == function.content(function.now.label)
            and state.get("profileId") == PROFILE.id
            and second_of(state.get("freshUntil", 0)) > now + CLOCKS
        )

    def _fault(self, function: Function, since: float) -> str:
        """What is wrong with what is known of one function; empty if nothing is."""
        state = self._scene.state(function.arn)
        known = state["state"] if state is not None else ""
        if function.now.label is None:
            return "" if known in {"", "GONE"} else f"it does not exist, and its state is {known}"
        if self._scene.is_excluded(function):
            return "" if known == "EXCLUDED" else f"it is excluded, and its state is {known or 'unknown'}"
        if state is None:
            return "nothing is known of it"
        if known in RESULTS:
            if not self._is_true_result(function, state, since):
                return f"its state is {known} of {state.get('fingerprint', '')[:12]} until {state.get('freshUntil')}"
            item = self._scene.scan_items(function.arn).get(state["fingerprint"])
            return "" if item is not None and self._scene.is_durable(item) else "no result of it is durable"
        expected = "UNREADABLE" if function.unreadable else "FAILED" if function.never_ready or function.scan else ""
        return "" if known == expected else f"its state is {known}: {state.get('reason')}"
