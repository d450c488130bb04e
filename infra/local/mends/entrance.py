"""The way into an account by a role.

moto 5.2.5 gives a session of any role, whether it is there or not, and looks at no external id. Here a role that wants
another external id, or that is not there though an external id was brought for it, refuses as AWS does
(https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html). Roles that people enter by, without an
external id, need not be there: nobody makes them on a local cloud.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.exceptions import AccessDeniedError
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, STSBackend

from infra.local.mends.replacement import replaced

CALLER = "arn:aws:sts::123456789012:assumed-role/caller/session"
"""As whom AWS names who was refused; moto does not hand over who it was."""


@contextmanager
def mended() -> Iterator[None]:
    """Only a role that is there lets anybody in."""
    with replaced(STSBackend, "assume_role", _guarded(STSBackend.assume_role)):
        yield


def _guarded(original: Callable[..., AssumedRole]) -> Callable[..., AssumedRole]:
    def assume_role(backend: STSBackend, *, role_arn: str, external_id: str | None, **others: Any) -> AssumedRole:
        if not _lets_in(role_arn, external_id):
            raise AccessDeniedError(CALLER, f"sts:AssumeRole on resource: {role_arn}")
        return original(backend, role_arn=role_arn, external_id=external_id, **others)

    return assume_role


def _lets_in(role_arn: str, external_id: str | None) -> bool:
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    for role in iam_backends[account][role_arn.split(":")[1]].roles.values():
        if role.name == name:
            wanted = _external_ids(role.assume_role_policy_document)
            return not wanted or external_id in wanted
    return external_id is None


def _external_ids(document: str | dict[str, Any]) -> set[str]:
    """What the statements of a trust policy ask for."""
    policy = json.loads(document) if isinstance(document, str) else document
    found: set[str] = set()
    for statement in policy.get("Statement", ()):
        for operator in statement.get("Condition", {}).values():
            value = operator.get("sts:ExternalId", ())
            found.update([value] if isinstance(value, str) else value)
    return found
