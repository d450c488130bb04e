"""Bucket policies without their conditions.

moto 5.2.5 reads a bucket's policy and passes over the `Condition` of its statements, so that "deny what comes without
TLS" denies everything. Here a statement with a condition has no say. (It would be right to deny, too: the local cloud
speaks plain HTTP on the loopback address.)
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket

from infra.local.mends.replacement import replaced


@contextmanager
def mended() -> Iterator[None]:
    """Conditional statements are passed over."""
    with replaced(FakeBucket, "get_permission", _permission):
        yield


def _permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    policy = json.loads(bucket.policy)
    policy["Statement"] = [one for one in policy["Statement"] if "Condition" not in one]
    said: PermissionResult = IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)
    return said
