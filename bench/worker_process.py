"""`scanhub worker` as a child process, and what the kernel says of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.control import Cloud
from bench.organization import HUB, REGION
from bench.places import ROOT

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_STOP_PATIENCE = 60
_TELLING = 5


class Worker:
    """A context manager: the worker is ready and waits at its queues; at the end it is stopped as ECS stops it.

    Args:
        cloud: The stand-in.
        directory: For its files; must not exist.
        scanner: The scanner's path.
        slots: Scans at once.
        drain_timeout: Seconds for running scans after SIGTERM.
    """

    def __init__(self, cloud: Cloud, directory: Path, *, scanner: Path, slots: int, drain_timeout: int = 10) -> None:
        directory.mkdir()
        cloud.reset()
        self._metrics = directory / "metrics.jsonl"
        self._log = directory / "log.jsonl"
        with self._metrics.open("w") as metrics, self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scanhub", "worker"],
                stdout=metrics,
                stderr=log,
                cwd=ROOT,
                env=environment(cloud, directory / "work", scanner, slots, drain_timeout),
            )
        self._cloud = cloud

    def __enter__(self) -> Self:
        try:
            self._cloud.until_idle(0, seconds=30)
        except BaseException:
            self._process.kill()
            self._process.wait()
            sys.stderr.write(self._log.read_text(encoding="utf-8")[-4000:])
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout=_STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        if error is not None or code != 0:
            sys.stderr.write(self._log.read_text(encoding="utf-8")[-4000:])
        if error is None and code != 0:
            raise AssertionError(f"the worker ended with {code}")

    def cpu(self) -> float:
        """Seconds of CPU that its own threads have taken so far, in user and kernel mode; without its children's."""
        # proc(5): the fields behind the name, of which utime and stime are the 14th and 15th of all.
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK

    def resident(self) -> float:
        """MB of resident memory."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("proc(5) promises VmRSS")

    def endings(self) -> Counter[str]:
        """How its journeys have ended so far, by the metrics that it writes: `EventsCovered` and so on."""
        ended: Counter[str] = Counter()
        for line in self._metrics.read_text(encoding="utf-8").splitlines():
            ended.update({name: int(value) for name, value in json.loads(line).items() if name.startswith("Events")})
        return ended

    def endings_since(self, before: Counter[str], *, count: int) -> Counter[str]:
        """How the journeys since then have ended, once there are `count`; a figure is written after the deletion."""
        end = time.monotonic() + _TELLING
        while (new := self.endings() - before).total() < count and time.monotonic() < end:
            time.sleep(0.01)
        return new


def environment(cloud: Cloud, work: Path, scanner: Path, slots: int, drain_timeout: int) -> dict[str, str]:
    def queue(name: str) -> str:
        return f"https://sqs.{REGION}.amazonaws.com/{HUB}/scanhub-{name}"

    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(work.parent),
        "LANG": "C.UTF-8",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "SCANHUB_CHANGES_QUEUE_URL": queue("changes"),
        "SCANHUB_CHANGES_DLQ_URL": queue("changes-dlq"),
        "SCANHUB_SWEEP_QUEUE_URL": queue("sweep"),
        "SCANHUB_SWEEP_DLQ_URL": queue("sweep-dlq"),
        "SCANHUB_LEDGER_TABLE": "scanhub-ledger",
        "SCANHUB_RESULTS_BUCKET": "scanhub-results",
        "SCANHUB_TOPIC_ARN": f"arn:aws:sns:{REGION}:{HUB}:scanhub",
        "SCANHUB_QUALYS_SECRET_ARN": f"arn:aws:secretsmanager:{REGION}:{HUB}:secret:scanhub/qualys-AbCdEf",
        "SCANHUB_EXTERNAL_ID": "an-external-id-of-the-bench",
        "SCANHUB_QSCANNER_PATH": str(scanner),
        "SCANHUB_WORK_DIR": str(work),
        "SCANHUB_MAX_CONCURRENT_SCANS": str(slots),
        "SCANHUB_DRAIN_TIMEOUT": str(drain_timeout),
    }
