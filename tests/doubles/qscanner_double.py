"""A scanner that does what the function's name says. Standard library only: it runs in an environment of its own.

`exit-<code>[-<words>]` ends with that code after saying `SAID[words]`; the other names are the keys of `BEHAVIOURS`.
A directory of the test's, `control`, holds a FIFO `bell`, into which it writes a line when it has got somewhere.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path

ARN = "arn:aws:lambda:eu-central-1:210987654321:function:orders"
ROLE = "arn:aws:sts::210987654321:assumed-role/scanhub-spoke/orders"

SAID = {
    "panic": "panic: runtime error: index out of range [3] with length 3\n\ngoroutine 1 [running]:\nmain.main()\n",
    "denied": "operation error Lambda: GetFunction, https response error StatusCode: 403, RequestID: "
    f"0d1e9b5e-8a3e-4d4a-9b0e-0f0a7a9c1f00, api error AccessDeniedException: User: {ROLE} is not authorized to "
    f"perform: lambda:GetFunction on resource: {ARN} because no resource-based policy allows the "
    "lambda:GetFunction action\n",
    "absent": "operation error Lambda: GetFunction, https response error StatusCode: 404, RequestID: "
    f"4f2b7c1d-0000-4000-8000-3a5d1c2b7e11, ResourceNotFoundException: Function not found: {ARN}\n",
    "throttled": "operation error Lambda: GetFunction, exceeded maximum number of attempts, 3, https response error "
    "StatusCode: 429, RequestID: 7e6f, TooManyRequestsException: Rate Exceeded.\n",
    "network": "operation error Lambda: GetFunction, https response error StatusCode: 0, RequestID: , "
    'request send failed, Get "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/orders": '
    "dial tcp: lookup lambda.eu-central-1.amazonaws.com: i/o timeout\n",
    "session": "operation error Lambda: GetFunction, https response error StatusCode: 403, RequestID: 9a, api error "
    "ExpiredTokenException: The security token included in the request is expired\n",
    "kms": "operation error Lambda: GetFunction, https response error StatusCode: 502, RequestID: 1b, "
    "KMSAccessDeniedException: Lambda was unable to decrypt the code because KMS access was denied.\n",
    "manifest": "GET https://210987654321.dkr.ecr.eu-central-1.amazonaws.com/v2/orders/manifests/latest: "
    "MANIFEST_UNKNOWN: manifest unknown\n",
    "token": "Error: POST https://gateway.qg2.apps.qualys.com/csapi/v1.3/upload: "
    "status 401 Unauthorized: token expired\n",
    "qualysdown": "Error: POST https://gateway.qg2.apps.qualys.com/csapi/v1.3/upload: 503 Service Unavailable\n",
    "enospc": "write /tmp/layer.tar: no space left on device\nscan failed\n",
    "flag": "Error: unknown flag: --scan-types\n",
}


def main(control: str, version: str, argv: list[str]) -> int:
    """The exit code."""
    if argv[1:] == ["--version"]:
        return print_version(version)
    scan = Scan(Path(control), argv)
    if scan.name.startswith("exit-"):
        return scan.exit_with()
    return BEHAVIOURS[scan.name.split(".")[0]](scan)


def print_version(how: str) -> int:
    if how == "hang":
        signal.pause()
    if how == "fail":
        sys.stderr.write("qscanner: cannot execute: GLIBC_2.38 not found\n")
        return 127
    sys.stdout.write(how)
    return 0


class Scan:
    """One invocation: its options by name, and its target."""

    def __init__(self, control: Path, argv: list[str]) -> None:
        self.control = control
        self.argv = argv
        *options, self.command, self.target = argv[1:]
        self.options = dict(zip(options[::2], options[1::2], strict=True))
        self.out = Path(self.options["--output-dir"])
        self.name = self.target.split("@")[0].split("/")[-1].split(":")[-1]

    def ring(self, what: str) -> None:
        line = json.dumps(
            {"what": what, "pid": os.getpid(), "out": str(self.out), "cache": self.options["--cache-dir"]}
        )
        with (self.control / "bell").open("w") as bell:
            bell.write(line + "\n")

    def wait(self, gate: str) -> None:
        with (self.control / gate).open("rb", buffering=0) as fifo:
            fifo.read(1)

    def write(self, suffix: str, document: object) -> Path:
        path = self.out / f"{self.name}-{suffix}"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def files(self, *, report: bool = True) -> None:
        self.write("ScanResult.json", {"Metadata": {"Name": self.name}})
        self.write("ScanResult.spdx.json", {"spdxVersion": "SPDX-2.3"})
        self.write("ScanResult.cyclonedx.json", {"bomFormat": "CycloneDX", "specVersion": "1.6"})
        if report:
            self.write("Report.sarif.json", {"version": "2.1.0", "runs": []})
            self.write("Report.json", {"vulnerabilities": []})

    def exit_with(self) -> int:
        _, code, *words = self.name.split("-")
        for word in words:
            sys.stderr.write(SAID[word])
        if code in {"0", "42", "43"} or 11 <= int(code) <= 21:
            self.files()
        if code in {"40", "41"}:
            self.files(report=code == "41")
        return int(code)


def dump(scan: Scan) -> int:
    """Tells all that it was given."""
    scan.files()
    kinds = ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC")
    scan.ring("started")  # the limits are set once the driver's loop turns again
    scan.wait("go")
    directories = [
        scan.out,
        Path.cwd(),
        *map(Path, (os.environ["HOME"], os.environ["TMPDIR"], scan.options["--cache-dir"])),
    ]
    document = {
        "argv": scan.argv,
        "environment": dict(os.environ),
        "cwd": str(Path.cwd()),
        "limits": {kind: resource.getrlimit(getattr(resource, kind)) for kind in kinds},
        "modes": [oct(directory.stat().st_mode & 0o777) for directory in directories],
        "group": os.getpgrp() == os.getpid() == os.getsid(0),
        "stdin": str(Path("/proc/self/fd/0").readlink()),
        "descriptors": sorted(int(fd) for fd in os.listdir("/proc/self/fd")),  # noqa: PTH208  # names alone are wanted
        "oom": Path("/proc/self/oom_score_adj").read_text().strip(),
    }
    scan.write("Report.json", document)
    return 0


def hold(scan: Scan) -> int:
    """Runs until the test says go, and leaves its own name in its files."""
    scan.ring("started")
    scan.wait(f"go-{scan.name}")
    Path(scan.options["--cache-dir"], scan.name).touch()
    scan.files()
    return 0


def hang(scan: Scan) -> int:
    scan.ring("started")
    signal.pause()
    return 0


def tidy(scan: Scan) -> int:
    """Ends in good order when asked to."""

    def stop(*_: object) -> None:
        scan.ring("TERM")
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    return hang(scan)


def stubborn(scan: Scan) -> int:
    """Neither it nor its child hears TERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        while True:
            signal.pause()
    return hang(scan)


def orphans(scan: Scan) -> int:
    """Ends, but its children live on with its pipes: one in its group, one in a session of its own."""
    scan.files()
    ready, tell = os.pipe()
    for own_session in (False, True):
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if own_session:
                os.setsid()
            os.write(tell, b".")
            while True:
                signal.pause()
    got = b""
    while len(got) < 2:
        got += os.read(ready, 2)
    sys.stderr.write("leader ends\n")
    return 0


def segv(_scan: Scan) -> int:
    sys.stderr.write(f"about to die with {os.environ['QUALYS_ACCESS_TOKEN']}\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)
    return 0


def flood(scan: Scan) -> int:
    """100 MB on each stream, with secrets strewn in so that pieces cut through them."""
    scan.files()
    secret = os.environ["QUALYS_ACCESS_TOKEN"].encode()
    line = b"level=debug msg=" + b"x" * 997 + secret + b"\n"
    for stream in (1, 2):
        whole = line * (100 * 1024 * 1024 // len(line))
        written = 0
        while written < len(whole):
            written += os.write(stream, whole[written : written + 1024 * 1024])
    os.write(2, b"the end\n")
    return 0


def leaky(scan: Scan) -> int:
    """Prints and writes every secret that it knows, in pieces."""
    scan.files()
    names = ("QUALYS_ACCESS_TOKEN", "QSCANNER_REGISTRY_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    secrets = [os.environ[name] for name in names]
    for stream in (1, 2):
        for secret in secrets:
            middle = len(secret) // 2
            os.write(stream, b"using " + secret[:middle].encode())
            os.write(stream, secret[middle:].encode() + b" to sign in\n")
    filler = "f" * (64 * 1024 - 40)  # so that the first secret lies across a piece of the reading
    scan.write("Report.sarif.json", {"runs": [filler, *secrets]})
    scan.write("ScanResult.json", {"Metadata": {"Digest": "sha256:" + "ab" * 32}, "Env": secrets})
    return 0


def links(scan: Scan) -> int:
    """Offers files that are none."""
    (scan.out / "x-Report.sarif.json").symlink_to("/etc/passwd")
    os.mkfifo(scan.out / "x-Report.json")
    (scan.out / "x-ScanResult.spdx.json").mkdir()
    (scan.out / "deep").mkdir()
    (scan.out / "deep" / "y-Report.sarif.json").write_text("{}")
    scan.write("ScanResult.json", {"Metadata": {}})
    return 0


def several(scan: Scan) -> int:
    scan.files()
    older, newer = scan.out / "a-ScanResult.json", scan.out / "b-ScanResult.json"
    older.write_text('"older"')
    newer.write_text('"newer"')
    os.utime(older, (1_700_000_000, 1_700_000_000))
    os.utime(scan.out / f"{scan.name}-ScanResult.json", (1_700_000_001, 1_700_000_001))
    return 0


def untidy(scan: Scan) -> int:
    """Leaves what a plain removal stumbles over, and a link to what is not its own."""
    scan.files()
    temporary = Path(os.environ["TMPDIR"])
    (temporary / "read-only" / "inner").mkdir(parents=True)
    (temporary / "read-only" / "inner" / "file").write_text("x")
    (temporary / "read-only" / "inner").chmod(0o000)
    (temporary / "read-only").chmod(0o555)
    (temporary / "link").symlink_to(scan.control / "precious")
    secret_report = scan.write("Report.json", {"mode": "0000"})
    secret_report.chmod(0o000)
    scan.ring("started")
    scan.wait("go")
    return 0


def fill(_scan: Scan) -> int:
    """Writes until the kernel refuses, and leaves it there as a scanner does that dies of it."""
    with Path(os.environ["TMPDIR"], "layer.tar").open("wb", buffering=0) as layer:
        try:
            while True:
                layer.write(b"x" * 65536)
        except OSError as error:
            sys.stderr.write(f"write {layer.name}: {str(error.strerror).lower()}\nscan failed\n")
    return 1


def huge(scan: Scan) -> int:
    """Makes a file that is larger than it may be, though it holds nothing."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
    scan.ring("started")  # the limits are set once the driver's loop turns again
    scan.wait("go")
    Path(os.environ["TMPDIR"], "layer.tar").touch()
    os.truncate(Path(os.environ["TMPDIR"], "layer.tar"), 13 * 1024**3)
    return 0


BEHAVIOURS = {
    one.__name__: one
    for one in (
        *(dump, hold, hang, tidy, stubborn, orphans, segv, flood, leaky, links, several, untidy),
        *(fill, huge),
    )
}
