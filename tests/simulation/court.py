"""An oracle with a world that is made by hand: what must not happen is fed to it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from hub.ledger_schema import Key
from hub.message import Message
from hub.scans import Lease, ScanKey
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot
from tests.simulation.line import Line, Weather
from tests.simulation.loop import Host
from tests.simulation.oracle import Oracle
from tests.simulation.plan import Rates, Sending
from tests.simulation.planner import plan
from tests.simulation.scene import Item, Letter, Machine, Run, Scene
from tests.simulation.shared import WatchedItems
from tests.simulation.trace import Trace
from tests.simulation.truth import (
    PROFILE,
    START,
    Function,
    Organization,
    Session,
    Version,
    code_hash,
    content_id,
    moment,
)

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


def convene() -> Court:
    """Two workers that have started, one function, and nothing else."""
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
        plan(0),
        slots=2,
        cap=1,
        visibility=60,
        lease=180,
        drain=20,
        rates=Rates(),
        happenings=(),
        skews=(0.0, 0.0),
        excluded_account="",
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
