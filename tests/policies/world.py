"""Who is who in the table: two organizations, their accounts, the stacks in them, and what AWS tells of a caller."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from spoke.arn import FunctionArn
from spoke.session_policy import session_policy
from spoke.snapshot import FunctionSnapshot
from tests.policies.evaluator import ANONYMOUS, Policy
from tests.policies.rendering import Rendered, rendered

ORGANIZATION, STRANGE_ORGANIZATION = "o-a1b2c3d4e5", "o-z9y8x7w6v5"
REGION, OTHER_REGION = "eu-central-1", "us-east-1"
HUB, SPOKE, OTHER_SPOKE, STRANGER = "123456789012", "210987654321", "345678901234", "987654321098"
ORGANIZATIONS = {HUB: ORGANIZATION, SPOKE: ORGANIZATION, OTHER_SPOKE: ORGANIZATION, STRANGER: STRANGE_ORGANIZATION}
EXTERNAL_ID = "kZq3vR8nT1xW6yB4mJ7pL2sD9fG5hC0aQeUiOoXw"
BOUNDARY: Policy = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "ReadOnlyHere", "Effect": "Allow", "Action": ["lambda:Get*", "lambda:List*"], "Resource": "*"}
    ],
}
EVERYTHING: Policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
"""An administrator's policy: whoever has it is stopped by the other side alone."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Somebody who calls.

    Attributes:
        name: In the table's words.
        arn: A session's, an account root's, a service's name or `ANONYMOUS`.
        account: None for a service and for nobody.
        identity: What its own policies allow.
        session: What narrows its session.
        boundary: Its permissions boundary.
        endpoint: The policy of the VPC endpoint that it calls through.
        context: What AWS tells of it, beside account and organization.
    """

    name: str
    arn: str
    account: str | None = None
    identity: tuple[Policy, ...] = ()
    session: Policy | None = None
    boundary: Policy | None = None
    endpoint: Policy | None = None
    context: Mapping[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, str]:
        """The condition keys about the caller."""
        told = dict(self.context)
        if self.account is not None:
            told["aws:PrincipalAccount"] = self.account
            told["aws:PrincipalOrgID"] = ORGANIZATIONS[self.account]
            told["aws:PrincipalArn"] = _role_of(self.arn)
        elif self.arn != ANONYMOUS:
            told["aws:PrincipalIsAWSService"] = "true"
        return told


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Something that is called upon."""

    name: str
    arn: str
    account: str
    policy: Policy | None = None


def administrator(account: str, name: str = "") -> Principal:
    """Somebody of an account whose own policies allow everything."""
    arn = f"arn:aws:sts::{account}:assumed-role/admin/jane"
    return Principal(name=name or f"an administrator of {account}", arn=arn, account=account, identity=(EVERYTHING,))


def session(stack: Rendered, role: str, name: str, *, called: str = "session") -> Principal:
    """The session of a role of a template, with all that its policies allow."""
    return Principal(
        name=name,
        arn=f"arn:{stack.stack.partition}:sts::{stack.stack.account}:assumed-role/{stack.ref(role)}/{called}",
        account=stack.stack.account,
        identity=stack.identity(role),
    )


def service(host: str, name: str, *, source: str | None = None, account: str | None = None) -> Principal:
    """An AWS service, and on whose behalf it calls."""
    told = {"aws:SourceArn": source, "aws:SourceAccount": account}
    return Principal(
        name=name, arn=f"{host}.amazonaws.com", context={key: one for key, one in told.items() if one is not None}
    )


def resource(stack: Rendered, logical_name: str, *, path: str = "", policy: bool = True) -> Resource:
    """A resource of a template with its policy; `path` is put behind its ARN."""
    return Resource(
        name=logical_name,
        arn=stack.arn(logical_name) + path,
        account=stack.stack.account,
        policy=stack.policy(logical_name) if policy else None,
    )


def role(stack: Rendered, logical_name: str) -> Resource:
    """A role of a template, to be assumed."""
    arn, account = stack.arn(logical_name), stack.stack.account
    return Resource(name=logical_name, arn=arn, account=account, policy=stack.trust(logical_name))


def _role_of(session_arn: str) -> str:
    """`aws:PrincipalArn` is the role's, not its session's."""
    if ":assumed-role/" not in session_arn:
        return session_arn
    head, _, tail = session_arn.partition(":assumed-role/")
    return f"{head.replace(':sts:', ':iam:')}:role/{tail.split('/')[0]}"


def hub(region: str = REGION, partition: str = "aws", **parameters: str) -> Rendered:
    """The hub with its service and its schedule; parameters differ where they are given."""
    network = {"VpcId": "vpc-0a1b2c3d4e5f60718", "SubnetIds": "subnet-0a1b2c3d,subnet-4e5f6071"}
    image = f"{HUB}.dkr.ecr.{region}.amazonaws.com/scanhub@sha256:{'0f' * 32}"
    given = {"ScannerImageUri": image, "BulkScanSchedule": "rate(1 day)", **network, **parameters}
    return rendered("hub.yaml", account=HUB, region=region, partition=partition, OrganizationId=ORGANIZATION, **given)


def network(**parameters: str) -> Rendered:
    """The hub's VPC."""
    return rendered("hub-network.yaml", account=HUB, region=REGION, **parameters)


def spoke(
    hub: Rendered, account: str = SPOKE, region: str = REGION, partition: str = "aws", **parameters: str
) -> Rendered:
    """A spoke of that hub, in its primary region unless told otherwise."""
    given = {
        "HubBusArn": hub.outputs["BusArn"],
        "HubTaskRoleArn": hub.outputs["TaskRoleArn"],
        "OrganizationId": ORGANIZATION,
        "ScannerExternalId": EXTERNAL_ID,
        "RoleRegion": REGION,
        **parameters,
    }
    return rendered("spoke.yaml", account=account, region=region, partition=partition, **given)


ORDERS = FunctionArn("aws", REGION, SPOKE, "orders-api")
NEIGHBOUR = FunctionArn("aws", REGION, SPOKE, "orders-api-2")
LAYER = f"arn:aws:lambda:{REGION}:{SPOKE}:layer:shared-libraries:7"
CODE_KEY = f"arn:aws:kms:{REGION}:{SPOKE}:key/7d0c1f6e-41f2-4b0f-9a53-2f1f0d5b8a11"
OTHER_KEY = f"arn:aws:kms:{REGION}:{SPOKE}:key/11111111-2222-4333-8444-555555555555"
REPOSITORY = f"arn:aws:ecr:{REGION}:{SPOKE}:repository/shop/checkout"
ZIP = FunctionSnapshot(
    arn=ORDERS,
    code_sha256="dpKPvmrCpyTQTwm1Pn6T8pXwoX8xgWQ+a5nP1yyLpkQ=",
    last_modified=datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
    runtime="python3.13",
    layers=(LAYER,),
    kms_key_arn=CODE_KEY,
)
IMAGE = FunctionSnapshot(
    arn=FunctionArn("aws", REGION, SPOKE, "checkout"),
    code_sha256="0f" * 32,
    last_modified=datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
    package_type="Image",
    resolved_image_uri=f"{SPOKE}.dkr.ecr.{REGION}.amazonaws.com/shop/checkout@sha256:{'0f' * 32}",
)


def narrowed(principal: Principal, snapshot: FunctionSnapshot) -> Principal:
    """The session of one scan: the policy is the very one that the worker hands to STS."""
    return Principal(
        name=f"the scan of {snapshot.arn.name}",
        arn=principal.arn,
        account=principal.account,
        identity=principal.identity,
        session=json.loads(session_policy(snapshot)),
    )
