"""The scanner's argv. Nothing secret ever stands there: whoever may list processes reads it."""

import re
from dataclasses import dataclass
from pathlib import Path

from hub.qualys import QualysCredentials
from hub.settings import Settings
from spoke.errors import Unreadable
from spoke.snapshot import FunctionSnapshot

INVENTORY_FORMATS = "json,spdx,cyclonedx"
REPORT_FORMATS = "sarif,json"
MODES_WITH_REPORT = frozenset({"get-report", "evaluate-policy"})

_IMAGE = re.compile(
    r"[a-z0-9][a-z0-9.-]*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+@sha256:[0-9a-f]{64}", re.ASCII
)
"""`registry/repository@digest`, as GetFunction gives `ResolvedImageUri`."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is scanned: the scanner's command and its one argument."""

    command: str
    argument: str


def target(snapshot: FunctionSnapshot, settings: Settings) -> Target:
    """A function or a published version by its ARN; an image by its digest, if the settings say so.

    An image function whose digest is not known is scanned by its ARN: its tag may have moved since, and the result
    would then tell of another function's code.

    Raises:
        Unreadable: The image URI that the API gave is none.
    """
    by_arn = str(snapshot.arn.content)
    if not snapshot.is_image or settings.qscanner_image_command is None:
        return Target(settings.qscanner_command, by_arn)
    if settings.qscanner_image_command != "image":
        return Target(settings.qscanner_image_command, by_arn)
    if snapshot.resolved_image_uri is None:
        return Target(settings.qscanner_command, by_arn)
    if _IMAGE.fullmatch(snapshot.resolved_image_uri) is None:
        raise Unreadable(f"{by_arn}: its resolved image URI is none: {snapshot.resolved_image_uri[:200]!r}")
    return Target("image", snapshot.resolved_image_uri)


def argv(
    settings: Settings, qualys: QualysCredentials, target: Target, *, output_directory: Path, cache_directory: Path
) -> tuple[str, ...]:
    """The whole command line.

    The scanner's own time limit is half of ours: what it bounds beyond collecting data is not known, and the wait for
    the report comes on top.
    """
    platform = ("--pod", qualys.pod) if qualys.pod is not None else ("--gateway-url", qualys.gateway_url or "")
    options: list[str] = [
        *platform,
        *("--mode", settings.qscanner_mode),
        *("--scan-types", ",".join(settings.scan_types)),
        *("--format", INVENTORY_FORMATS),
    ]
    if settings.qscanner_mode in MODES_WITH_REPORT:
        options += ["--report-format", REPORT_FORMATS]
    options += [
        *("--output-dir", str(output_directory)),
        *("--cache", "none"),
        *("--cache-dir", str(cache_directory)),
        *("--scan-timeout", f"{settings.scan_timeout // 2}s"),
    ]
    if settings.qscanner_policy_tags:
        options += ["--policy-tags", ",".join(settings.qscanner_policy_tags)]
    return (str(settings.qscanner_path), *options, target.command, target.argument)
