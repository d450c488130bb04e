"""Every invariant can fire: what must not happen is fed to the oracle by hand."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from hub.ledger_schema import Key
from hub.message import Message, Parking
from hub.notification import Notification, NotificationKind
from hub.scans import Lease, ScanKey
from hub.tries import Failure
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot
from tests.simulation.line import Line, Weather
from tests.simulation.loop import Host, HostState
from tests.simulation.oracle import Oracle
from tests.simulation.plan import Rates, Sending, plan
from tests.simulation.scanner import PROFILE
from tests.simulation.scene import Item, Letter, Machine, Run, Scene
from tests.simulation.shared import WatchedItems
from tests.simulation.trace import Trace
from tests.simulation.truth import START, Function, Organization, Session, Version, code_hash, content_id, moment

ARN = FunctionArn("aws", "eu-central-1", "210000000001", "orders-1")
PK = f"function#{ARN}"
CONTENT = content_id(code_hash("orders-1-0"), ())
OTHER = content_id(code_hash("orders-1-1"), ())
SCAN_SK = f"scan#{CONTENT}#{PROFILE.id}"
PREFIX = f"scans/{ARN.account}/{ARN.region}/{ARN.name}/20260101T000000000Z-00000000"


@dataclass
class Court:
    """An oracle with a world that is made by hand."""

    oracle: Oracle
    scene: Scene
    now: list[float]
    objects: dict[str, bytes]
    timers: list[tuple[float, Callable[[], None]]]
    visible: dict[str, tuple[str, float]] = field(default_factory=dict)
    protects: bool = True

    @property
    def verdict(self) -> str:
        return str(self.scene.violation) if self.scene.violation is not None else ""

    def passes(self, seconds: float) -> None:
        """Time goes by, and whatever was to be looked at later is."""
        until = self.now[0] + seconds
        while due := [timer for timer in self.timers if timer[0] <= until]:
            timer = min(due, key=lambda one: one[0])
            self.timers.remove(timer)
            self.now[0] = max(self.now[0], timer[0])
            timer[1]()
        self.now[0] = until

    def write(self, sk: str, item: dict[str, Any], pk: str = PK) -> None:
        assert isinstance(self.scene.items, WatchedItems)
        self.scene.items[Key(pk, sk)] = item

    def lease(self, owner: str, message: str, *, until: float, **more: Any) -> dict[str, Any]:
        expires = int((START.timestamp() + until) * 1000)
        return {"leaseOwner": owner, "leaseMessageId": message, "leaseExpiresAt": expires, **more}

    def claim(self, worker: str, owner: str, message: str, *, until: float) -> None:
        self.write(SCAN_SK, self.lease(owner, message, until=until))
        self.oracle.claimed(worker, Lease(ScanKey(ARN, CONTENT, PROFILE.id), message, owner, moment(until)))

    def scan(self, worker: str, owner: str = "owner-1", message: str = "m1", *, until: float = 180) -> Run:
        self.claim(worker, owner, message, until=until)
        return self.start_scan(worker)

    def start_scan(self, worker: str, arn: FunctionArn = ARN) -> Run:
        if self.protects:
            self.oracle.protected(worker, until=self.now[0] + 1800)
        session = f"ASIA{len(self.scene.runs)}"
        self.scene.organization.sessions[session] = Session(arn, 1e9)
        return self.oracle.scan_started(worker, self.snapshot(arn), session)

    def snapshot(self, arn: FunctionArn = ARN) -> FunctionSnapshot:
        return self.scene.organization.describe(arn, self.now[0])

    def result(self, *, content: str = CONTENT, marker: str = "orders-1-0", reasons: tuple[str, ...] = ()) -> str:
        """Put the files of a result into the bucket; the key of its manifest."""
        files = [{"name": "sbom.cdx.json", "key": f"{PREFIX}/sbom.cdx.json"}]
        manifest = {
            "scanId": PREFIX.rpartition("/")[2],
            "function": {"arn": str(ARN), "account": ARN.account, "region": ARN.region, "name": ARN.name},
            "fingerprint": content,
            "status": "partial" if reasons else "success",
            "reasons": list(reasons),
            "files": files,
        }
        self.objects[f"{PREFIX}/sbom.cdx.json"] = json.dumps({"components": [{"name": marker}]}).encode()
        self.objects[f"{PREFIX}/manifest.json"] = json.dumps(manifest).encode()
        return f"{PREFIX}/manifest.json"

    def summary(self, **changes: Any) -> dict[str, Any]:
        milliseconds = int(START.timestamp() * 1000)
        return {
            "scanId": PREFIX.rpartition("/")[2],
            "status": "success",
            "manifestKey": self.result(),
            "completedAt": milliseconds,
            "freshUntil": milliseconds + 86_400_000,
            **changes,
        }

    def send(self, message_id: str = "m1", **sending: Any) -> Message:
        said = Sending(**{"kind": "event", "function": 0, "call": "update", **sending})
        function = self.scene.organization.functions[ARN]
        self.scene.letters[message_id] = Letter(message_id, said, function, self.now[0])
        return Message(message_id, "", f"{message_id}#1", 1, moment(self.now[0]), moment(self.now[0]))

    def deliver(self, worker: str, *messages: Message) -> None:
        self.oracle.taken(worker, messages)
        self.oracle.received(worker, messages)


@pytest.fixture
def court() -> Court:
    now = [0.0]
    trace = Trace(lambda: now[0])
    objects: dict[str, bytes] = {}
    timers: list[tuple[float, Callable[[], None]]] = []
    visible: dict[str, tuple[str, float]] = {}
    organization = Organization(Random(1))  # noqa: S311  # repeatable on purpose
    organization.functions[ARN] = Function(ARN, history=[Version(-300, "orders-1-0", moment(-300))])

    def written(pk: str, sk: str, before: Item, after: Item) -> None:
        oracle.item_written(pk, sk, before, after)

    decided = replace(
        plan(0), slots=2, cap=1, visibility=60, lease=180, drain=20, rates=Rates(), happenings=(), skews=(0.0, 0.0)
    )
    scene = Scene(
        plan=decided,
        trace=trace,
        time=lambda: now[0],
        organization=organization,
        items=WatchedItems(written),
        objects=objects.get,
        queued=visible.get,
        later=lambda seconds, act: timers.append((now[0] + seconds, act)),
        on_violation=lambda: None,
    )
    oracle = Oracle(scene)
    for name in ("w1", "w2"):
        host = Host(name)
        line = Line(host, name, organization._rng, Rates(), Weather(), trace, lambda _why: None)
        oracle.started(name, Machine(host, line, 0.0))
    return Court(oracle, scene, now, objects, timers, visible)


def test_1_a_message_that_vanished(court: Court) -> None:
    court.send()
    court.oracle.finished()
    assert court.verdict.startswith("invariant 1: message m1 has vanished")


def test_1_two_messages_that_were_coalesced_into_each_other(court: Court) -> None:
    for one, other in (("m1", "m2"), ("m2", "m1")):
        court.send(one)
        court.scene.letters[one].ending, court.scene.letters[one].into = "coalesced", other
    court.oracle.finished()
    assert court.verdict.startswith("invariant 1: message m1 has vanished")


def test_1_a_function_whose_last_event_came_and_that_has_no_result(court: Court) -> None:
    court.send()
    court.scene.letters["m1"].ending = "covered"
    court.write("state", {"state": "COVERED", "fingerprint": CONTENT, "asOf": 1})
    court.oracle.finished()
    assert court.verdict.endswith("no result of it is durable")


def test_1_a_function_whose_state_hides_its_result(court: Court) -> None:
    court.send()
    court.scene.letters["m1"].ending = "covered"
    court.write(SCAN_SK, {"summary": court.summary()})
    court.write("state", {"state": "PENDING", "fingerprint": CONTENT, "asOf": 1})
    court.oracle.finished()
    assert "its state is PENDING" in court.verdict


def test_1_a_deleted_function_that_is_still_covered(court: Court) -> None:
    court.send()
    court.scene.letters["m1"].ending = "covered"
    court.scene.organization.functions[ARN].history.append(Version(-1, None, moment(-1)))
    court.write("state", {"state": "COVERED", "fingerprint": CONTENT, "asOf": 1})
    court.oracle.finished()
    assert court.verdict.endswith("it does not exist, and its state is COVERED")


def parking(reason: str, *failures: tuple[int, str]) -> Parking:
    history = tuple(Failure(attempt, why, "", moment(attempt)) for attempt, why in failures)
    return Parking(reason, "", str(ARN), len(failures), moment(0), history)


@pytest.mark.parametrize(
    ("reason", "failures", "fault"),
    [
        ("scanner_crashed", [], "its history has {}"),
        (
            "scanner_crashed",
            [(one, "scanner_crashed") for one in range(1, 5)],
            "its history has {'scanner_crashed': 4}",
        ),
        ("scanner_crashed", [(one, "scanner_crashed") for one in range(1, 6)], "the ledger has []"),
        ("upload_failed", [(one, "upload_failed") for one in range(1, 40)], "that is no reason to park"),
        ("qualys", [], "that is no reason to park"),
        ("effects_owed", [(1, "throttled")], "it owes nothing"),
    ],
)
def test_1_a_message_parked_too_early_or_for_no_reason(
    court: Court, reason: str, failures: list[tuple[int, str]], fault: str
) -> None:
    message = court.send()
    court.deliver("w1", message)
    court.oracle.parked("w1", message, parking(reason, *failures), effective=True)
    assert court.verdict.startswith("invariant 1: w1 parks message m1")
    assert fault in court.verdict


def test_1_a_message_parked_in_good_order(court: Court) -> None:
    message = court.send()
    court.deliver("w1", message)
    noted: dict[str, Any] = {f"try#{attempt:04}#no_access": {} for attempt in range(1, 6)}
    court.write("tries", noted, pk="message#m1")
    told = parking("no_access", *((attempt, "no_access") for attempt in range(1, 6)))
    court.oracle.parked("w1", message, told, effective=True)
    assert court.verdict == ""


@pytest.mark.parametrize(("kind", "reason"), [("malformed", "not_json"), ("mismatch", "account_mismatch")])
def test_1_only_the_true_reason_parks_a_body(court: Court, kind: str, reason: str) -> None:
    message = court.send(kind=kind)
    court.deliver("w1", message)
    court.oracle.parked("w1", message, parking(reason), effective=True)
    assert court.verdict == ""
    court.oracle.parked("w1", message, parking("no_access", *[(1, "no_access")] * 5), effective=True)
    assert court.verdict.startswith("invariant 1")


def test_2_a_live_lease_that_is_taken(court: Court) -> None:
    court.claim("w1", "owner-1", "m1", until=180)
    court.passes(179)
    court.claim("w2", "owner-2", "m2", until=400)
    assert court.verdict.startswith("invariant 2: owner-2 takes the lease owner-1")


def test_2_a_lease_that_has_ended_may_be_taken(court: Court) -> None:
    court.claim("w1", "owner-1", "m1", until=180)
    court.passes(181)
    court.claim("w2", "owner-2", "m2", until=400)
    assert court.verdict == ""


def test_2_a_scan_without_a_lease(court: Court) -> None:
    court.start_scan("w1")
    assert court.verdict.startswith("invariant 2: w1 scans")


def test_2_a_scan_under_a_lease_that_was_given_up(court: Court) -> None:
    court.claim("w1", "owner-1", "m1", until=180)
    court.write(SCAN_SK, {})
    court.start_scan("w1")
    assert court.verdict.endswith("without a lease")


def test_2_two_scans_of_one_content(court: Court) -> None:
    court.scan("w1")
    court.now[0] = 181  # nobody has looked yet
    court.scan("w2", "owner-2", "m2", until=400)
    assert "scan one content" in court.verdict


def test_2_a_scan_that_outlives_its_lease(court: Court) -> None:
    court.scan("w1")
    court.passes(185)
    assert court.verdict == ""
    court.passes(15)
    assert court.verdict.startswith("invariant 2: w1 scans")
    assert "has ended" in court.verdict


def test_2_a_renewed_lease_is_in_order_and_so_is_a_frozen_worker(court: Court) -> None:
    court.scan("w1")
    court.passes(100)
    court.write(SCAN_SK, court.lease("owner-1", "m1", until=280))
    court.passes(150)
    assert court.verdict == ""
    court.scene.machines["w1"].host.state = HostState.FROZEN
    court.passes(500)
    assert court.verdict == ""


def test_3_a_message_deleted_without_a_result(court: Court) -> None:
    message = court.send()
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert court.verdict.startswith("invariant 3: w1 deletes message m1 without a result")


def test_3_a_message_coalesced_into_itself(court: Court) -> None:
    message = court.send()
    court.claim("w1", "owner-1", "m1", until=180)
    court.deliver("w2", message)
    court.oracle.deleted("w2", message, effective=True)
    assert "without a result" in court.verdict


def test_3_a_message_coalesced_into_another(court: Court) -> None:
    message = court.send()
    court.claim("w1", "owner-1", "m2", until=180)
    court.deliver("w2", message)
    court.oracle.deleted("w2", message, effective=True)
    assert (court.verdict, court.scene.letters["m1"].into) == ("", "m2")


@pytest.mark.parametrize(
    "changes", [{"status": "failed"}, {"manifestKey": "scans/nowhere/manifest.json"}, {"freshUntil": 0}]
)
def test_3_a_message_deleted_for_a_result_that_is_none(court: Court, changes: dict[str, Any]) -> None:
    message = court.send()
    court.scene.items.update({Key(PK, SCAN_SK): {"summary": court.summary(**changes)}})  # type: ignore[attr-defined]  # unseen
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert "without a result" in court.verdict


def test_3_a_message_deleted_for_an_older_code(court: Court) -> None:
    court.write(SCAN_SK, {"summary": court.summary()})
    court.now[0] = 10
    court.scene.organization.functions[ARN].history.append(Version(5, "orders-1-1", moment(5)))
    message = court.send(about=5)
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert "without a result" in court.verdict


def test_3_a_message_deleted_while_its_own_effects_are_owed(court: Court) -> None:
    message = court.send()
    court.write(SCAN_SK, {"summary": court.summary(), "committedBy": "m1", "owed": frozenset({"tag"})})
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert court.verdict.endswith("whose result still owes {'tag'}")


@pytest.mark.parametrize("kind", ["malformed", "mismatch"])
def test_3_what_is_to_be_parked_is_not_deleted(court: Court, kind: str) -> None:
    message = court.send(kind=kind)
    court.deliver("w1", message)
    court.oracle.deleted("w1", message, effective=True)
    assert court.verdict.startswith("invariant 3")


def test_3_an_effect_marked_that_was_not_performed(court: Court) -> None:
    for effect in ("tag", "notify", "metrics"):
        court.scene.violation = None
        owed = {"summary": court.summary(), "owed": frozenset({effect})}
        court.write(SCAN_SK, owed)
        court.write(SCAN_SK, {**owed, "owed": frozenset()})
        assert court.verdict.startswith("invariant 3")


def test_3_a_result_whose_files_are_not_there(court: Court) -> None:
    key = court.result()
    del court.objects[f"{PREFIX}/sbom.cdx.json"]
    court.objects[key] = court.objects[key].replace(b'"success"', b'"failed"')
    court.oracle.stored("w1", key)
    assert court.verdict.startswith("invariant 3")
    assert "which is not there" in court.verdict


def test_3_a_commit_whose_manifest_is_not_there(court: Court) -> None:
    summary = court.summary()
    court.objects.clear()
    court.write(SCAN_SK, {"summary": summary})
    assert "whose manifest is not there" in court.verdict


def scanned(court: Court, marker: str) -> None:
    run = court.scan("w1")
    court.oracle.scan_ended(run, marker)


def test_4_a_result_that_says_another_code_than_was_read(court: Court) -> None:
    scanned(court, "orders-1-1")
    court.oracle.stored("w1", court.result(marker="orders-1-1"))
    assert court.verdict.startswith("invariant 4")
    assert "orders-1-1 was read" in court.verdict


def test_4_a_result_that_doubts_itself_may(court: Court) -> None:
    scanned(court, "orders-1-1")
    court.oracle.stored("w1", court.result(marker="orders-1-1", reasons=("code_changed",)))
    assert court.verdict == ""


def test_4_a_result_that_was_read_by_nobody(court: Court) -> None:
    scanned(court, "orders-1-0")
    court.oracle.stored("w2", court.result())
    assert "holds what was read elsewhere" in court.verdict


def test_4_a_manifest_under_another_function(court: Court) -> None:
    key = court.result()
    court.objects[f"scans/elsewhere/{key}"] = court.objects[key]
    court.oracle.stored("w1", f"scans/elsewhere/{key}")
    assert court.verdict.startswith("invariant 4")


def test_4_a_result_committed_for_another_code(court: Court) -> None:
    summary = court.summary()
    court.write(f"scan#{OTHER}#{PROFILE.id}", {"summary": summary})
    assert court.verdict.startswith("invariant 4")


def test_4_a_session_for_another_function(court: Court) -> None:
    court.claim("w1", "owner-1", "m1", until=180)
    court.scene.organization.sessions["ASIA"] = Session(replace(ARN, name="payroll"), 1e9)
    court.oracle.scan_started("w1", court.snapshot(), "ASIA")
    assert court.verdict.startswith("invariant 4")
    assert "payroll" in court.verdict


def test_5_a_state_that_goes_back(court: Court) -> None:
    court.write("state", {"state": "COVERED", "asOf": 2})
    court.write("state", {"state": "COVERED", "asOf": 1})
    assert court.verdict.startswith("invariant 5")


def test_5_a_state_that_forgets_the_last_good_result(court: Court) -> None:
    court.write("state", {"state": "COVERED", "asOf": 2, "lastGood": {}})
    court.write("state", {"state": "FAILED", "asOf": 2})
    assert court.verdict.endswith("has lost its last good result")


def another(court: Court, number: int, account: str) -> FunctionArn:
    arn = FunctionArn("aws", "eu-central-1", account, f"payroll-{number}")
    court.scene.organization.functions[arn] = Function(arn, history=[Version(-300, f"{arn.name}-0", moment(-300))])
    content = content_id(code_hash(f"{arn.name}-0"), ())
    owner = f"owner-{number}-{account}"
    court.write(f"scan#{content}#{PROFILE.id}", court.lease(owner, owner, until=900), pk=f"function#{arn}")
    court.oracle.claimed("w1", Lease(ScanKey(arn, content, PROFILE.id), owner, owner, moment(900)))
    return arn


def test_6_more_scans_than_slots(court: Court) -> None:
    for account in ("210000000001", "210000000002", "210000000003"):
        court.start_scan("w1", another(court, 1, account))
    assert court.verdict == "invariant 6: w1 runs 3 scans in 2 slots"


def test_6_more_scans_of_one_account_than_its_share(court: Court) -> None:
    for number in (1, 2):
        court.start_scan("w1", another(court, number, "210000000002"))
    assert court.verdict.startswith("invariant 6: w1 runs 2 scans of account 210000000002")


def test_6_more_messages_in_hand_than_twice_the_slots(court: Court) -> None:
    for number in range(5):
        court.deliver("w1", court.send(f"m{number}"))
    assert court.verdict == "invariant 6: w1 holds 5 messages with 2 slots"


def test_6_more_questions_in_a_second_than_may_be(court: Court) -> None:
    for _ in range(21):
        court.passes(0.04)
        court.oracle.describing("w1", ARN)
    assert court.verdict.startswith("invariant 6: w1 asks 210000000001 21 times within a second")


def test_7_a_worker_that_receives_after_its_stop(court: Court) -> None:
    court.oracle.stopping("w1")
    court.passes(1)
    court.oracle.taken("w1", [court.send()])
    assert court.verdict.startswith("invariant 7: w1 receives")


def test_7_a_worker_that_leaves_a_message_invisible(court: Court) -> None:
    court.deliver("w1", court.send())
    court.visible["m1"] = ("m1#1", 60.0)
    court.oracle.stopping("w1")
    court.passes(1)
    court.oracle.ended("w1", how="stopped")
    assert court.verdict.startswith("invariant 7: w1 has ended and left message m1")


def test_7_a_worker_that_takes_too_long_to_stop(court: Court) -> None:
    court.oracle.stopping("w1")
    court.passes(81)
    court.oracle.ended("w1", how="stopped")
    assert court.verdict.startswith("invariant 7: w1 took 81 s to stop")


def test_7_a_worker_that_ends_while_it_scans(court: Court) -> None:
    court.scan("w1")
    court.oracle.stopping("w1")
    court.oracle.ended("w1", how="stopped")
    assert "has ended while it scans" in court.verdict


def test_7_a_scan_without_protection(court: Court) -> None:
    court.protects = False
    court.scan("w1", until=900)
    court.passes(46)
    assert court.verdict.endswith("and its task is not protected")


def test_7_protection_that_is_never_given_up(court: Court) -> None:
    court.oracle.protected("w1", until=1800.0)
    court.passes(600)
    court.oracle.finished()
    assert "is idle and protected" in court.verdict


def test_7_protection_given_up_in_mid_scan(court: Court) -> None:
    court.oracle.protected("w1", until=1800.0)
    court.scan("w1", until=900)
    court.passes(200)
    court.oracle.protected("w1", until=None)
    assert "gives up its protection" in court.verdict


def test_8_a_message_that_comes_again_though_it_is_held(court: Court) -> None:
    message = court.send()
    court.deliver("w1", message)
    court.passes(61)
    court.oracle.taken("w2", [replace(message, receipt_handle="m1#2", receive_count=2)])
    assert court.verdict.startswith("invariant 8: message m1 comes again")


@pytest.mark.parametrize("why", ["whim", "lost", "trouble", "frozen", "settling"])
def test_8_unless_there_is_a_reason(court: Court, why: str) -> None:
    message = court.send()
    court.deliver("w1", message)
    machine = court.scene.machines["w1"]
    if why == "whim":
        court.oracle.whim("m1")
    elif why == "lost":
        court.oracle.extended("w1", [message], [message])
    elif why == "trouble":
        machine.line.troubled_until = 10
    elif why == "frozen":
        machine.host.state = HostState.FROZEN
    else:
        court.oracle.settling("w1", message)
    court.passes(61)
    court.oracle.taken("w2", [replace(message, receipt_handle="m1#2", receive_count=2)])
    assert court.verdict == ""


def test_8_a_scan_for_a_message_that_is_lost(court: Court) -> None:
    message = court.send()
    court.deliver("w1", message)
    court.scan("w1", until=900)
    court.oracle.extended("w1", [message], [message])
    court.passes(21)
    assert court.verdict.startswith("invariant 8: w1 scans on for message m1")


def test_9_scans_begun_though_the_token_was_refused(court: Court) -> None:
    court.oracle.outages.began()
    court.deliver("w1", court.send())
    run = court.scan("w1")
    court.oracle.scan_failed(run, "QualysFault")
    court.oracle.scan_ended(run, None)
    for _ in range(3):
        court.passes(5)
        court.oracle.scan_ended(court.start_scan("w1"), None)
    assert court.verdict.startswith("invariant 9: w1 has begun 2 scans since it knows, 1 may be")


def test_9_an_outage_told_twice(court: Court) -> None:
    told = Notification(kind=NotificationKind.CIRCUIT, reason="refused", since=START)
    court.oracle.notified("w1", told)
    court.passes(600)
    court.oracle.notified("w2", told)
    assert court.verdict.startswith("invariant 9: w2 tells of the outage")


def test_9_an_outage_told_by_nobody(court: Court) -> None:
    court.oracle.measured("w1", {"QualysCircuitOpen": 1.0}, {})
    court.oracle.finished()
    assert court.verdict == "invariant 9: a circuit was open, and nobody was told"


def test_9_a_circuit_that_stays_open(court: Court) -> None:
    court.deliver("w1", court.send())
    run = court.scan("w1", until=900)
    court.oracle.scan_failed(run, "QualysFault")
    court.oracle.scan_ended(run, None)
    court.oracle.measured("w1", {"QualysCircuitOpen": 1.0}, {})
    court.passes(60)
    court.oracle.scan_passed(court.start_scan("w1"))
    court.passes(200)
    assert court.verdict.startswith("invariant 9: w1 keeps its circuit open")


def test_9_an_effect_performed_twice(court: Court) -> None:
    tags = {"QualysScanTimestamp": "2026-01-01T00:00:00Z", "QualysScanStatus": "success"}
    court.oracle.tagged("w1", ARN, tags)
    court.passes(5)
    court.oracle.tagged("w2", ARN, tags)
    assert court.verdict.startswith("invariant 9: tag of")


@pytest.mark.parametrize("values", [{"ScansCompleted": 1.0}, {"ScansPartial": 1.0}])
def test_9_a_figure_emitted_twice_unless_a_fault_came_between(court: Court, values: dict[str, float]) -> None:
    court.oracle.measured("w1", values, {"scan_id": "one"})
    court.scene.machines["w1"].line.troubled_until = 1
    court.passes(5)
    court.oracle.measured("w1", values, {"scan_id": "one"})
    assert court.verdict == ""
    court.passes(5)
    court.oracle.measured("w2", values, {"scan_id": "one"})
    assert court.verdict.startswith("invariant 9: metrics of one")


def test_10_an_account_that_is_asked_again_and_again(court: Court) -> None:
    for _ in range(9):
        court.passes(10)
        court.oracle.refused("w1", "210000000001")
    assert court.verdict.startswith("invariant 10: w1 asks 210000000001 again and again")


def test_10_an_account_that_answers_in_between_may_be_asked(court: Court) -> None:
    for _ in range(9):
        court.passes(10)
        court.oracle.refused("w1", "210000000001")
        court.oracle.admitted("w1", "210000000001")
    assert court.verdict == ""


def test_the_first_violation_is_kept(court: Court) -> None:
    court.scene.violated(5, "one")
    court.scene.violated(6, "another")
    assert court.verdict == "invariant 5: one"
    assert court.scene.trace.text()[-1].endswith("oracle  VIOLATION invariant 5: one")


def test_effects_once_more_after_a_death_are_in_order(court: Court) -> None:
    tags = {"QualysScanTimestamp": "2026-01-01T00:00:00Z", "QualysScanStatus": "success"}
    court.oracle.tagged("w1", ARN, tags)
    court.oracle.ended("w1", how="killed")
    court.passes(timedelta(minutes=5).total_seconds())
    court.oracle.tagged("w2", ARN, tags)
    assert court.verdict == ""


def heard_of(court: Court, second: float, received: float, *, region: str = ARN.region) -> None:
    started = START.timestamp()
    item = {"eventAt": int((started + second) * 1000), "receivedAt": int((started + received) * 1000)}
    court.write(f"{ARN.account}#{region}", item, pk="sightings")


def test_an_account_that_was_last_heard_of_when_it_sent_something(court: Court) -> None:
    court.passes(40)
    court.send(about=12.7)
    heard_of(court, 12, 40)
    court.passes(100)
    court.send("m2", about=130.2)
    heard_of(court, 130, 140)
    assert court.verdict == ""


def test_what_an_account_was_last_heard_of_is_not_set_back(court: Court) -> None:
    court.send(about=0.0)
    court.passes(10)
    court.send("m2", about=9.0)
    heard_of(court, 9, 10)
    assert court.verdict == ""
    heard_of(court, 0, 0)
    assert court.verdict.startswith("invariant 11: the last event of 210000000001#eu-central-1 is set back")


@pytest.mark.parametrize(
    ("sending", "region"),
    [
        ({"kind": "request"}, ARN.region),
        ({"kind": "mismatch"}, ARN.region),
        ({}, "us-east-1"),
        ({"about": -30.0}, ARN.region),
    ],
    ids=["request", "mismatch", "region", "time"],
)
def test_an_account_is_not_heard_of_when_it_sent_no_event(court: Court, sending: dict[str, Any], region: str) -> None:
    court.send(**sending)
    heard_of(court, 0, 0, region=region)
    assert court.verdict.startswith("invariant 11: 210000000001#")


def test_where_nothing_goes_wrong_no_account_is_missed(court: Court) -> None:
    court.scene.plan = replace(court.scene.plan, theme="calm")
    court.send(kind="request")
    court.oracle.sightings.finished()
    assert court.verdict == ""
    court.send("m2")
    court.oracle.sightings.finished()
    assert court.verdict.startswith("invariant 11: an event of 210000000001 in eu-central-1 has come")
