"""What `hub-network.yaml` makes."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.local.cloud import EmbeddedCloud
from infra.local.stacks import bring_up
from tests.conftest import forget_aws

PRIVATE = {
    f"com.amazonaws.eu-central-1.{name}"
    for name in ("ecr.api", "ecr.dkr", "lambda", "logs", "secretsmanager", "sns", "sqs", "sts")
}


class Network:
    """The network's stack, and what EC2 says of it."""

    def __init__(self, endpoint: str) -> None:
        self.ec2 = boto3.client("ec2", endpoint_url=endpoint)
        self.stacks = boto3.client("cloudformation", endpoint_url=endpoint)
        self.logs = boto3.client("logs", endpoint_url=endpoint)
        self.deploy()

    def deploy(self, **parameters: str) -> None:
        self.outputs = bring_up(self.stacks, "scanhub-hub-network", "hub-network.yaml", parameters)

    def of_vpc(self, operation: str, key: str) -> list[dict[str, Any]]:
        chosen = [{"Name": "vpc-id", "Values": [self.outputs["VpcId"]]}]
        found: list[dict[str, Any]] = getattr(self.ec2, operation)(Filters=chosen)[key]
        return found


def name(resource: dict[str, Any]) -> str:
    return next((tag["Value"] for tag in resource.get("Tags", []) if tag["Key"] == "Name"), "")


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with pytest.MonkeyPatch.context() as environment, EmbeddedCloud() as cloud:
        forget_aws(environment)
        yield Network(cloud.endpoint)


def test_the_vpc_names_its_hosts(network: Network) -> None:
    vpc = network.outputs["VpcId"]
    for attribute in ("enableDnsHostnames", "enableDnsSupport"):
        (value,) = [
            value
            for key, value in network.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute).items()
            if key.lower() == attribute.lower()
        ]
        assert value == {"Value": True}


def test_four_subnets_lie_in_two_zones(network: Network) -> None:
    subnets = {name(one): one for one in network.of_vpc("describe_subnets", "Subnets")}
    assert {key: (one["AvailabilityZone"], one["CidrBlock"]) for key, one in subnets.items()} == {
        "scanhub-private-a": ("eu-central-1a", "10.103.0.0/26"),
        "scanhub-private-b": ("eu-central-1b", "10.103.0.64/26"),
        "scanhub-public-a": ("eu-central-1a", "10.103.0.128/26"),
        "scanhub-public-b": ("eu-central-1b", "10.103.0.192/26"),
    }
    assert not any(one["MapPublicIpOnLaunch"] for one in subnets.values())
    private = [subnets[f"scanhub-private-{zone}"]["SubnetId"] for zone in "ab"]
    assert network.outputs["SubnetIds"].split(",") == private


def test_private_subnets_go_out_by_the_nat_gateway_and_public_ones_directly(network: Network) -> None:
    tables = {name(one): one for one in network.of_vpc("describe_route_tables", "RouteTables")}
    subnets = {one["SubnetId"]: name(one) for one in network.of_vpc("describe_subnets", "Subnets")}
    (nat,) = network.of_vpc("describe_nat_gateways", "NatGateways")
    assert subnets[nat["SubnetId"]] == "scanhub-public-a"
    assert name(nat) == "scanhub"

    def way_out(table: str) -> dict[str, Any]:
        routes: list[dict[str, Any]] = tables[table]["Routes"]
        (route,) = [one for one in routes if one.get("DestinationCidrBlock") == "0.0.0.0/0"]
        return route

    def members(table: str) -> set[str]:
        return {subnets[one["SubnetId"]] for one in tables[table]["Associations"]}

    assert way_out("scanhub-private")["NatGatewayId"] == nat["NatGatewayId"]
    assert way_out("scanhub-public")["GatewayId"].startswith("igw-")
    assert members("scanhub-private") == {"scanhub-private-a", "scanhub-private-b"}
    assert members("scanhub-public") == {"scanhub-public-a", "scanhub-public-b"}


def test_storage_and_ledger_are_reached_without_it(network: Network) -> None:
    endpoints = {
        one["ServiceName"]: one
        for one in network.of_vpc("describe_vpc_endpoints", "VpcEndpoints")
        if one["VpcEndpointType"] == "Gateway"
    }
    assert set(endpoints) == {"com.amazonaws.eu-central-1.s3", "com.amazonaws.eu-central-1.dynamodb"}
    (statement,) = json.loads(endpoints["com.amazonaws.eu-central-1.dynamodb"]["PolicyDocument"])["Statement"]
    assert statement["Resource"][0].endswith(":table/scanhub-ledger")


def test_connections_are_recorded(network: Network) -> None:
    (log,) = network.ec2.describe_flow_logs()["FlowLogs"]
    assert (log["ResourceId"], log["TrafficType"], log["LogGroupName"]) == (
        network.outputs["VpcId"],
        "ALL",
        "/scanhub/network",
    )


def test_interface_endpoints_come_and_go_and_the_vpc_stays(network: Network) -> None:
    def private() -> list[dict[str, Any]]:
        endpoints = network.of_vpc("describe_vpc_endpoints", "VpcEndpoints")
        return [one for one in endpoints if one["VpcEndpointType"] == "Interface" and one["State"] != "deleted"]

    before = dict(network.outputs)
    assert private() == []
    network.deploy(InterfaceEndpoints="true")
    assert {one["ServiceName"] for one in private()} == PRIVATE
    assert all(one["PrivateDnsEnabled"] for one in private())
    groups = {group["GroupId"] for one in private() for group in one["Groups"]}
    (group,) = network.ec2.describe_security_groups(GroupIds=sorted(groups))["SecurityGroups"]
    assert [(one["FromPort"], one["IpRanges"][0]["CidrIp"]) for one in group["IpPermissions"]] == [
        (443, "10.103.0.0/22")
    ]
    assert [one["IpRanges"][0]["CidrIp"] for one in group["IpPermissionsEgress"]] == ["255.255.255.255/32"]
    network.deploy(InterfaceEndpoints="false", FlowLogs="false")
    assert private() == []
    assert network.ec2.describe_flow_logs()["FlowLogs"] == []
    assert network.logs.describe_log_groups(logGroupNamePrefix="/scanhub/network")["logGroups"] == []
    network.deploy()
    assert dict(network.outputs) == before


def test_it_can_be_deleted(network: Network) -> None:
    network.deploy(InterfaceEndpoints="true")
    network.stacks.delete_stack(StackName="scanhub-hub-network")
    try:
        assert network.stacks.describe_stacks()["Stacks"] == []
        assert [one for one in network.ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]] == []
        assert network.ec2.describe_addresses()["Addresses"] == []
    finally:
        network.deploy()
