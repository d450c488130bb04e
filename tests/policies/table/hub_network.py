"""What passes the endpoints of the hub's VPC, and who writes its flow logs."""

from dataclasses import replace

from tests.policies.evaluator import Policy
from tests.policies.row import ALLOWED, DENIED, Row
from tests.policies.table.bus import STRANGE_ADMINISTRATOR
from tests.policies.table.hub_data import LEDGER
from tests.policies.table.hub_roles import ASSUME
from tests.policies.table.stacks import HUB_ADMINISTRATOR, THE_NETWORK, WORKER
from tests.policies.table.worker import BY_ACCOUNT, BY_STATE, OTHER_TABLE, of_the_hub
from tests.policies.world import HUB, REGION, STRANGER, Resource, role, service, session

ENDPOINT: Policy = THE_NETWORK.resources["DynamoDbEndpoint"]["Properties"]["PolicyDocument"]
WORKER_INSIDE = replace(WORKER, name="the worker, from its VPC", endpoint=ENDPOINT)
ADMINISTRATOR_INSIDE = replace(HUB_ADMINISTRATOR, name="an administrator in the VPC", endpoint=ENDPOINT)
STRANGER_INSIDE = replace(STRANGE_ADMINISTRATOR, name="another account's credentials in the VPC", endpoint=ENDPOINT)
OPEN: Policy = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": "*", "Action": "dynamodb:*", "Resource": "*"},
}
OPEN_LEDGER = replace(LEDGER, name="the ledger, were it open to all", policy=OPEN)
STRANGE_TABLE = Resource(
    name="a table outside", arn=f"arn:aws:dynamodb:{REGION}:{STRANGER}:table/scanhub-ledger", account=STRANGER
)

FLOW_LOGGER = session(THE_NETWORK, "FlowLogRole", "the flow logs' role")
FLOW_ROLE = role(THE_NETWORK, "FlowLogRole")
FLOW_LOGS = f"arn:aws:ec2:{REGION}:{HUB}:vpc-flow-log/fl-0a1b2c3d4e5f60718"
VPC = service("vpc-flow-logs", "the VPC's flow logs", source=FLOW_LOGS, account=HUB)
STRANGE_VPC = service(
    "vpc-flow-logs", "another account's flow logs", source=FLOW_LOGS.replace(HUB, STRANGER), account=STRANGER
)
LYING_VPC = service("vpc-flow-logs", "our flow logs for another account", source=FLOW_LOGS, account=STRANGER)
CONFUSED_VPC = service(
    "vpc-flow-logs", "another account's flow logs for ours", source=FLOW_LOGS.replace(HUB, STRANGER), account=HUB
)
STREAM = of_the_hub(f"arn:aws:logs:{REGION}:{HUB}:log-group:/scanhub/network:log-stream:eni-0a1b-all", "the flow log")
WORKERS_LOG = of_the_hub(f"arn:aws:logs:{REGION}:{HUB}:log-group:/scanhub/worker:log-stream:1", "the worker's log")
GROUPS = of_the_hub("*", "-")

ROWS = (
    Row(WORKER_INSIDE, "dynamodb:UpdateItem", LEDGER, ALLOWED, "its way to the ledger"),
    Row(WORKER_INSIDE, "dynamodb:Query", BY_STATE, DENIED, "the endpoint lets it through, its role does not"),
    Row(WORKER_INSIDE, "dynamodb:Query", BY_ACCOUNT, ALLOWED, "a sweep asks for what is known of an account"),
    Row(ADMINISTRATOR_INSIDE, "dynamodb:Query", BY_STATE, ALLOWED, "the index is part of the ledger"),
    Row(ADMINISTRATOR_INSIDE, "dynamodb:PutItem", OTHER_TABLE, DENIED, "no other table by this way"),
    Row(STRANGER_INSIDE, "dynamodb:PutItem", STRANGE_TABLE, DENIED, "nothing is carried out into another account"),
    Row(STRANGER_INSIDE, "dynamodb:GetItem", OPEN_LEDGER, DENIED, "nor read with credentials brought along"),
    Row(VPC, ASSUME, FLOW_ROLE, ALLOWED, "writes the flow logs"),
    Row(STRANGE_VPC, ASSUME, FLOW_ROLE, DENIED, "no confused deputy"),
    Row(LYING_VPC, ASSUME, FLOW_ROLE, DENIED, "source and account must both be ours"),
    Row(CONFUSED_VPC, ASSUME, FLOW_ROLE, DENIED, "source and account must both be ours"),
    Row(HUB_ADMINISTRATOR, ASSUME, FLOW_ROLE, DENIED, "nobody else"),
    Row(FLOW_LOGGER, "logs:PutLogEvents", STREAM, ALLOWED, "writes them"),
    Row(FLOW_LOGGER, "logs:DescribeLogGroups", GROUPS, ALLOWED, "looks for the group"),
    Row(FLOW_LOGGER, "logs:PutLogEvents", WORKERS_LOG, DENIED, "no other log"),
    Row(FLOW_LOGGER, "logs:DeleteLogStream", STREAM, DENIED, "and deletes nothing"),
)
