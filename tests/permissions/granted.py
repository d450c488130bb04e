"""What the templates allow, rendered for where the embedded cloud deployed them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from infra.permissions.templates import as_list
from tests.permissions.checks import UNNAMED_ORGANIZATION, Check
from tests.permissions.work import Work
from tests.policies.evaluator import Policy, Request
from tests.policies.rendering import Rendered, rendered

HUB_ROLE, SPOKE_ROLE = "TaskRole", "SpokeRole"
OWN_KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-1111-4222-8333-444455556666"
_WITH_POLICIES = {
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
}


@dataclass(frozen=True, kw_only=True)
class Permission:
    """One action on one resource that a role's statement allows.

    Attributes:
        role: Its logical id.
        arn: Its ARN.
        sid: The statement's.
        action: It may hold wildcards.
        resource: Same.
    """

    role: str
    arn: str
    sid: str
    action: str
    resource: str

    def used_by(self, checks: Iterable[Check]) -> bool:
        """Whether one of them is this."""
        return any(
            check.role == self.arn
            and fnmatchcase(check.action, self.action)
            and fnmatchcase(check.resource, self.resource)
            for check in checks
        )


@dataclass(frozen=True, kw_only=True)
class Granted:
    """The policies of a deployment.

    Attributes:
        hub: As deployed, what is optional left out.
        spoke: Same.
        full_hub: With all that can be allowed by parameter.
        full_spoke: Same.
        renamed: What the cloud made up names for -> the names that are made up for it here.
        organization: That all belong to.
    """

    hub: Rendered
    spoke: Rendered
    full_hub: Rendered
    full_spoke: Rendered
    renamed: Mapping[str, str]
    organization: str

    @classmethod
    def of(cls, work: Work) -> "Granted":
        """What was deployed there."""
        deployment = work.deployment
        place = {"account": deployment.hub_account, "region": deployment.hub_region}
        hub = rendered("hub.yaml", **place, OrganizationId=deployment.organization)
        full_hub = rendered("hub.yaml", **place, OrganizationId=deployment.organization, QualysSecretKmsKeyArn=OWN_KEY)
        member = {"account": deployment.spokes[0], "region": deployment.regions[0]}
        secrets = deployment.client("secretsmanager")
        external_id = secrets.get_secret_value(SecretId=deployment.outputs["ExternalIdSecretArn"])["SecretString"]
        given = {
            "HubBusArn": hub.outputs["BusArn"],
            "HubTaskRoleArn": hub.outputs["TaskRoleArn"],
            "OrganizationId": deployment.organization,
            "ScannerExternalId": external_id,
            "RoleRegion": deployment.regions[0],
        }
        renamed = {deployment.outputs[name]: hub.outputs[name] for name in hub.outputs if name in deployment.outputs}
        return cls(
            hub=hub,
            spoke=rendered("spoke.yaml", **member, **given),
            full_hub=full_hub,
            full_spoke=rendered("spoke.yaml", **member, **given, DecryptCode="true"),
            renamed=renamed,
            organization=deployment.organization,
        )

    @property
    def key(self) -> str:
        """The hub's, under which all lies that it keeps."""
        return self.hub.arn("Key")

    def named(self, check: Check) -> Check:
        """The same with the names that the policies have here."""
        context = {
            key: self.renamed.get(value, value) if isinstance(value, str) else value
            for key, value in check.context.items()
        }
        resource = self.renamed.get(check.resource, check.resource)
        return replace(check, resource=resource.replace(UNNAMED_ORGANIZATION, self.organization), context=context)

    def request(self, check: Check) -> Request:
        """What the evaluator is asked."""
        of_hub = check.role == self.hub.arn(HUB_ROLE)
        session = check.call.session
        return Request(
            principal=session.arn,
            action=check.action,
            resource=check.resource,
            account=check.account,
            context={
                "aws:SecureTransport": "true",
                "aws:PrincipalOrgID": self.organization,
                "aws:ResourceOrgID": self.organization,
                **check.context,
            },
            identity=self.hub.identity(HUB_ROLE) if of_hub else self.spoke.identity(SPOKE_ROLE),
            resource_policy=self._resource_policy(check.resource),
            session=None if session.policy is None else json.loads(session.policy),
        )

    def _resource_policy(self, resource: str) -> Policy | None:
        if resource == self.spoke.arn(SPOKE_ROLE):
            return self.spoke.trust(SPOKE_ROLE)
        for name, one in self.hub.resources.items():
            if one["Type"] in _WITH_POLICIES and fnmatchcase(resource, f"{self.hub.arn(name)}*"):
                try:
                    return self.hub.policy(name)
                except KeyError:
                    return None
        return None

    def permissions(self) -> Iterator[Permission]:
        """All that the two roles of the worker may be allowed."""
        for template, role in ((self.full_hub, HUB_ROLE), (self.full_spoke, SPOKE_ROLE)):
            for policy in template.identity(role):
                yield from _permissions(policy, role, template.arn(role))

    def through(self) -> Iterator[tuple[str, str, str]]:
        """Role, statement and each service through which alone a key may be used."""
        for template, role in ((self.hub, HUB_ROLE), (self.spoke, SPOKE_ROLE)):
            for policy in template.identity(role):
                for statement in policy["Statement"]:
                    for tests in statement.get("Condition", {}).values():
                        for service in as_list(tests.get("kms:ViaService", [])):
                            yield role, statement["Sid"], service


def _permissions(policy: Policy, role: str, arn: str) -> Iterator[Permission]:
    statements: Iterable[Mapping[str, Any]] = as_list(policy["Statement"])
    for statement in statements:
        for action in as_list(statement["Action"]):
            for resource in as_list(statement["Resource"]):
                yield Permission(role=role, arn=arn, sid=statement["Sid"], action=action, resource=resource)
