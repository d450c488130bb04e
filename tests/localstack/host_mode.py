"""LocalStack in host mode: a child process on a free loopback port, in its own virtual environment, without Docker.

What it cannot do without its container is taken from a moto server: `Localstack.environment` names both, in the
variables that every AWS SDK reads (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
"""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv-localstack"
EXTENSION = Path(__file__).with_name("extension")

ACCOUNT = "123456789012"
"""The account of the credentials in `Localstack.environment`.

LocalStack takes twelve digits as access key id for the account itself. moto takes every credential that it did not
issue for this account: only so do both speak of the same one.
"""

SERVICES = (
    "cloudformation",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "resourcegroupstaggingapi",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "sts",
)
"""What LocalStack serves. Any other call fails loudly, instead of meeting an emulation that nobody looked at."""

FROM_MOTO = ("APPLICATION_AUTO_SCALING", "DYNAMODB", "ECR", "ECS", "ORGANIZATIONS", "SECURITYHUB")
"""What LocalStack in host mode lacks: the `<SERVICE>` of the `AWS_ENDPOINT_URL_<SERVICE>` that lead to moto."""

READY_WITHIN = 90.0
"""Seconds. It takes five to seven on two idle cores, much longer on busy ones."""


class LocalstackUnavailable(Exception):
    """LocalStack is not installed, or did not start. The message says what to do, or shows the log."""


@dataclass(frozen=True)
class Localstack:
    """A LocalStack that is ready.

    `endpoint` and `moto` are URLs without a path. `environment` is complete for an AWS SDK or a child process:
    endpoints, credentials of the hub account, no way to a real one. `pid` is LocalStack's process, `log` its output.
    """

    endpoint: str
    moto: str
    environment: Mapping[str, str]
    pid: int
    log: Path

    def log_tail(self, lines: int = 60) -> str:
        """Return the last lines of the log, for a failure's report."""
        return _tail(self.log, lines)


@contextmanager
def running(moto: str, directory: Path, *, region: str, venv: Path = VENV) -> Iterator[Localstack]:
    """Run an empty LocalStack, which keeps all its files in `directory`, until the block ends.

    `moto` is the endpoint of a moto server. LocalStack listens on 127.0.0.1 alone, downloads nothing and has ended,
    with everything that it started, when this returns, or when the calling process ends in whatever way.

    Raises `LocalstackUnavailable`.
    """
    python = venv / "bin" / "python"
    if not python.exists():
        raise LocalstackUnavailable(f"no LocalStack in {venv}: run `make test-localstack`, which installs it there")
    port = _free_port()
    log = directory / "localstack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-m", "localstack.runtime.main"],
            cwd=directory,
            env=_settings(port, moto, directory, venv),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _wait_until_ready(endpoint, process, log)
        yield Localstack(endpoint, moto, MappingProxyType(_environment(endpoint, moto, region)), process.pid, log)
    finally:
        # Asked to stop, it takes two to six seconds and now and then never ends. It holds nothing worth that.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _settings(port: int, moto: str, directory: Path, venv: Path) -> dict[str, str]:
    return {
        "PATH": f"{venv / 'bin'}:{os.defpath}",
        "HOME": str(directory),
        "PYTHONPATH": str(EXTENSION),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",  # or its URLs name a host that needs a name server
        "GATEWAY_SERVER": "hypercorn",  # the default one listens on every address, whatever GATEWAY_LISTEN says
        "SQS_ENDPOINT_STRATEGY": "path",  # or queue URLs name a host below 127.0.0.1, which is none
        "FILESYSTEM_ROOT": str(directory / "files"),
        "OVERRIDE_IN_DOCKER": "0",  # or it takes any container for its own and writes to /var/lib and /etc
        "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
        "LAMBDA_RUNTIME_EXECUTOR": "none",
        "PROVIDER_OVERRIDE_DYNAMODB": "elsewhere",
        "HOSTMODE_DYNAMODB_URL": moto,
        "SERVICES": ",".join(SERVICES),
        "EAGER_SERVICE_LOADING": "1",  # or the first call to each service waits seconds for its import
        # the newer engine of 4.9 refuses a reference to a resource that a condition left out (its pull request 13664)
        "PROVIDER_OVERRIDE_CLOUDFORMATION": "engine-legacy",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",  # no usage data to its maker
        "DNS_ADDRESS": "0",
    }


def _environment(endpoint: str, moto: str, region: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        **{f"AWS_ENDPOINT_URL_{service}": moto for service in FROM_MOTO},
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LocalstackUnavailable(f"LocalStack ended with {process.returncode} at its start:\n{_tail(log, 60)}")
        if _is_ready(endpoint):
            return
        time.sleep(0.1)
    raise LocalstackUnavailable(f"LocalStack was not ready within {READY_WITHIN:.0f} s:\n{_tail(log, 60)}")


def _is_ready(endpoint: str) -> bool:
    """Tell whether every service runs: the port opens before they do."""
    try:
        with urlopen(f"{endpoint}/_localstack/health", timeout=5) as answer:  # noqa: S310  # loopback
            states = json.load(answer)["services"]
    except (URLError, OSError, ValueError):
        return False
    return all(states.get(service) == "running" for service in SERVICES)


def _tail(log: Path, lines: int) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
