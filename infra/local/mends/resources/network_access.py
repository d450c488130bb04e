"""EC2: security groups, endpoints and flow logs.

moto 5.2.5 lets every security group of a template send everywhere, and keeps an endpoint's policy in a form that is no
JSON.
"""

from typing import Any, Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.networks import Fixed, tagged
from infra.local.mends.resources.resource import Properties, Resource

_FLOW_LOG = (
    "DeliverLogsPermissionArn",
    "LogDestination",
    "LogDestinationType",
    "LogFormat",
    "LogGroupName",
    "MaxAggregationInterval",
    "ResourceType",
    "TrafficType",
)
_ENDPOINT_IDS = ("RouteTableIds", "SecurityGroupIds", "SubnetIds")


class SecurityGroup(Resource):
    """A security group."""

    type_name = "AWS::EC2::SecurityGroup"
    name_property = "GroupName"
    known = frozenset({"GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"})
    readable = frozenset({"GroupId", "VpcId"})
    replaced_by = frozenset({"GroupDescription", "Tags", "VpcId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateSecurityGroup does; with rules of its own, the one that lets everything out goes."""
        made = calls.do(
            "ec2",
            "create_security_group",
            GroupName=name,
            Description=properties["GroupDescription"],
            VpcId=properties["VpcId"],
            TagSpecifications=tagged("security-group", properties),
        )
        group = cls(made["GroupId"], {"GroupId": made["GroupId"], "VpcId": properties["VpcId"]})
        group.change(properties, calls)
        return group

    def change(self, properties: Properties, calls: Calls) -> None:
        """As the calls that revoke and authorize rules do."""
        group = calls.do("ec2", "describe_security_groups", GroupIds=[self.physical_resource_id])["SecurityGroups"][0]
        for direction, present in (("Ingress", group["IpPermissions"]), ("Egress", group["IpPermissionsEgress"])):
            wanted = [_permission(rule) for rule in properties.get(f"SecurityGroup{direction}", [])]
            if direction == "Egress" and not wanted:
                wanted = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            if present:
                self._do(f"revoke_security_group_{direction.lower()}", present, calls)
            if wanted:
                self._do(f"authorize_security_group_{direction.lower()}", wanted, calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteSecurityGroup does."""
        calls.do("ec2", "delete_security_group", GroupId=self.physical_resource_id)

    def _do(self, operation: str, permissions: list[dict[str, Any]], calls: Calls) -> None:
        calls.do("ec2", operation, GroupId=self.physical_resource_id, IpPermissions=permissions)


def _permission(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule in CloudFormation's form -> the API's."""
    if unknown := rule.keys() - {"CidrIp", "Description", "FromPort", "IpProtocol", "ToPort"}:
        raise NotImplementedError(f"the embedded cloud knows no {', '.join(sorted(unknown))} of a rule")
    permission: dict[str, Any] = {key: rule[key] for key in ("FromPort", "IpProtocol", "ToPort") if key in rule}
    described = {key: rule[key] for key in ("CidrIp", "Description") if key in rule}
    return {**permission, "IpRanges": [described]}


class Endpoint(Resource):
    """A private way to a service of AWS."""

    type_name = "AWS::EC2::VPCEndpoint"
    known = frozenset(
        {"PolicyDocument", "PrivateDnsEnabled", "ServiceName", "Tags", "VpcEndpointType", "VpcId", *_ENDPOINT_IDS}
    )
    readable = frozenset({"Id"})
    replaced_by = frozenset({"ServiceName", "Tags", "VpcEndpointType", "VpcId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As CreateVpcEndpoint does."""
        given = {key: value for key, value in properties.items() if key != "Tags"}
        tags = tagged("vpc-endpoint", properties)
        made = calls.do("ec2", "create_vpc_endpoint", TagSpecifications=tags, **given)["VpcEndpoint"]
        return cls(made["VpcEndpointId"], {"Id": made["VpcEndpointId"]})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As ModifyVpcEndpoint does."""
        added: dict[str, Any] = {}
        for kind in _ENDPOINT_IDS:
            before, after = set(self.properties.get(kind, [])), set(properties.get(kind, []))
            if before - after:
                added[f"Remove{kind}"] = sorted(before - after)
            if after - before:
                added[f"Add{kind}"] = sorted(after - before)
        given = {key: properties.get(key) for key in ("PolicyDocument", "PrivateDnsEnabled")}
        calls.do("ec2", "modify_vpc_endpoint", VpcEndpointId=self.physical_resource_id, **added, **given)

    def remove(self, calls: Calls) -> None:
        """As DeleteVpcEndpoints does."""
        calls.do("ec2", "delete_vpc_endpoints", VpcEndpointIds=[self.physical_resource_id])


class FlowLog(Fixed):
    """A record of connections."""

    type_name = "AWS::EC2::FlowLog"
    known = frozenset({"ResourceId", "Tags", *_FLOW_LOG})
    readable = frozenset({"Id"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As CreateFlowLogs does."""
        given = {key: properties.get(key) for key in _FLOW_LOG}
        tags = tagged("vpc-flow-log", properties)
        resources = [properties["ResourceId"]]
        answer = calls.do("ec2", "create_flow_logs", ResourceIds=resources, TagSpecifications=tags, **given)
        if not answer["FlowLogIds"]:
            raise RuntimeError(answer["Unsuccessful"][0]["Error"]["Message"])
        return cls(answer["FlowLogIds"][0], {"Id": answer["FlowLogIds"][0]})

    def remove(self, calls: Calls) -> None:
        """As DeleteFlowLogs does."""
        calls.do("ec2", "delete_flow_logs", FlowLogIds=[self.physical_resource_id])
