"""A scanner that takes its time and tells when it ran. Standard library only: it runs in an environment of its own.

A directory of the test's, `control`, tells it what to do and keeps what it did:

- `seconds-<function>` holds how long a scan of that function takes, `scratch-<function>` how many MiB it needs
  meanwhile, `exit-<function>` the exit code of one that fails; they are read at the scan's start.
- `bare` lets the child that stays in the scanner's group have no environment: by that nobody finds it.
- `finish-<pid>` ends the scan of that process at once, in good order.
- `log` has one JSON line at the start and one at the end of each scan.
- `alive-<pid>` is written again and again while that scan runs: also a scan that was killed has a known end.

Times are `CLOCK_MONOTONIC`, which is one clock for all processes of a machine.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

VERSION = "qscanner version 4.8.0-2\n"
USUAL_SECONDS = 1.0
USUAL_SCRATCH_MIB = 4
TICK = 0.05
MEBIBYTE = bytes(1024 * 1024)


def main(control: str, argv: list[str]) -> int:
    """The exit code."""
    if argv[1:] == ["--version"]:
        sys.stdout.write(VERSION)
        return 0
    return Scan(Path(control), argv).run()


class Scan:
    """One invocation: its options by name, and its target."""

    def __init__(self, control: Path, argv: list[str]) -> None:
        self.control = control
        *options, _command, self.target = argv[1:]
        self.out = Path(dict(zip(options[::2], options[1::2], strict=True))["--output-dir"])
        self.name = self.target.rpartition(":")[2]
        self.pid = os.getpid()
        # Read before it tells of its start: a test may then tell something else to the next one.
        self.seconds = self.told("seconds", USUAL_SECONDS)
        self.scratch = int(self.told("scratch", USUAL_SCRATCH_MIB))
        self.exit_code = int(self.told("exit", 0))

    def run(self) -> int:
        alive = os.open(self.control / f"alive-{self.pid}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self.tell("start")
        self.bear_children()
        if self.exit_code:
            sys.stderr.write("the logger could not be started\n")
            return self.exit_code
        try:
            self.take_room()
        except OSError as error:
            sys.stderr.write(f"write {os.environ['TMPDIR']}/layer.tar: {str(error.strerror).lower()}\n")
            return 1
        self.work(alive)
        self.write_files()
        self.tell("end")
        return 0

    def tell(self, what: str) -> None:
        line = {"what": what, "function": self.target, "pid": self.pid, "out": str(self.out), "at": time.monotonic()}
        log = os.open(self.control / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(log, json.dumps(line).encode() + b"\n")
        os.close(log)

    def bear_children(self) -> None:
        """One child in the scanner's group, one that left it: both are deaf to TERM and live until they are killed."""
        ready, tell = os.pipe()
        for own_session in (False, True):
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                if own_session:
                    os.setsid()
                os.write(tell, b".")
                if not own_session and (self.control / "bare").exists():
                    pause = "import signal; signal.pause()"
                    os.execve(sys.executable, [sys.executable, "-IBSc", pause, str(self.out)], {})  # noqa: S606  # itself
                while True:
                    signal.pause()
        got = b""
        while len(got) < 2:
            got += os.read(ready, 2)

    def take_room(self) -> None:
        """Written piece by piece: what fits on a full disk stays on it."""
        with Path(os.environ["TMPDIR"], "layer.tar").open("wb", buffering=0) as layer:
            layer.writelines(MEBIBYTE for _ in range(self.scratch))

    def work(self, alive: int) -> None:
        until = time.monotonic() + self.seconds
        finish = self.control / f"finish-{self.pid}"
        while time.monotonic() < until and not finish.exists():
            os.pwrite(alive, b"%020.6f" % time.monotonic(), 0)
            time.sleep(TICK)

    def told(self, what: str, usual: float) -> float:
        try:
            return float((self.control / f"{what}-{self.name}").read_text())
        except FileNotFoundError:
            return usual

    def write_files(self) -> None:
        package = {"type": "library", "name": "requests", "version": "2.19.0", "purl": "pkg:pypi/requests@2.19.0"}
        software = {"name": "requests", "installedVersion": "2.19.0", "fixedVersion": "2.20.0"}
        result = {
            "ruleId": "371234",
            "level": "error",
            "message": {"text": "requests sends the Authorization header over an unencrypted connection"},
            "properties": {"QID": 371234, "severity": 4, "vulnerableSoftware": [software]},
        }
        rule = {"id": "371234", "name": "CVE-2018-18074", "properties": {"severity": 4, "cve-ids": ["CVE-2018-18074"]}}
        run = {"tool": {"driver": {"name": "QScanner", "rules": [rule]}}, "results": [result]}
        tag = {"TargetMetadata": {"ImageMetadata": {"RepoTags": ["lambdascan:1763769600"]}}}
        for suffix, document in (
            ("ScanResult.json", {"Metadata": tag, "SecretResults": []}),
            ("ScanResult.cyclonedx.json", {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [package]}),
            ("Report.sarif.json", {"version": "2.1.0", "runs": [run]}),
        ):
            (self.out / f"{self.name}-{suffix}").write_text(json.dumps(document), encoding="utf-8")
