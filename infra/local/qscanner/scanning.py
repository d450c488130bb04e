"""From a command line that was understood to a finished scan."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from infra.local.qscanner.advisories import advisories, match
from infra.local.qscanner.archive import read_zip, safe_path
from infra.local.qscanner.command import Options
from infra.local.qscanner.directory import read_directory
from infra.local.qscanner.documents.report import table
from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.function import Network, describe, downloaded
from infra.local.qscanner.limits import Budget, Limits
from infra.local.qscanner.scan import Contents, Scan, Target
from spoke.arn import FunctionArn, InvalidArn

__all__ = ["scan", "table"]

_DETAILS = (
    "FunctionArn",
    "FunctionName",
    "Runtime",
    "Handler",
    "Architectures",
    "PackageType",
    "CodeSha256",
    "CodeSize",
    "LastModified",
    "Version",
    "Layers",
)


def scan(options: Options, environ: Mapping[str, str], limits: Limits) -> Scan:
    """Read the target and match what is in it.

    Args:
        options: The command line.
        environ: Credentials, region and endpoint.
        limits: What reading may cost.

    Raises:
        ScanFailed: The target cannot be had or read.
    """
    started_at = datetime.now(UTC)
    budget = Budget(limits, seconds=options.scan_timeout)
    wanted = set(options.scan_types)
    contents = Contents(budget, packages=bool(wanted & {"pkg", "sca"}), secrets="secret" in wanted)
    for scan_type in sorted(wanted - {"pkg", "sca", "secret"}):
        budget.warn(f"scan type {scan_type} is accepted and not done by the stand-in")
    if options.command == "rootfs":
        target = _read_directory(options, contents)
    else:
        target = _read_function(options, environ, contents, budget)
    packages = tuple(sorted(contents.packages))
    findings = match(packages, advisories(), budget)
    return Scan(
        target=target,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        packages=packages,
        secrets=tuple(sorted(contents.secrets)) if "secret" in wanted else None,
        findings=tuple(findings),
        warnings=tuple(budget.warnings),
    )


def _read_directory(options: Options, contents: Contents) -> Target:
    root = Path(options.target)
    contents.collect(partial(read_directory, root), layer="")
    name = str(root.resolve())
    return Target(kind="rootfs", name=name, prefix=_prefix(root.resolve().name, name), sha256=None, details={})


def _read_function(options: Options, environ: Mapping[str, str], contents: Contents, budget: Budget) -> Target:
    try:
        arn = FunctionArn.parse(options.target)
    except InvalidArn as error:
        raise ScanFailed(ExitCode.INVALID_PARAMETER, f"invalid parameter: {error}") from error
    network = Network(environ, options.proxy, options.verify_tls)
    function = describe(arn, network, budget)
    digests = []
    for package in (function.code, *function.layers):
        with downloaded(package, network, budget) as (stream, digest):
            contents.collect(partial(read_zip, stream), layer=f"sha256:{digest}")
            digests.append(digest)
    details = {name: function.configuration[name] for name in _DETAILS if name in function.configuration}
    return Target(kind="lambda", name=str(arn), prefix=_prefix(arn.name, str(arn)), sha256=digests[0], details=details)


def _prefix(name: str, whole: str) -> str:
    """A file name's beginning that differs for every target."""
    return f"{safe_path(name) or 'rootfs'}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"
