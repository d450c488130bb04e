"""EC2: a VPC, its subnets and its ways out.

moto 5.2.5 drops the names of hosts and most tags, connects no subnet with its routes, and cannot delete a VPC that it
has made from a template.
"""

from typing import Any, ClassVar, Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import Properties, Resource


def tagged(kind: str, properties: Properties) -> list[dict[str, Any]] | None:
    """The tags of a new EC2 resource, in the form of the API."""
    tags = properties.get("Tags")
    return [{"ResourceType": kind, "Tags": tags}] if tags else None


class Fixed(Resource):
    """An EC2 resource that is replaced by any change."""

    @classmethod
    def has_to_be_replaced(cls, changed: set[str]) -> bool:
        """Always."""
        return bool(changed)

    def change(self, properties: Properties, calls: Calls) -> None:
        """Never comes to this."""
        raise NotImplementedError


class Vpc(Resource):
    """A VPC."""

    type_name = "AWS::EC2::VPC"
    known = frozenset({"CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "Tags"})
    readable = frozenset({"CidrBlock", "VpcId"})
    replaced_by = frozenset({"CidrBlock", "Tags"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As CreateVpc and ModifyVpcAttribute do."""
        block = properties["CidrBlock"]
        vpc = calls.do("ec2", "create_vpc", CidrBlock=block, TagSpecifications=tagged("vpc", properties))["Vpc"]
        made = cls(vpc["VpcId"], {"CidrBlock": block, "VpcId": vpc["VpcId"]})
        made.change(properties, calls)
        return made

    def change(self, properties: Properties, calls: Calls) -> None:
        """As ModifyVpcAttribute does."""
        for option in ("EnableDnsSupport", "EnableDnsHostnames"):
            if option in properties:
                value = {option: {"Value": properties[option]}}
                calls.do("ec2", "modify_vpc_attribute", VpcId=self.physical_resource_id, **value)

    def remove(self, calls: Calls) -> None:
        """As DeleteVpc does."""
        calls.do("ec2", "delete_vpc", VpcId=self.physical_resource_id)


class Subnet(Resource):
    """A subnet."""

    type_name = "AWS::EC2::Subnet"
    known = frozenset({"AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "Tags", "VpcId"})
    readable = frozenset({"AvailabilityZone", "SubnetId", "VpcId"})
    replaced_by = frozenset({"AvailabilityZone", "CidrBlock", "Tags", "VpcId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As CreateSubnet and ModifySubnetAttribute do."""
        given = {key: properties.get(key) for key in ("AvailabilityZone", "CidrBlock", "VpcId")}
        tags = tagged("subnet", properties)
        subnet = calls.do("ec2", "create_subnet", TagSpecifications=tags, **given)["Subnet"]
        made = cls(subnet["SubnetId"], {key: subnet[key] for key in cls.readable})
        made.change(properties, calls)
        return made

    def change(self, properties: Properties, calls: Calls) -> None:
        """As ModifySubnetAttribute does."""
        public = {"Value": properties.get("MapPublicIpOnLaunch", False)}
        calls.do("ec2", "modify_subnet_attribute", SubnetId=self.physical_resource_id, MapPublicIpOnLaunch=public)

    def remove(self, calls: Calls) -> None:
        """As DeleteSubnet does."""
        calls.do("ec2", "delete_subnet", SubnetId=self.physical_resource_id)


class InternetGateway(Fixed):
    """A gateway to the internet."""

    type_name = "AWS::EC2::InternetGateway"
    known = frozenset({"Tags"})
    readable = frozenset({"InternetGatewayId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As CreateInternetGateway does."""
        tags = tagged("internet-gateway", properties)
        made = calls.do("ec2", "create_internet_gateway", TagSpecifications=tags)["InternetGateway"]
        return cls(made["InternetGatewayId"], {"InternetGatewayId": made["InternetGatewayId"]})

    def remove(self, calls: Calls) -> None:
        """As DeleteInternetGateway does."""
        calls.do("ec2", "delete_internet_gateway", InternetGatewayId=self.physical_resource_id)


class GatewayAttachment(Fixed):
    """An internet gateway's place at a VPC."""

    type_name = "AWS::EC2::VPCGatewayAttachment"
    known = frozenset({"InternetGatewayId", "VpcId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As AttachInternetGateway does."""
        calls.do("ec2", "attach_internet_gateway", **properties)
        return cls(name)

    def remove(self, calls: Calls) -> None:
        """As DetachInternetGateway does."""
        calls.do("ec2", "detach_internet_gateway", **self.properties)


class Address(Fixed):
    """An elastic IP address."""

    type_name = "AWS::EC2::EIP"
    known = frozenset({"Domain", "Tags"})
    readable = frozenset({"AllocationId", "PublicIp"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As AllocateAddress does."""
        tags, domain = tagged("elastic-ip", properties), properties.get("Domain", "vpc")
        made = calls.do("ec2", "allocate_address", Domain=domain, TagSpecifications=tags)
        return cls(made["PublicIp"], {key: made[key] for key in cls.readable})

    def remove(self, calls: Calls) -> None:
        """As ReleaseAddress does."""
        calls.do("ec2", "release_address", AllocationId=self.attributes["AllocationId"])


class NatGateway(Fixed):
    """A NAT gateway."""

    type_name = "AWS::EC2::NatGateway"
    known = frozenset({"AllocationId", "ConnectivityType", "SubnetId", "Tags"})
    readable = frozenset({"NatGatewayId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As CreateNatGateway does."""
        given = {key: properties.get(key) for key in ("AllocationId", "ConnectivityType", "SubnetId")}
        tags = tagged("natgateway", properties)
        made = calls.do("ec2", "create_nat_gateway", TagSpecifications=tags, **given)["NatGateway"]
        return cls(made["NatGatewayId"], {"NatGatewayId": made["NatGatewayId"]})

    def remove(self, calls: Calls) -> None:
        """As DeleteNatGateway does; its address is free again."""
        calls.do("ec2", "delete_nat_gateway", NatGatewayId=self.physical_resource_id)


class RouteTable(Fixed):
    """A table of routes."""

    type_name = "AWS::EC2::RouteTable"
    known = frozenset({"Tags", "VpcId"})
    readable = frozenset({"RouteTableId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As CreateRouteTable does."""
        tags = tagged("route-table", properties)
        made = calls.do("ec2", "create_route_table", VpcId=properties["VpcId"], TagSpecifications=tags)["RouteTable"]
        return cls(made["RouteTableId"], {"RouteTableId": made["RouteTableId"]})

    def remove(self, calls: Calls) -> None:
        """As DeleteRouteTable does."""
        calls.do("ec2", "delete_route_table", RouteTableId=self.physical_resource_id)


class Route(Fixed):
    """One route of a table."""

    type_name = "AWS::EC2::Route"
    known = frozenset({"DestinationCidrBlock", "GatewayId", "NatGatewayId", "RouteTableId"})
    place: ClassVar[tuple[str, ...]] = ("DestinationCidrBlock", "RouteTableId")

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As CreateRoute does."""
        calls.do("ec2", "create_route", **properties)
        return cls("|".join(properties[key] for key in cls.place))

    def remove(self, calls: Calls) -> None:
        """As DeleteRoute does."""
        calls.do("ec2", "delete_route", **{key: self.properties[key] for key in self.place})


class RouteTableAssociation(Fixed):
    """Which routes a subnet follows."""

    type_name = "AWS::EC2::SubnetRouteTableAssociation"
    known = frozenset({"RouteTableId", "SubnetId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # it has none
        """As AssociateRouteTable does."""
        return cls(calls.do("ec2", "associate_route_table", **properties)["AssociationId"])

    def remove(self, calls: Calls) -> None:
        """As DisassociateRouteTable does."""
        calls.do("ec2", "disassociate_route_table", AssociationId=self.physical_resource_id)
