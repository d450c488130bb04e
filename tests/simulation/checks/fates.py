"""Invariants 1 and 3: every message ends in one way, for a true reason, and only when its result is durable."""

from hub.message import Message, Parking
from tests.simulation.checks.leases import Leases
from tests.simulation.scene import Item, Letter, Scene, second_of

MALFORMED = {
    "not_json", "not_an_object", "too_large", "too_deep", "missing_field", "wrong_type", "bad_arn", "bad_account",
    "bad_region", "bad_time", "bad_reason",
}  # fmt: skip

ATTEMPTS = 5
LIMITS = {
    "scanner_crashed": ATTEMPTS,
    "no_access": ATTEMPTS,
    "session_refused": ATTEMPTS,
    "unexpected": ATTEMPTS,
    "worker_died": ATTEMPTS,
    "gone": ATTEMPTS,
    "throttled": 4 * ATTEMPTS,
    "unavailable": 4 * ATTEMPTS,
    "host_fault": 3,
    "misconfigured": 3,
    "result_unwritable": 2,
    "not_ready": 15,
    "code_changed": 3,
    "unreadable": 1,
}
"""Failures of a kind after which a message may be parked; none for Qualys's sake: that is the circuit's."""


class Fates:
    """Follows every message to its end."""

    def __init__(self, scene: Scene, leases: Leases) -> None:
        self._scene = scene
        self._leases = leases
        self._taken_at: dict[str, float] = {}

    def taken(self, message: Message) -> None:
        """One delivery."""
        self._taken_at[message.receipt_handle] = self._scene.time()

    def deleted(self, worker: str, message: Message) -> None:
        """It is gone from the queue."""
        letter = self._scene.letters[message.id]
        since = self._taken_at[message.receipt_handle]
        ending = self._true_ending(letter, since)
        if ending is None:
            self._scene.violated(3, f"{worker} deletes message {letter.id} without a result: {letter.function.arn}")
            return
        owed = self._own_effects_owed(letter)
        if owed:
            self._scene.violated(3, f"{worker} deletes message {letter.id}, whose result still owes {owed}")
        letter.ending = ending
        self._scene.trace.count(f"ending: {ending}")

    def parked(self, worker: str, message: Message, parking: Parking, *, effective: bool) -> None:
        """It is in the dead-letter queue."""
        letter = self._scene.letters[message.id]
        fault = self._parked_wrongly(letter, parking)
        if fault:
            self._scene.violated(1, f"{worker} parks message {letter.id} for {parking.reason!r}: {fault}")
        if effective:
            letter.ending = "parked"
        self._scene.trace.count(f"parked: {parking.reason}")

    def finished(self) -> None:
        """All is quiet: what has become of everything?"""
        for letter in self._scene.letters.values():
            seen = {letter.id}
            end = letter
            while end.ending == "coalesced" and end.into not in seen:
                seen.add(end.into)
                end = self._scene.letters[end.into]
            if end.ending in {"", "coalesced"}:
                self._scene.violated(1, f"message {letter.id} has vanished: {letter.function.arn}")
        for function in self._scene.organization.functions.values():
            fault = self._not_covered(function.arn)
            if fault:
                self._scene.violated(1, f"{function.arn}, code {function.now.label}: {fault}")

    def _true_ending(self, letter: Letter, since: float) -> str | None:
        kind = letter.sending.kind
        if kind in {"failed call", "tagging"}:
            return "ignored"
        if kind in {"malformed", "mismatch"}:
            return None
        function, state = letter.function, self._scene.state(letter.function.arn)
        if self._scene.is_excluded(function):
            if state is not None:
                return "excluded"
        elif (covered := self._covering(letter, since)) is not None:
            return covered
        if function.was_absent_since(since) and state is not None and _tells_of_absence(state, since):
            return "gone"
        return self._coalesced(letter, since)

    def _covering(self, letter: Letter, since: float) -> str | None:
        function = letter.function
        contents = function.contents_since(letter.sending.about)
        if letter.content is not None:
            contents.add(letter.content)
        for content, item in self._scene.scan_items(function.arn).items():
            if content not in contents or not self._scene.is_durable(item):
                continue
            own = item.get("committedBy") == letter.id
            summary = item["summary"]
            if letter.sending.force and not own and second_of(summary["completedAt"]) < letter.sent_at - 3:
                continue
            # Whoever read it as fresh did so at some time since the receive, by a clock that may be three seconds off.
            if own or second_of(summary["freshUntil"]) > since - 3:
                return "stored" if own else "covered"
        return None

    def _coalesced(self, letter: Letter, since: float) -> str | None:
        contents = letter.function.contents_since(since)
        for claim in reversed(self._leases.of(letter.function.arn)):
            if claim.message != letter.id and claim.content in contents and claim.was_live_since(since):
                letter.into = claim.message
                return "coalesced"
        return None

    def _own_effects_owed(self, letter: Letter) -> set[str]:
        """Of the result that this message brought, if it is the one of the code that the function has.

        What an earlier delivery has stored for code that was replaced meanwhile is told of no more.
        """
        contents = letter.function.contents_since(self._scene.time())
        return {
            effect
            for content, item in self._scene.scan_items(letter.function.arn).items()
            if content in contents and item.get("committedBy") == letter.id
            for effect in item.get("owed", ())
        }

    def _parked_wrongly(self, letter: Letter, parking: Parking) -> str:
        kind, reason = letter.sending.kind, parking.reason
        if kind == "malformed":
            return "" if reason in MALFORMED else "its body cannot be read"
        if kind == "mismatch":
            return "" if reason == "account_mismatch" else "its envelope is of another account"
        counts = {one.reason: sum(other.reason == one.reason for other in parking.history) for one in parking.history}
        if reason == "effects_owed":
            own = [
                item
                for item in self._scene.scan_items(letter.function.arn).values()
                if item.get("committedBy") == letter.id and item.get("owed")
            ]
            if not own:
                return "it owes nothing"
            return "" if any(counts.get(one, 0) >= limit for one, limit in LIMITS.items()) else f"after {counts}"
        if reason not in LIMITS:
            return "that is no reason to park"
        if counts.get(reason, 0) < LIMITS[reason]:
            return f"its history has {counts}"
        return self._not_in_the_ledger(letter, parking)

    def _not_in_the_ledger(self, letter: Letter, parking: Parking) -> str:
        tries: Item = self._scene.item(f"message#{letter.id}", "tries") or {}
        noted = {name for name in tries if name.startswith("try#")}
        told = {f"try#{one.attempt:04}#{one.reason}" for one in parking.history}
        # Another delivery of it may have failed since this one looked.
        return "" if told and told <= noted else f"the ledger has {sorted(noted)}, its history {sorted(told)}"

    def _not_covered(self, arn: object) -> str:
        """What is wrong with the final state of one function; empty if nothing is."""
        scene = self._scene
        function = next(one for one in scene.organization.functions.values() if one.arn == arn)
        if scene.is_excluded(function):
            return ""
        changed_at = function.label_changed_at()
        told = [
            letter
            for letter in scene.letters.values()
            if letter.function is function
            and letter.sending.kind in {"event", "request"}
            and letter.sending.about >= changed_at
        ]
        if not told or any(self._end_of(letter).ending == "parked" for letter in told):
            return ""
        state = scene.state(function.arn)
        if state is None:
            return "nothing is known of it"
        # What was parked for this function, has the last word on its state: NO_ACCESS, FAILED, UNREADABLE.
        is_spoilt = any(
            letter.function is function and letter.ending == "parked" and letter.sending.kind in {"event", "request"}
            for letter in scene.letters.values()
        )
        if function.now.label is None:
            return (
                "" if state["state"] == "GONE" or is_spoilt else f"it does not exist, and its state is {state['state']}"
            )
        content = function.content(function.now.label)
        item = scene.scan_items(function.arn).get(content)
        if item is None or not scene.is_durable(item):
            return "no result of it is durable"
        covered = state["state"] in {"COVERED", "PARTIAL"} and state.get("fingerprint") == content
        if not covered and not is_spoilt:
            return f"its state is {state['state']} of {state.get('fingerprint', '')[:12]}, as of {state.get('asOf')}"
        return ""

    def _end_of(self, letter: Letter) -> Letter:
        seen: set[str] = set()
        while letter.ending == "coalesced" and letter.into not in seen:
            seen.add(letter.into)
            letter = self._scene.letters[letter.into]
        return letter


def _tells_of_absence(state: Item, since: float) -> bool:
    """Whether it says so, or speaks of a later moment."""
    return bool(state["state"] == "GONE" or second_of(state.get("asOf", 0)) >= since - 20)
