"""What the template of the worker's own network must hold, whatever emulator deploys it."""

import ipaddress
from typing import Any

import pytest

from tests.infra.template import of_type, placed, template

NETWORK = "hub-network.yaml"
SUBNETS = {"PrivateSubnetA", "PrivateSubnetB", "PublicSubnetA", "PublicSubnetB"}
INTERFACES = {"sqs", "sts", "secretsmanager", "sns", "logs", "ecr.api", "ecr.dkr", "lambda"}


def only(kind: str) -> dict[str, Any]:
    (one,) = of_type(NETWORK, kind).values()
    return one


def endpoints(kind: str) -> dict[str, dict[str, Any]]:
    """Service -> the endpoint's properties."""
    found = {}
    for one in of_type(NETWORK, "AWS::EC2::VPCEndpoint").values():
        if one["VpcEndpointType"] == kind:
            found[one["ServiceName"]["Fn::Sub"].removeprefix("com.amazonaws.${AWS::Region}.")] = one
    return found


def route_of(subnet: str) -> dict[str, Any]:
    """The default route that a subnet has."""
    associations = of_type(NETWORK, "AWS::EC2::SubnetRouteTableAssociation").values()
    (table,) = [one["RouteTableId"] for one in associations if one["SubnetId"] == {"Ref": subnet}]
    (route,) = [one for one in of_type(NETWORK, "AWS::EC2::Route").values() if one["RouteTableId"] == table]
    assert route["DestinationCidrBlock"] == "0.0.0.0/0"
    return route


def test_its_outputs_are_the_hubs_parameters() -> None:
    outputs = template(NETWORK)["Outputs"]
    assert {"VpcId", "SubnetIds"} <= set(template("hub.yaml")["Parameters"]) & set(outputs)
    assert outputs["VpcId"]["Value"] == {"Ref": "Vpc"}
    # A comma list, as the hub's CommaDelimitedList takes it.
    assert outputs["SubnetIds"]["Value"] == {"Fn::Join": [",", [{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}]]}


def test_two_private_and_two_public_subnets_in_two_zones() -> None:
    subnets = of_type(NETWORK, "AWS::EC2::Subnet")
    assert set(subnets) == SUBNETS
    zones = {name: one["AvailabilityZone"]["Fn::Select"][0] for name, one in subnets.items()}
    assert zones == {"PrivateSubnetA": 0, "PrivateSubnetB": 1, "PublicSubnetA": 0, "PublicSubnetB": 1}
    for one in subnets.values():
        assert one["MapPublicIpOnLaunch"] is False
    parts = sorted(one["CidrBlock"]["Fn::Select"][0] for one in subnets.values())
    assert parts == [0, 1, 2, 3]


@pytest.mark.parametrize("size", [16, 22, 24])
def test_the_subnets_fit_into_every_range_that_is_allowed(size: int) -> None:
    network = ipaddress.ip_network(f"10.103.0.0/{size}")
    for one in of_type(NETWORK, "AWS::EC2::Subnet").values():
        position, (_, count, bits) = one["CidrBlock"]["Fn::Select"][0], one["CidrBlock"]["Fn::Select"][1]["Fn::Cidr"]
        assert position < count
        subnet = list(network.subnets(new_prefix=32 - bits))[position]
        # AWS keeps five addresses of each subnet (VPC user guide); the hub may have many tasks.
        assert subnet.num_addresses - 5 >= 50


def test_tasks_go_out_through_one_nat_gateway_and_nothing_comes_in() -> None:
    for subnet in ("PrivateSubnetA", "PrivateSubnetB"):
        assert route_of(subnet)["NatGatewayId"] == {"Ref": "NatGateway"}
    for subnet in ("PublicSubnetA", "PublicSubnetB"):
        assert route_of(subnet)["GatewayId"] == {"Ref": "InternetGateway"}
    assert only("AWS::EC2::NatGateway")["SubnetId"] == {"Ref": "PublicSubnetA"}
    # The gateway's address wants the VPC to be connected.
    ((_, address),) = placed(NETWORK, "AWS::EC2::EIP").items()
    assert address["DependsOn"] == "Attachment"


def test_s3_and_the_ledger_are_reached_without_the_nat_gateway() -> None:
    gateways = endpoints("Gateway")
    assert set(gateways) == {"s3", "dynamodb"}
    for one in gateways.values():
        assert one["RouteTableIds"] == [{"Ref": "PrivateRoutes"}]
    (statement,) = gateways["dynamodb"]["PolicyDocument"]["Statement"]
    ledger = of_type("hub.yaml", "AWS::DynamoDB::Table")["Ledger"]["TableName"]
    assert [one["Fn::Sub"].partition(":table/")[2] for one in statement["Resource"]] == [ledger, f"{ledger}/index/*"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}


def test_interface_endpoints_are_there_when_wanted() -> None:
    assert template(NETWORK)["Parameters"]["InterfaceEndpoints"]["Default"] == "false"
    interfaces = endpoints("Interface")
    assert set(interfaces) == INTERFACES
    for one in interfaces.values():
        assert one["PrivateDnsEnabled"] is True
        assert one["SubnetIds"] == [{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}]
        assert one["SecurityGroupIds"] == [{"Ref": "EndpointGroup"}]
    for name, one in placed(NETWORK, "AWS::EC2::VPCEndpoint").items():
        wanted = one["Properties"]["VpcEndpointType"] == "Interface"
        assert (one.get("Condition") == "HasInterfaceEndpoints") is wanted, name
    vpc = only("AWS::EC2::VPC")
    assert vpc["EnableDnsSupport"] is vpc["EnableDnsHostnames"] is True


def test_endpoints_take_https_from_the_vpc_alone() -> None:
    group = only("AWS::EC2::SecurityGroup")
    (rule,) = group["SecurityGroupIngress"]
    assert (rule["FromPort"], rule["ToPort"], rule["CidrIp"]) == (443, 443, {"Ref": "VpcCidr"})
    (egress,) = group["SecurityGroupEgress"]
    assert egress["CidrIp"] == "255.255.255.255/32"


def test_flow_logs_are_written_by_a_role_that_can_do_nothing_else() -> None:
    log = only("AWS::EC2::FlowLog")
    assert (log["ResourceId"], log["TrafficType"]) == ({"Ref": "Vpc"}, "ALL")
    assert log["DeliverLogsPermissionArn"] == {"Fn::GetAtt": "FlowLogRole.Arn"}
    assert only("AWS::Logs::LogGroup")["RetentionInDays"] == {"Ref": "FlowLogRetentionDays"}
    role = only("AWS::IAM::Role")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    allowed = {action for one in role["Policies"][0]["PolicyDocument"]["Statement"] for action in [*one["Action"]]}
    assert "logs:DeleteLogGroup" not in allowed
    for name in ("FlowLogGroup", "FlowLogRole", "FlowLog"):
        assert template(NETWORK)["Resources"][name]["Condition"] == "HasFlowLogs"
