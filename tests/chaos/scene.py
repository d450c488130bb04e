"""Hub and spokes on the embedded cloud, real workers on them, and a look at what is left in the end."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from boto3.dynamodb.types import TypeDeserializer

from infra.local import traffic
from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import Deployment, deploy
from infra.local.publication import Published, publish
from infra.local.samples.zips import zip_of
from tests.chaos.lease_journal import LeaseJournal, Tenure, violations
from tests.chaos.proxy import Proxy
from tests.chaos.scans import Scan, SlowScanner
from tests.chaos.waiting import until
from tests.chaos.workers import Worker

Thing = TypeVar("Thing")

VISIBILITY = LEASE = 30
"""Seconds; the least that the settings take."""

RECOVERY = 120.0
"""Seconds for what ends by itself: a visibility timeout and a lease take thirty each, the margin for clocks ten."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function to publish, whose code is like no other's."""

    name: str
    account: int = 0
    region: int = 0
    runtime: str = "python3.12"
    handler: str = "app.handler"
    architecture: str = "x86_64"
    tags: Mapping[str, str] = field(default_factory=dict)

    def build(self) -> bytes:
        """The zip package."""
        return zip_of({"app.py": f"def handler(event, context):\n    return {self.name!r}\n"})


class Scene:
    """What one test has to do with.

    Args:
        directory: For the files of this test: work directories, logs, the scanner's own.
        deployment: Hub and spokes.
        journal: Of the ledger's leases.
    """

    def __init__(self, directory: Path, deployment: Deployment, journal: LeaseJournal) -> None:
        self.directory = directory
        self.scanner = SlowScanner(directory)
        self._deployment = deployment
        self._journal = journal
        self._functions: dict[str, Published] = {}
        self._workers: list[Worker] = []
        self._clients: dict[str, Any] = {}
        self._parked: dict[str, str] = {}
        self._exits = ExitStack()

    def publish(self, *names: str) -> None:
        """Create functions, spread over the spokes. Nobody is told yet."""
        for number, name in enumerate(names):
            self._functions[name] = publish(self._deployment, Function(name, account=number))

    def announce(self, *names: str) -> None:
        """The change event of each function, on its spoke's bus; each call makes one more message."""
        for name in names:
            function = self._functions[name]
            traffic.put(self._deployment, function.account, function.region, [traffic.code_updated(function)])

    def send_raw(self, body: str) -> None:
        """A body straight into the changes queue."""
        traffic.send_raw(self._deployment, body)

    def proxy(self) -> Proxy:
        """A way to the cloud of its own, until the end."""
        port = urlsplit(self._deployment.endpoint).port
        assert port is not None
        return self.enter(Proxy(port))

    def enter(self, thing: AbstractContextManager[Thing]) -> Thing:
        """Enter a context that is left at the end, once every process has ended."""
        return self._exits.enter_context(thing)

    def worker(
        self, name: str, *, place: str, endpoint: str | None = None, prefix: Sequence[str] = (), **settings: int
    ) -> Worker:
        """Start one; it has not begun to work yet.

        Args:
            name: Of this process.
            place: Of its work directory: a worker in another's place is what ECS starts in the stead of a dead one.
            endpoint: Its way to the cloud; the direct one if left out.
            prefix: What its command line begins with.
            settings: As environment variables without `SCANHUB_`.
        """
        usual = {
            "visibility_timeout": VISIBILITY,
            "lease_duration": LEASE,
            "max_concurrent_scans": 2,
            "drain_timeout": 30,
        }
        variables = {
            **self._deployment.settings,
            "AWS_ENDPOINT_URL": endpoint or self._deployment.endpoint,
            "AWS_REGION": self._deployment.hub_region,
            "SCANHUB_QSCANNER_PATH": str(self.scanner.binary),
            "SCANHUB_WORK_DIR": str(self.directory / f"work-{place}"),
            **{f"SCANHUB_{setting.upper()}": str(value) for setting, value in {**usual, **settings}.items()},
        }
        worker = Worker(name, self.directory, variables, prefix=prefix)
        self._workers.append(worker)
        return worker

    def scans_begun(self, *names: str) -> list[Scan]:
        """Once a scan of each of these has begun: the last one of each."""

        def begun() -> list[Scan]:
            found = [self.scanner.of(name) for name in names]
            return [scans[-1] for scans in found if scans] if all(found) else []

        return until(begun, f"scans of {names} have begun", within=RECOVERY)

    def emptied(self) -> None:
        """Once no message is left in the changes queue, visible or not."""
        until(lambda: self.depth() == (0, 0, 0), "the queue is empty", within=RECOVERY)

    def depth(self) -> tuple[int, int, int]:
        """Messages in the changes queue: visible, in flight, delayed."""
        figures = ("", "NotVisible", "Delayed")
        names = [f"ApproximateNumberOfMessages{figure}" for figure in figures]
        attributes = self._client("sqs").get_queue_attributes(
            QueueUrl=self._deployment.outputs["ChangesQueueUrl"], AttributeNames=names
        )["Attributes"]
        visible, in_flight, delayed = (int(attributes[name]) for name in names)
        return visible, in_flight, delayed

    def covered(self, name: str) -> bool:
        """Whether the ledger says so."""
        return self.state(name).get("state") == "COVERED"

    def state(self, name: str) -> dict[str, Any]:
        """The function's coverage item, empty where there is none."""
        key = f"function#{self._functions[name].arn}"
        return next((item for item in self._items() if (item["pk"], item["sk"]) == (key, "state")), {})

    def manifests(self, name: str) -> dict[str, dict[str, Any]]:
        """Every manifest of the function in the bucket, by key."""
        arn, bucket = self._functions[name].arn, self._deployment.outputs["ResultsBucket"]
        _, _, _, region, account, _, function = arn.split(":")
        found = {}
        for key in self._keys(f"scans/{account}/{region}/{function}/"):
            if key.endswith("/manifest.json"):
                body = self._client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
                found[key] = json.loads(body)
        return found

    def leases(self) -> list[Tenure]:
        """Every lease that there ever was, in the order of their claims."""
        return list(self._journal.tenures)

    def parked(self) -> list[str]:
        """The reasons of what lies, or lay at an earlier call, in the dead-letter queue, sorted."""
        url = self._deployment.outputs["ChangesDlqUrl"]
        while messages := (
            self._client("sqs")
            .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            .get("Messages", [])
        ):
            for message in messages:
                self._parked[message["MessageId"]] = message["MessageAttributes"]["reason"]["StringValue"]
        return sorted(self._parked.values())

    def check(self, *, places: Mapping[Path, Path] | None = None, parked: Sequence[str] = ()) -> None:
        """What must be true in the end, after whatever happened; every worker has ended.

        Args:
            places: Where work directories are seen from here, if not under their own path.
            parked: The reasons for which messages lie in the dead-letter queue.
        """
        # pytest explains no assertion of this module, so each says what it saw.
        assert not any(worker.alive for worker in self._workers), "a worker is alive"
        assert (depth := self.depth()) == (0, 0, 0), f"events wait: {depth}"
        assert (reasons := self.parked()) == list(parked), f"parked: {reasons}, not {parked}"
        for name in self._functions:
            self._check_result(name)
        for item in self._items():
            assert not item.keys() & {"leaseOwner", "owed"}, f"a lease or an effect is left in {item}"
        found = violations(self.leases(), self.scanner.scans())
        assert not found, "\n".join(found)
        assert not (left := self.scanner.processes()), f"processes of scans are alive: {left}"
        for place in {worker.place for worker in self._workers}:
            seen = (places or {}).get(place, place)
            files = [path.name for path in (seen / "scans").iterdir()]
            assert not files, f"{place} holds a scan's files: {files}"

    def leave(self) -> None:
        """End whatever is left, and print what the workers said."""
        for worker in self._workers:
            if worker.alive:
                worker.kill()
                worker.ended()
            print(f"---- {worker.name}\n{worker.tail()}")  # noqa: T201  # pytest shows it with a failure only
        self.scanner.end_all()
        self._exits.close()

    def _check_result(self, name: str) -> None:
        """The ledger's entry, the manifest that it names, and the files which that one lists."""
        state = self.state(name)
        assert state.get("state") == "COVERED", f"{name}: {state}"
        manifests = self.manifests(name)
        manifest = manifests[state["lastGood"]["manifestKey"]]
        function = self._functions[name]
        scanned = (manifest["function"]["arn"], manifest["function"]["codeSha256"], manifest["fingerprint"])
        known = (function.arn, function.answer["Configuration"]["CodeSha256"], state["fingerprint"])
        assert scanned == known, f"the manifest speaks of {scanned}, not of {known}"
        assert manifest["status"] == "success", f"{name}: {manifest['reasons']}"
        lost = {one["key"] for one in manifest["files"]} - set(self._keys("scans/"))
        assert not lost, f"files of the manifest are not there: {lost}"

    def _items(self) -> list[dict[str, Any]]:
        read = TypeDeserializer().deserialize
        found = self._client("dynamodb").scan(TableName=self._deployment.outputs["LedgerTable"])["Items"]
        return [{name: read(value) for name, value in item.items()} for item in found]

    def _keys(self, prefix: str) -> list[str]:
        pages = self._client("s3").get_paginator("list_objects_v2")
        bucket = self._deployment.outputs["ResultsBucket"]
        found = pages.paginate(Bucket=bucket, Prefix=prefix)
        return [one["Key"] for page in found for one in page.get("Contents", [])]

    def _client(self, service: str) -> Any:  # noqa: ANN401  # boto3's clients have no static type here
        if service not in self._clients:
            self._clients[service] = self._deployment.client(service)
        return self._clients[service]


@contextmanager
def opened(directory: Path) -> Iterator[Scene]:
    """A scene of its own: an empty cloud with a hub and two spokes."""
    journal = LeaseJournal()
    with journal.kept(), EmbeddedCloud() as cloud:
        scene = Scene(directory, deploy(cloud.endpoint, spokes=2, regions=("eu-central-1",)), journal)
        try:
            yield scene
        finally:
            scene.leave()
