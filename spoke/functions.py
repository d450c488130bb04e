"""GetFunction's answer, or what lists say -> a snapshot, and whether its code can be read."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from spoke import timestamps
from spoke.arn import FunctionArn
from spoke.errors import NotReady, Unreadable
from spoke.snapshot import FunctionSnapshot

UNREADABLE_CODES = frozenset(
    {
        "DisabledKMSKey",
        "ImageAccessDenied",
        "ImageDeleted",
        "InvalidImage",
        "InvalidStateKMSKey",
        "InvalidZipFileException",
        "KMSKeyAccessDenied",
        "KMSKeyNotFound",
    }
)
"""Reason codes that say that nobody can read the code: a key, an image or a broken package.

From the enumerations `StateReasonCode` and `LastUpdateStatusReasonCode` in botocore's Lambda model.
"""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def snapshot_of(function: FunctionArn, answer: Mapping[str, Any]) -> FunctionSnapshot:
    """What GetFunction said, with whatever it left out or said anew.

    Args:
        function: Which was asked for: a function, or a published version.
        answer: The response with `Configuration`, `Code` and, if the role may list them, `Tags`.
            Where `LastModified` is missing or unreadable, the snapshot is older than every other one (1970).
    """
    tags = None if answer.get("TagsError") else dict(answer.get("Tags") or {})
    return configured(function, answer.get("Configuration") or {}, code=answer.get("Code") or {}, tags=tags)


def configured(
    function: FunctionArn,
    configuration: Mapping[str, Any],
    *,
    code: Mapping[str, Any] = MappingProxyType({}),
    tags: Mapping[str, str] | None = None,
) -> FunctionSnapshot:
    """What a `FunctionConfiguration` says, as GetFunction and ListFunctions have it, and what is known besides.

    Args:
        function: As with `snapshot_of`.
        configuration: With whatever was left out or said anew.
        code: GetFunction's `Code`; a list has none.
        tags: None where nothing is known of them.
    """
    resolved = code.get("ResolvedImageUri")
    return FunctionSnapshot(
        arn=function.content,
        code_sha256=configuration.get("CodeSha256") or _digest(resolved),
        last_modified=_moment(configuration.get("LastModified")),
        layers=tuple(layer["Arn"] for layer in configuration.get("Layers") or () if layer.get("Arn")),
        package_type=configuration.get("PackageType") or "Zip",
        architectures=tuple(configuration.get("Architectures") or ("x86_64",)),
        runtime=configuration.get("Runtime"),
        state=configuration.get("State"),
        state_reason_code=configuration.get("StateReasonCode"),
        last_update_status=configuration.get("LastUpdateStatus"),
        last_update_status_reason_code=configuration.get("LastUpdateStatusReasonCode"),
        code_size=configuration.get("CodeSize") or 0,
        image_uri=code.get("ImageUri"),
        resolved_image_uri=resolved,
        code_error=(code.get("Error") or {}).get("ErrorCode"),
        # The package's own key decides who can read it; the other one covers the environment and what runs.
        kms_key_arn=code.get("SourceKMSKeyArn") or configuration.get("KMSKeyArn"),
        tags=tags,
    )


def readiness(snapshot: FunctionSnapshot) -> None:
    """Pass if the code can be read now.

    States that say nothing of the code (`Inactive`, `Failed` for the network's sake, unknown ones) pass.

    Raises:
        NotReady: It is `Pending`, or an update is in progress.
        Unreadable: A reason code says that the key, the image or the package bars the way.
    """
    if snapshot.state == "Pending":
        raise NotReady(f"the function's state is Pending ({snapshot.state_reason_code or 'no reason given'})")
    if snapshot.last_update_status == "InProgress":
        raise NotReady("the function's last update is still in progress")
    for code in (snapshot.state_reason_code, snapshot.last_update_status_reason_code):
        if code in UNREADABLE_CODES:
            raise Unreadable(f"the function's code cannot be read: {code}")
    # Lambda names no list of these codes: what may pass by itself must not count as unreadable.
    if snapshot.code_error is not None and re.search(r"AccessDenied|KMS", snapshot.code_error):
        raise Unreadable(f"Lambda cannot hand out the package: {snapshot.code_error}; may the role use the key?")


def _moment(text: str | None) -> datetime:
    try:
        return timestamps.parse(text) if text else _LONG_AGO
    except ValueError:
        return _LONG_AGO


def _digest(resolved_image_uri: str | None) -> str:
    """The image's digest, where Lambda gives no hash: without one, no change would ever be seen."""
    return (resolved_image_uri or "").partition("@sha256:")[2]
