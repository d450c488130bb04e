"""The same stacks in the government's and China's partitions: no ARN, host or service name may be of the first one."""

from dataclasses import replace

from tests.policies.row import ALLOWED, DENIED, Row
from tests.policies.table.bus import FROM_LAMBDA
from tests.policies.world import (
    EXTERNAL_ID,
    HUB,
    ORDERS,
    SPOKE,
    Principal,
    Resource,
    hub,
    resource,
    role,
    service,
    session,
    spoke,
)


def of(partition: str, region: str, suffix: str) -> tuple[Row, ...]:
    """What must hold in a partition, asked of stacks in one region of it."""
    the_hub = hub(partition=partition, region=region)
    the_spoke = spoke(the_hub, partition=partition, region=region, RoleRegion=region, DecryptCode="true")
    worker = session(the_hub, "TaskRole", f"the worker in {partition}")
    reader = session(the_spoke, "SpokeRole", f"the worker in a spoke of {partition}")
    forwarder = session(the_spoke, "ForwardRole", f"the forward role in {partition}")
    rule = service("events", f"the hub's rule in {partition}", source=the_hub.arn("ChangesRule"), account=HUB)
    logs = Principal(name=f"CloudWatch Logs in {partition}", arn=f"logs.{region}.{suffix}")
    group = f"arn:{partition}:logs:{region}:{HUB}:log-group:/scanhub/worker"
    key = f"arn:{partition}:kms:{region}:{SPOKE}:key/7d0c1f6e-41f2-4b0f-9a53-2f1f0d5b8a11"
    function = str(replace(ORDERS, partition=partition, region=region))
    through_lambda = {
        "kms:ViaService": f"lambda.{region}.{suffix}",
        "kms:EncryptionContext:aws:lambda:FunctionArn": function,
    }
    its_function = Resource(name="a function", arn=function, account=SPOKE)
    first_partitions = Resource(name="a function of aws", arn=str(ORDERS), account=SPOKE)
    by_iam = replace(resource(the_hub, "Key"), name="the code's key", arn=key, account=SPOKE, policy=_by_iam(partition))
    external_id = {"sts:ExternalId": EXTERNAL_ID}
    return (
        Row(forwarder, "events:PutEvents", resource(the_hub, "Bus"), ALLOWED, "forwards", FROM_LAMBDA),
        Row(rule, "sqs:SendMessage", resource(the_hub, "ChangesQueue"), ALLOWED, "delivers"),
        Row(rule, "kms:GenerateDataKey", resource(the_hub, "Key"), ALLOWED, "under the key"),
        Row(
            logs,
            "kms:GenerateDataKey",
            resource(the_hub, "Key"),
            ALLOWED,
            "logs",
            {"kms:EncryptionContext:aws:logs:arn": group},
        ),
        Row(
            worker,
            "kms:Decrypt",
            resource(the_hub, "Key"),
            ALLOWED,
            "messages",
            {"kms:ViaService": f"sqs.{region}.{suffix}"},
        ),
        Row(worker, "sts:AssumeRole", role(the_spoke, "SpokeRole"), ALLOWED, "enters", external_id),
        Row(worker, "sts:AssumeRole", role(the_spoke, "SpokeRole"), DENIED, "not without the external id"),
        Row(worker, "s3:PutObject", resource(the_hub, "Results", path="/scans/a/b/c/d"), ALLOWED, "stores results"),
        Row(reader, "lambda:GetFunction", its_function, ALLOWED, "reads"),
        Row(reader, "lambda:GetFunction", first_partitions, DENIED, "in its own partition alone"),
        Row(reader, "kms:Decrypt", by_iam, ALLOWED, "encrypted code", through_lambda),
        Row(reader, "kms:Decrypt", by_iam, DENIED, "through Lambda alone"),
    )


def _by_iam(partition: str) -> dict[str, object]:
    principal = {"AWS": f"arn:{partition}:iam::{SPOKE}:root"}
    allowed = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": allowed}


ROWS = (
    *of("aws-us-gov", "us-gov-west-1", "amazonaws.com"),
    *of("aws-cn", "cn-north-1", "amazonaws.com.cn"),
)
