"""What the session of one scan is called, and what it may do: read one function or version, and nothing else."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from spoke.arn import FunctionArn, partition_of
from spoke.snapshot import FunctionSnapshot

MAX_POLICY = 2048
"""Characters of a session policy (STS's API reference of AssumeRole, `Policy`)."""

MAX_SESSION_NAME = 64
"""Characters of `RoleSessionName` (same)."""

# Whatever goes into a policy is matched first: a `*` or `?` there would widen it.
_LAYER_VERSION = re.compile(r"arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9_-]+:\d+", re.ASCII)
_KEY = re.compile(r"arn:aws[a-zA-Z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-zA-Z0-9-]+", re.ASCII)
# The host of a private registry (`dkr.ecr`, its FIPS and dual-stack forms), then the repository: ECR's user guide.
_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+"
    r"/(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?:[:@].*)?",
    re.ASCII,
)


def session_name(function: FunctionArn) -> str:
    """A `RoleSessionName` that tells which function is scanned: 2 to 64 of the characters that STS allows."""
    # Lambda's names have no dot, so a version's session is called as no function's is.
    version = f".{function.qualifier}" if function.is_version else ""
    name = f"scan-{function.name}{version}"
    if len(name) <= MAX_SESSION_NAME:
        return name
    # Two long names may begin alike; the digits keep their sessions apart in CloudTrail.
    digits = hashlib.sha256(f"{function.name}{version}".encode()).hexdigest()[:6]
    return f"{name[: MAX_SESSION_NAME - 7]}-{digits}"


def session_policy(snapshot: FunctionSnapshot) -> str:
    """The policy that narrows a session to one function or one published version: JSON of at most 2,048 characters.

    A session may do what the role *and* this policy allow. Layers that do not fit are left out, the last ones first.
    """
    layers = [layer for layer in snapshot.layers if _LAYER_VERSION.fullmatch(layer)]
    while True:
        policy = _written(snapshot, layers)
        if len(policy) <= MAX_POLICY or not layers:
            return policy
        layers.pop()


def _written(snapshot: FunctionSnapshot, layers: Sequence[str]) -> str:
    # Lambda asks for the very ARN that is read: a version's, whether it stands in the name or in a parameter beside it
    # (since 2022), and a policy on the function alone admits none of its versions. So each reads itself and no other.
    statements = [_allow("lambda:GetFunction", "lambda:GetFunctionConfiguration", on=str(snapshot.arn.content))]
    if layers:
        statements.append(_allow("lambda:GetLayerVersion", on=list(layers)))
    if snapshot.kms_key_arn is not None and _KEY.fullmatch(snapshot.kms_key_arn):
        # A package under the customer's own key is handed out only to who may decrypt with it.
        statements.append(_allow("kms:Decrypt", on=snapshot.kms_key_arn))
    repository = _repository(snapshot)
    if repository is not None:
        statements.append(_allow("ecr:GetAuthorizationToken", on="*"))
        statements.append(
            _allow("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", on=repository)
        )
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def _allow(*actions: str, on: str | list[str]) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def _repository(snapshot: FunctionSnapshot) -> str | None:
    """The ARN of the image's repository; its registry may belong to another account."""
    if not snapshot.is_image:
        return None
    match = _IMAGE.fullmatch(snapshot.resolved_image_uri or snapshot.image_uri or "")
    if match is None:
        return None
    region = match["region"]
    return f"arn:{partition_of(region)}:ecr:{region}:{match['account']}:repository/{match['repository']}"
