"""IAM: roles and their policies.

moto 5.2.5 changes a role by making another one, and leaves the policies of a role where they were.
"""

from typing import Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import Properties, Resource

_ROLE = (
    "AssumeRolePolicyDocument",
    "Description",
    "MaxSessionDuration",
    "Path",
    "PermissionsBoundary",
    "Tags",
)


class Role(Resource):
    """A role with its inline and managed policies."""

    type_name = "AWS::IAM::Role"
    name_property = "RoleName"
    known = frozenset({"ManagedPolicyArns", "Policies", "RoleName", *_ROLE})
    readable = frozenset({"Arn", "RoleId"})
    replaced_by = frozenset({"Path"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateRole, PutRolePolicy and AttachRolePolicy do."""
        name = name[-64:]
        given = {key: properties.get(key) for key in _ROLE}
        role = calls.do("iam", "create_role", RoleName=name, **given)["Role"]
        made = cls(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})
        made._grant(properties, calls)  # its own
        return made

    def change(self, properties: Properties, calls: Calls) -> None:
        """As UpdateAssumeRolePolicy, UpdateRole and the calls for its policies do."""
        name = self.physical_resource_id
        document = properties["AssumeRolePolicyDocument"]
        calls.do("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=document)
        given = {key: properties.get(key) for key in ("Description", "MaxSessionDuration")}
        calls.do("iam", "update_role", RoleName=name, **given)
        if boundary := properties.get("PermissionsBoundary"):
            calls.do("iam", "put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
        elif self.properties.get("PermissionsBoundary"):
            calls.do("iam", "delete_role_permissions_boundary", RoleName=name)
        self._revoke(properties, calls)
        self._grant(properties, calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteRole does, after its policies."""
        self._revoke({}, calls)
        calls.do("iam", "delete_role", RoleName=self.physical_resource_id)

    def _grant(self, properties: Properties, calls: Calls) -> None:
        for policy in properties.get("Policies", []):
            calls.do("iam", "put_role_policy", RoleName=self.physical_resource_id, **policy)
        for arn in properties.get("ManagedPolicyArns", []):
            calls.do("iam", "attach_role_policy", RoleName=self.physical_resource_id, PolicyArn=arn)

    def _revoke(self, properties: Properties, calls: Calls) -> None:
        """Take away what the role has and these properties do not give."""
        kept = {policy["PolicyName"] for policy in properties.get("Policies", [])}
        for policy in self.properties.get("Policies", []):
            if policy["PolicyName"] not in kept:
                name = policy["PolicyName"]
                calls.do("iam", "delete_role_policy", RoleName=self.physical_resource_id, PolicyName=name)
        for arn in self.properties.get("ManagedPolicyArns", []):
            if arn not in properties.get("ManagedPolicyArns", []):
                calls.do("iam", "detach_role_policy", RoleName=self.physical_resource_id, PolicyArn=arn)


class Policy(Resource):
    """An inline policy of one or more roles."""

    type_name = "AWS::IAM::Policy"
    known = frozenset({"PolicyDocument", "PolicyName", "Roles"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As PutRolePolicy does."""
        for role in _roles(properties):
            calls.do(
                "iam",
                "put_role_policy",
                RoleName=role,
                PolicyName=properties["PolicyName"],
                PolicyDocument=properties["PolicyDocument"],
            )
        return cls(name)

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutRolePolicy and DeleteRolePolicy do."""
        renamed = properties["PolicyName"] != self.properties["PolicyName"]
        self._take([role for role in _roles(self.properties) if renamed or role not in _roles(properties)], calls)
        type(self).create(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteRolePolicy does."""
        self._take(_roles(self.properties), calls)

    def _take(self, roles: list[str], calls: Calls) -> None:
        for role in roles:
            calls.do("iam", "delete_role_policy", RoleName=role, PolicyName=self.properties["PolicyName"])


def _roles(properties: Properties) -> list[str]:
    roles: list[str] = properties.get("Roles", [])
    return roles
