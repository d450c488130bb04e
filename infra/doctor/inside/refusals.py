"""Why an account does not let the worker in, read from AWS's words.

The suffixes of such messages: IAM user guide, "Troubleshoot access denied error messages". Across accounts AWS often
gives none, and STS answers alike whether there is no such role, or one with another external id, task role or
organization.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """What AWS's words mean.

    Attributes:
        means: In short, for the reason.
        fix: What to do.
    """

    means: str
    fix: str


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


NOT_ENABLED: Final = Refusal(
    "the region is not enabled in this account",
    "enable the region in the account, or leave it out of the StackSet's regions",
)

_TABLE: Final = (
    (
        _words(r"service control policy"),
        Refusal(
            "a service control policy of the organization forbids it",
            "let the policy exempt the role (docs/iam.md has its name and what it calls)",
        ),
    ),
    (
        _words(r"resource control policy"),
        Refusal(
            "a resource control policy of the organization forbids it", "let the policy exempt the hub's task role"
        ),
    ),
    (
        _words(r"permissions boundary"),
        Refusal(
            "the role's permissions boundary forbids it", "let the boundary allow what docs/iam.md lists for the role"
        ),
    ),
    (
        _words(r"identity-based policy .{0,40}sts:AssumeRole", r"sts:AssumeRole.{0,300}identity-based policy"),
        Refusal(
            "the hub's task role may not assume it: another role name or path, or an account of another organization",
            "run `scanhub rollout hub` with the SpokeRoleName and SpokeRolePath of the spokes",
        ),
    ),
    (
        _words(r"identity-based policy", r"session policy"),
        Refusal("the spoke role lacks the permission", "run `scanhub rollout spokes`: it puts the role's policy back"),
    ),
    (
        _words(r"sts:SetSourceIdentity"),
        Refusal("the role's trust lacks sts:SetSourceIdentity", "run `scanhub rollout spokes`: it puts the role back"),
    ),
    (
        _words(r"trust policy", r"resource-based policy"),
        Refusal(
            "the role's trust policy does not admit the worker: another external id, task role or organization",
            "run `scanhub rollout spokes`: it hands on the external id and the task role's ARN",
        ),
    ),
    (
        _words(r"sts:AssumeRole"),
        Refusal(
            "there is no such role, or it expects another external id, task role or organization: STS does not say",
            "see `spoke-stacks` for this account, then run `scanhub rollout spokes`",
        ),
    ),
    (
        _words(r"UnrecognizedClient", r"InvalidClientTokenId", r"security token included in the request is invalid"),
        NOT_ENABLED,
    ),
    (
        _words(r"no connection to"),
        Refusal(
            "there is no such region, or no way to it",
            "let the worker's subnets reach AWS in that region (a NAT gateway)",
        ),
    ),
)


def read(text: str) -> Refusal | None:
    """What the message means; None if its words are not known."""
    return next((refusal for pattern, refusal in _TABLE if pattern.search(text)), None)
