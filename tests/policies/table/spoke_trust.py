"""Who may take on the spoke's roles: both sides must say so, the worker's policy and the spoke's trust."""

from dataclasses import replace

from tests.policies.row import ALLOWED, DENIED, Row
from tests.policies.table.bus import LYING_SPOKE_RULE, NOBODY, SPOKE_RULE, SPOKE_RULE_ELSEWHERE, STRANGE_ADMINISTRATOR
from tests.policies.table.stacks import (
    ALL_OF_THE_WORKER,
    EXECUTION,
    HUB_ADMINISTRATOR,
    HUB_ON_A_PATH,
    SCHEDULER,
    SPOKE_ADMINISTRATOR,
    SPOKE_IN_THE_HUB,
    SPOKE_ON_A_PATH,
    SPOKE_SESSION,
    THE_HUB,
    THE_SPOKE,
    WORKER,
)
from tests.policies.world import (
    EXTERNAL_ID,
    HUB,
    REGION,
    SPOKE,
    STRANGER,
    Principal,
    administrator,
    role,
    service,
    session,
    spoke,
)

ASSUME, IDENTITY = "sts:AssumeRole", "sts:SetSourceIdentity"
SCAN_ROLE, FORWARD_ROLE = role(THE_SPOKE, "SpokeRole"), role(THE_SPOKE, "ForwardRole")
ON_A_PATH = role(SPOKE_ON_A_PATH, "SpokeRole")
IN_THE_HUB = replace(role(SPOKE_IN_THE_HUB, "SpokeRole"), name="SpokeRole in the hub's account")
# Somebody outside made a spoke of us: his role trusts our worker, and waits for what it would tell him.
LURE = role(spoke(THE_HUB, account=STRANGER), "SpokeRole")
NEAR = replace(SCAN_ROLE, name="a role that is named alike", arn=f"arn:aws:iam::{SPOKE}:role/scanhub-spoke-admin")
OTHER_PATH = replace(SCAN_ROLE, name="the role on another path", arn=f"arn:aws:iam::{SPOKE}:role/x/scanhub-spoke")
POWERFUL = replace(
    SCAN_ROLE, name="an administrator's role", arn=f"arn:aws:iam::{SPOKE}:role/OrganizationAccountAccess"
)
WORKER_ON_A_PATH = session(HUB_ON_A_PATH, "TaskRole", "the worker of a hub with a path")
ROOT = Principal(name="the hub account's root", arn=f"arn:aws:iam::{HUB}:root", account=HUB)
NEIGHBOUR = replace(administrator(SPOKE, "another account's role, named like the worker's"))
NAMESAKE = replace(NEIGHBOUR, arn=f"arn:aws:sts::{SPOKE}:assumed-role/scanhub-worker/session")
MOVED = replace(ALL_OF_THE_WORKER, name="the worker, its account moved out", context={})
CODE = service("lambda", "Lambda", source=f"arn:aws:lambda:{REGION}:{SPOKE}:function:orders-api", account=SPOKE)
OTHER_RULE = service("events", "another rule", source=f"arn:aws:events:{REGION}:{SPOKE}:rule/mine", account=SPOKE)
STRANGE_RULE = service(
    "events", "another account's", source=f"arn:aws:events:{REGION}:{STRANGER}:rule/scanhub-forward", account=STRANGER
)
KNOWN = {"sts:ExternalId": EXTERNAL_ID}
WRONG = {"sts:ExternalId": EXTERNAL_ID.swapcase()}
SCANHUB = {"sts:SourceIdentity": "scanhub"}
GONE = {**KNOWN, "aws:PrincipalOrgID": "o-z9y8x7w6v5"}

ROWS = (
    Row(WORKER, ASSUME, SCAN_ROLE, ALLOWED, "the one who may", KNOWN),
    Row(WORKER, IDENTITY, SCAN_ROLE, ALLOWED, "under its own name in the spoke's CloudTrail", SCANHUB),
    Row(WORKER, ASSUME, SCAN_ROLE, DENIED, "not without the external id"),
    Row(WORKER, ASSUME, SCAN_ROLE, DENIED, "nor with a wrong one", WRONG),
    Row(WORKER, ASSUME, SCAN_ROLE, DENIED, "nor with an empty one", {"sts:ExternalId": ""}),
    Row(WORKER, "sts:TagSession", SCAN_ROLE, DENIED, "session tags could answer conditions of others"),
    Row(WORKER, ASSUME, NEAR, DENIED, "no role of another name, whatever it trusts", KNOWN),
    Row(WORKER, ASSUME, OTHER_PATH, DENIED, "nor on another path", KNOWN),
    Row(WORKER, ASSUME, POWERFUL, DENIED, "least of all an administrator's", KNOWN),
    Row(WORKER, ASSUME, LURE, DENIED, "no role outside the organization, though it trusts the worker", KNOWN),
    Row(WORKER, ASSUME, IN_THE_HUB, ALLOWED, "hub and spoke in one account", KNOWN),
    Row(WORKER, ASSUME, IN_THE_HUB, DENIED, "not without the external id there either"),
    Row(HUB_ADMINISTRATOR, ASSUME, IN_THE_HUB, DENIED, "and nobody else of that account", KNOWN),
    Row(WORKER, ASSUME, ON_A_PATH, DENIED, "the path is part of the role's name", KNOWN),
    Row(WORKER_ON_A_PATH, ASSUME, ON_A_PATH, ALLOWED, "SpokeRolePath on both sides", KNOWN),
    Row(WORKER_ON_A_PATH, ASSUME, SCAN_ROLE, DENIED, "the same", KNOWN),
    Row(MOVED, ASSUME, SCAN_ROLE, DENIED, "a hub that left the organization", GONE),
    Row(MOVED, IDENTITY, SCAN_ROLE, DENIED, "a hub that left the organization", {"aws:PrincipalOrgID": "o-z9y8x7w6v5"}),
    Row(ALL_OF_THE_WORKER, ASSUME, SCAN_ROLE, DENIED, "the spoke itself asks for the external id"),
    Row(EXECUTION, ASSUME, SCAN_ROLE, DENIED, "another role of the hub's account", KNOWN),
    Row(SCHEDULER, ASSUME, SCAN_ROLE, DENIED, "another role of the hub's account", KNOWN),
    Row(HUB_ADMINISTRATOR, ASSUME, SCAN_ROLE, DENIED, "the hub's administrator with the external id", KNOWN),
    Row(ROOT, ASSUME, SCAN_ROLE, DENIED, "the hub account's root", KNOWN),
    Row(SPOKE_ADMINISTRATOR, ASSUME, SCAN_ROLE, DENIED, "the spoke's administrator", KNOWN),
    Row(NAMESAKE, ASSUME, SCAN_ROLE, DENIED, "another account's role of the worker's name", KNOWN),
    Row(SPOKE_SESSION, ASSUME, SCAN_ROLE, DENIED, "a session does not renew itself", KNOWN),
    Row(STRANGE_ADMINISTRATOR, ASSUME, SCAN_ROLE, DENIED, "another organization that learned the external id", KNOWN),
    Row(NOBODY, ASSUME, SCAN_ROLE, DENIED, "nobody without credentials", KNOWN),
    Row(CODE, ASSUME, SCAN_ROLE, DENIED, "no function runs with it", KNOWN),
    # ---- the forward role
    Row(SPOKE_RULE, ASSUME, FORWARD_ROLE, ALLOWED, "the rule of the primary region"),
    Row(SPOKE_RULE_ELSEWHERE, ASSUME, FORWARD_ROLE, ALLOWED, "and those of all others"),
    Row(OTHER_RULE, ASSUME, FORWARD_ROLE, DENIED, "no other rule"),
    Row(LYING_SPOKE_RULE, ASSUME, FORWARD_ROLE, DENIED, "source and account must both be the spoke's"),
    Row(STRANGE_RULE, ASSUME, FORWARD_ROLE, DENIED, "no confused deputy"),
    Row(CODE, ASSUME, FORWARD_ROLE, DENIED, "no other service"),
    Row(WORKER, ASSUME, FORWARD_ROLE, DENIED, "the worker has no use for it", KNOWN),
    Row(SPOKE_ADMINISTRATOR, ASSUME, FORWARD_ROLE, DENIED, "nobody puts events on the bus by hand"),
)
