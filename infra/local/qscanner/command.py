"""The command line: options before or after the command, as `--option value` or `--option=value`."""

import argparse
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from infra.local.qscanner import NOTICE, VERSION
from infra.local.qscanner.exit_codes import ExitCode, ScanFailed

_COMMANDS = ("lambda", "function", "image", "rootfs")
_PODS = ("US1", "US2", "US3", "US4", "EU1", "EU2", "EU3", "IN1", "CA1", "AE1", "UK1", "AU1", "KSA1", "GOV1")
_SCAN_TYPES = ("pkg", "secret", "os", "sca", "malware", "fileinsight", "compliance")
_FORMATS = ("json", "spdx", "spdx-tlv", "cyclonedx")
_REPORT_FORMATS = ("json", "sarif", "table", "gitlab")
_LOG_LEVELS = ("trace", "debug", "info", "warn", "error")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(h|ms|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Mode(StrEnum):
    """What the scanner does; each mode does what the one above does, and more."""

    INVENTORY_ONLY = "inventory-only"
    SCAN_ONLY = "scan-only"
    GET_REPORT = "get-report"
    EVALUATE_POLICY = "evaluate-policy"

    @property
    def reports(self) -> bool:
        """Whether a vulnerability report is written."""
        return self in {Mode.GET_REPORT, Mode.EVALUATE_POLICY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A command line that was understood.

    Attributes:
        command: `lambda`, `function`, `image` or `rootfs`.
        target: A function ARN, an image reference or a directory.
        mode: What to do.
        scan_types: What to look for.
        formats: Inventory files to write.
        report_formats: Reports to write, with a mode that reports.
        output_dir: Where all files go.
        policy_tags: Tags of the policies to evaluate.
        scan_timeout: Seconds for collecting the data; None for no limit.
        proxy: The proxy for the download of the package, beside the usual variables.
        verify_tls: Whether certificates are checked.
        log_level: From what level on lines go to stderr.
    """

    command: str
    target: str
    mode: Mode
    scan_types: tuple[str, ...]
    formats: tuple[str, ...]
    report_formats: tuple[str, ...]
    output_dir: Path
    policy_tags: tuple[str, ...]
    scan_timeout: float | None
    proxy: str | None
    verify_tls: bool
    log_level: str


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would print its usage and leave."""

    def error(self, message: str) -> NoReturn:
        raise ScanFailed(ExitCode.INVALID_PARAMETER, f"invalid parameter: {message}")


def parse(argv: Sequence[str]) -> Options:
    """The options of a command line, without the program's name.

    Raises:
        ScanFailed: Exit code 2, with what is wrong.
        SystemExit: After `--version` or `--help`, which print to stdout.
    """
    given = _parser().parse_args(_booleans_spelled_out(argv))
    mode = Mode(given.mode)
    if given.secret_config_file is not None:
        _check_rule_file(given.secret_config_file)
    if mode is not Mode.INVENTORY_ONLY and given.pod is None and given.gateway_url is None:
        raise ScanFailed(ExitCode.INVALID_PARAMETER, "invalid parameter: --pod or --gateway-url is needed")
    return Options(
        command=given.command,
        target=given.target,
        mode=mode,
        scan_types=_merged(given.scan_types, ("pkg",)),
        formats=_merged(given.format, ("json",)),
        report_formats=_merged(given.report_format, ("json",)),
        output_dir=given.output_dir,
        policy_tags=_merged(given.policy_tags, ()),
        scan_timeout=given.scan_timeout,
        proxy=given.proxy,
        verify_tls=not given.skip_verify_tls,
        log_level=given.log_level,
    )


def _parser() -> _Parser:
    # The raw formatter leaves the lines of --version alone: the first one is the version.
    parser = _Parser(
        prog="qscanner",
        description=NOTICE,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=_COMMANDS)
    parser.add_argument("target", help="function ARN, image reference or directory")
    parser.add_argument("--version", action="version", version=f"qscanner {VERSION}\n{NOTICE}")
    parser.add_argument("--pod", choices=_PODS)
    parser.add_argument("--gateway-url", type=_https_url)
    parser.add_argument("--mode", choices=[str(mode) for mode in Mode], default=str(Mode.GET_REPORT))
    parser.add_argument("--scan-types", action="append", type=_list_of(_SCAN_TYPES))
    parser.add_argument("--format", action="append", type=_list_of(_FORMATS))
    parser.add_argument("--report-format", action="append", type=_list_of(_REPORT_FORMATS))
    parser.add_argument("--output-dir", type=Path, default=Path())
    parser.add_argument("--cache-dir", help="accepted; the stand-in keeps no cache")
    parser.add_argument("--cache", help="accepted; the stand-in keeps no cache")
    parser.add_argument("--policy-tags", action="append", type=_list_of(None))
    parser.add_argument("--scan-timeout", type=_duration)
    parser.add_argument("--secret-config-file", type=Path, help="checked, not applied")
    parser.add_argument("--proxy")
    parser.add_argument("--skip-verify-tls", action="store_true")
    parser.add_argument("--log-level", choices=_LOG_LEVELS, default="info")
    return parser


def _booleans_spelled_out(argv: Sequence[str]) -> list[str]:
    """Go's flag packages also take `--flag=true` and `--flag=false`; argparse takes neither."""
    bare = {"--skip-verify-tls=true": ["--skip-verify-tls"], "--skip-verify-tls=false": []}
    return [part for argument in argv for part in bare.get(argument, [argument])]


def _merged(lists: list[list[str]] | None, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """Every value of a repeated list option once, in the order given."""
    return otherwise if lists is None else tuple(dict.fromkeys(value for values in lists for value in values))


def _list_of(allowed: Sequence[str] | None) -> Callable[[str], list[str]]:
    """What reads a comma list; with `allowed`, of these words only."""

    def read(text: str) -> list[str]:
        values = [value.strip() for value in text.split(",") if value.strip()]
        if not values:
            raise argparse.ArgumentTypeError("an empty list")
        for value in values:
            if allowed is not None and value not in allowed:
                raise argparse.ArgumentTypeError(f"{value!r} is none of {', '.join(allowed)}")
        return values

    return read


def _https_url(text: str) -> str:
    if not re.fullmatch(r"https://[^\s/]+\S*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no https URL")
    return text


def _duration(text: str) -> float:
    """Seconds of a Go duration such as `300s`, `5m` or `1h30m`."""
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 300s or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _check_rule_file(path: Path) -> None:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ScanFailed(
            ExitCode.INVALID_PARAMETER, f"invalid parameter: --secret-config-file {path}: {error}"
        ) from error
