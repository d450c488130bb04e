"""What to do about the reasons that CloudFormation gives most often."""

import re

_HINTS = {
    r"service.linked role": (
        "make the role: aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com (or what the reason "
        "names), and run the command again"
    ),
    r"AWSCloudFormationStackSetExecutionRole|stacksets-exec-": (
        "StackSets cannot enter the account: activate trusted access for StackSets (aws cloudformation "
        "activate-organizations-access), and see that no service control policy denies it"
    ),
    r"explicit deny|service control policy|\bSCP\b": (
        "a service control policy or a permissions boundary denies it: allow it for the role that deploys "
        "(docs/rollout.md lists what it needs)"
    ),
    r"AccessDenied|access denied|not authorized|UnauthorizedOperation": (
        "whoever deploys lacks this permission: docs/rollout.md lists what is needed"
    ),
    r"AlreadyExists|already exists": (
        "something of this name is there already, perhaps kept from an earlier installation: delete or rename it, and "
        "run the command again"
    ),
    r"LimitExceeded|limit exceeded|quota|maximum number of": (
        "a quota is used up: have it raised in Service Quotas, and run the command again"
    ),
    r"Throttling|Rate exceeded|Too Many Requests": "AWS asked for patience: run the command again",
    r"OptInRequired|not opted|region.{0,20}(disabled|not enabled)|security token included in the request is invalid": (
        "the region is not enabled in that account: enable it there, or leave the region out"
    ),
    r"suspended": "the account is suspended: nothing can be deployed to it",
    r"failure tolerance": "others failed before it: mend those first, or raise --failure-tolerance",
    r"cannot be assumed|Invalid principal in policy": (
        "a role that it names is not there: the hub's, see scanhub rollout hub; the spoke's, see its primary region"
    ),
    r"CannotPull|image.{0,40}(not found|does not exist)|ResourceInitializationError": (
        "the tasks cannot get their image or their secrets: look at the image's architecture, its repository, and the "
        "way from the subnets to AWS"
    ),
    r"Circuit Breaker|did not stabilize|failed to stabilize": (
        "the tasks do not stay up: their log group /scanhub/worker and scanhub doctor tell why"
    ),
}
"""Patterns, the most telling first."""


def hint(reason: str) -> str:
    """What to do about a reason, in one line; empty if nothing is known."""
    return next((what for pattern, what in _HINTS.items() if re.search(pattern, reason, re.IGNORECASE)), "")


def with_hint(reason: str) -> str:
    """The reason, and what to do about it if that is known."""
    what = hint(reason)
    return f"{reason.rstrip('.')}; {what}" if what else reason
