"""What a test needs to run the real driver on the scanner double."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import SecretStr

from hub.qualys import QualysCredentials, parse
from hub.redaction import Redactor
from hub.settings import Settings
from spoke.arn import FunctionArn
from spoke.credentials import SessionCredentials
from spoke.snapshot import FunctionSnapshot
from tests.doubles import qscanner_double
from worker.memory.clock import ManualClock
from worker.scanner.driver import QScanner, prepare
from worker.scanner.run import Patience

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLW9mLXRoZS1jYW5hcnk"
REGISTRY_PASSWORD = "registry-canary-7f3a"
SESSION_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYCANARYKEY00"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEJr//////////wEaDGV1LWNlbnRyYWwtMSJGMEQCIBcanary+/=="
PROXY_PASSWORD = "proxy-canary-91"
EXTERNAL_ID = "external-canary-5c1d"
SECRETS = (TOKEN, REGISTRY_PASSWORD, SESSION_KEY, SESSION_TOKEN, PROXY_PASSWORD, EXTERNAL_ID)

SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub/qualys-AbCdEf"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012"

ENVIRON = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HTTPS_PROXY": f"http://scanhub:{PROXY_PASSWORD}@proxy.internal:3128",
    "no_proxy": "169.254.170.2",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca.pem",
    "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:4566",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "ASIAHUBHUBHUBHUBHUB1",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/0f2f",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/token",
    "SCANHUB_EXTERNAL_ID": EXTERNAL_ID,
    "LD_PRELOAD": "/usr/lib/evil.so",
    "HOME": "/home/scanhub",
}


def snapshot(name: str, **changes: Any) -> FunctionSnapshot:
    """A zip function in a spoke, in another region than the hub's."""
    return FunctionSnapshot(
        arn=FunctionArn("aws", "eu-west-1", "210987654321", name),
        code_sha256="p1ZlMQrSf1kZ0hM0oVv2m6PqfH0yXxKq3mCqv6k6WmE=",
        last_modified=datetime(2026, 1, 1, tzinfo=UTC),
        runtime="python3.12",
        **changes,
    )


def session() -> SessionCredentials:
    """A spoke role's session."""
    return SessionCredentials(
        access_key_id="ASIASPOKESPOKESPOKE1",
        secret_access_key=SecretStr(SESSION_KEY),
        session_token=SecretStr(SESSION_TOKEN),
        expires_at=datetime(2026, 1, 1, 1, tzinfo=UTC),
    )


def qualys(**changes: str) -> QualysCredentials:
    """What the secret holds."""
    document = {"qualys_pod": "EU1", "qualys_access_token": TOKEN, "registry_password": REGISTRY_PASSWORD, **changes}
    if "qualys_gateway_url" in document:
        del document["qualys_pod"]
    return parse(json.dumps(document), where=SECRET_ARN)


class Bell:
    """The FIFO through which the double tells how far it is."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        # Open for writing too: else its end is reported whenever no double has it open.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._rest = b""

    async def rung(self) -> dict[str, Any]:
        """The next line."""
        loop = asyncio.get_running_loop()
        while b"\n" not in self._rest:
            readable = asyncio.Event()
            loop.add_reader(self._descriptor, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(self._descriptor)
            self._rest += os.read(self._descriptor, 65536)
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        os.close(self._descriptor)


class Rig:
    """The double as an executable, settings and directories for it, and a look for processes left over at the end."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.control = directory / "control"
        self.control.mkdir()
        self.bell = Bell(self.control / "bell")
        self.binary = self.executable()
        self.work = directory / "work"
        self.redactor = Redactor([EXTERNAL_ID])
        self.clock = ManualClock()
        self.qualys = qualys()
        self._gates: dict[str, int] = {}

    def executable(self, name: str = "qscanner", *, version: str = "qscanner version 4.8.0-2\n") -> Path:
        """The double, with what its `--version` does."""
        path = self.directory / name
        path.write_text(
            # Resolved: a shebang knows no spaces, and the checkout's own path may hold one.
            f"#!{Path(sys.executable).resolve()} -IBS\n"
            "import sys\n"
            f"sys.path.insert(0, {str(Path(qscanner_double.__file__).parent)!r})\n"
            "import qscanner_double\n"
            f"sys.exit(qscanner_double.main({str(self.control)!r}, {version!r}, sys.argv))\n",
            encoding="utf-8",
        )
        path.chmod(0o755)
        return path

    def gate(self, name: str = "go") -> None:
        """Make a FIFO at which the double waits until `open_gate`."""
        os.mkfifo(self.control / name)
        # Held open for writing too, so that neither side waits for the other to open it.
        self._gates[name] = os.open(self.control / name, os.O_RDWR | os.O_NONBLOCK)

    def open_gate(self, name: str = "go") -> None:
        """Let one double go on."""
        os.write(self._gates[name], b".")

    def settings(self, **changes: Any) -> Settings:
        """Valid settings; a `scan_timeout` may be shorter than a user may set."""
        timeout = changes.pop("scan_timeout", 3600)
        settings = Settings(
            **{
                "changes_queue_url": f"{QUEUE}/changes",
                "changes_dlq_url": f"{QUEUE}/changes-dlq",
                "ledger_table": "scanhub-ledger",
                "results_bucket": "scanhub-results",
                "qualys_secret_arn": SECRET_ARN,
                "external_id": EXTERNAL_ID,
                "qscanner_path": self.binary,
                "work_dir": self.work,
                "max_concurrent_scans": 4,
                **changes,
            }
        )
        return settings.model_copy(update={"scan_timeout": timeout})

    async def prepare(
        self, *, patience: Patience | None = None, environ: Mapping[str, str] = ENVIRON, **changes: Any
    ) -> QScanner:
        """The driver, ready."""
        return await prepare(
            self.settings(**changes),
            credentials=lambda: self.qualys,
            redactor=self.redactor,
            environ=environ,
            clock=self.clock,
            patience=patience or Patience(version=30, grace=30, kill=30, hurried=30),
        )

    def scan_directories(self) -> list[str]:
        """What lies in the directory of scans."""
        return sorted(path.name for path in (self.work / "scans").iterdir())

    def processes(self) -> list[int]:
        """The living processes that belong to this test."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                try:
                    known = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                except OSError:
                    continue
                if os.fsencode(self.directory) in known:
                    found.append(int(entry.name))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bell.close()
        for gate in self._gates.values():
            os.close(gate)
        left = self.processes()
        for pid in left:
            os.kill(pid, 9)
        assert left == [], "processes outlive the test"
