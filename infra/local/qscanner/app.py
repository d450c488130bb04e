"""The entry point `qscanner-stand-in`: one command line, one scan, one exit code."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from infra.local.qscanner import NAME, NOTICE, VERSION
from infra.local.qscanner.command import Mode, Options, parse
from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.limits import Limits
from infra.local.qscanner.log import Log


def main() -> None:
    """Run with the process's own arguments, environment and streams, and exit."""
    sys.exit(run(sys.argv[1:], os.environ, sys.stdout, sys.stderr))


def run(
    argv: Sequence[str], environ: Mapping[str, str], stdout: TextIO, stderr: TextIO, *, limits: Limits | None = None
) -> int:
    """One run of the scanner.

    Args:
        argv: Without the program's name.
        environ: Where the token and the AWS credentials are looked for.
        stdout: Gets the table, if asked for.
        stderr: Gets everything else.
        limits: What reading a package may cost.

    Returns:
        The exit code, as in the contract.

    Raises:
        SystemExit: After `--version` and `--help`, which print to the process's stdout.
    """
    log = Log(stderr)
    try:
        options = parse(argv)
        log = Log(stderr, options.log_level)
        # Whatever the level: nobody shall take it for the licensed scanner.
        log.write("error" if options.log_level == "error" else "warn", f"{NAME} {VERSION}. {NOTICE}")
        return _scan(options, environ, stdout, log, limits or Limits())
    except ScanFailed as failure:
        log.write("error", failure.message)
        return failure.code
    except OSError as error:
        # Reading raises ScanFailed; what is left is our own temporary space.
        log.write("error", f"failed to write temporary files: {error}")
        return ExitCode.RESULT_UNWRITABLE


def _scan(options: Options, environ: Mapping[str, str], stdout: TextIO, log: Log, limits: Limits) -> int:
    if options.mode is not Mode.INVENTORY_ONLY and not environ.get("QUALYS_ACCESS_TOKEN", "").strip():
        raise ScanFailed(ExitCode.GENERIC, "authentication failed: 401 unauthorized: QUALYS_ACCESS_TOKEN is not set")
    if options.command == "image":
        raise ScanFailed(ExitCode.ARTIFACT_FAILED, f"image {options.target}: the stand-in cannot read container images")

    # Only now: --version and a wrong option must not wait for the AWS SDK.
    try:
        from infra.local.qscanner.output import write  # noqa: PLC0415  # brings the SBOM writers
        from infra.local.qscanner.scanning import scan, table  # noqa: PLC0415  # brings the AWS SDK
    except ImportError as error:
        raise ScanFailed(
            ExitCode.GENERIC, f"{error.name} is missing: install scanhub with its extra `local`"
        ) from error

    done = scan(options, environ, limits)
    for warning in done.warnings:
        log.write("warn", warning)
    for file in write(done, options):
        log.write("info", f"wrote {file}")
    if options.mode.reports and "table" in options.report_formats:
        stdout.write(table(done))
    secrets = "no" if done.secrets is None else len(done.secrets)
    log.write("info", f"{len(done.packages)} packages, {len(done.findings)} advisories, {secrets} secrets")
    return _verdict(options, critical=any(finding.advisory.severity == 5 for finding in done.findings))


def _verdict(options: Options, *, critical: bool) -> ExitCode:
    """The stand-in's one policy: no critical vulnerability. Any tag selects it; without a tag none is evaluated."""
    if options.mode is not Mode.EVALUATE_POLICY:
        return ExitCode.DONE
    if not options.policy_tags:
        return ExitCode.POLICY_AUDIT
    return ExitCode.POLICY_DENY if critical else ExitCode.DONE


if __name__ == "__main__":
    main()
