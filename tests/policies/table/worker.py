"""What the worker's role may do, beside using the key (`hub_key`) and entering spokes (`spoke_trust`)."""

from dataclasses import replace

from tests.policies.row import ALLOWED, DENIED, FORBIDDEN, Row
from tests.policies.table.bus import CHANGES, CHANGES_DLQ, SWEEP, SWEEP_DLQ, UNDELIVERED
from tests.policies.table.hub_data import BUCKET, LEDGER, RESULT, TOPIC, UNDER_ANOTHER_KEY, under
from tests.policies.table.hub_key import WORKER_WITH_A_GIVEN_SECRET
from tests.policies.table.stacks import HUB_WITH_A_SECRET_OF_ITS_OWN, THE_HUB, WORKER
from tests.policies.world import (
    HUB,
    ORGANIZATION,
    OTHER_REGION,
    REGION,
    SPOKE,
    STRANGE_ORGANIZATION,
    STRANGER,
    Resource,
    resource,
)


def of_the_hub(arn: str, name: str) -> Resource:
    """Something of the hub's account that no template of ours makes."""
    return Resource(name=name, arn=arn, account=HUB)


TOKEN = resource(THE_HUB, "QualysSecret", policy=False)
EXTERNAL_ID = resource(THE_HUB, "ExternalIdSecret", policy=False)
OTHER_SECRET = of_the_hub(f"arn:aws:secretsmanager:{REGION}:{HUB}:secret:payroll-Xy12Za", "another secret")
GIVEN_SECRET = of_the_hub(HUB_WITH_A_SECRET_OF_ITS_OWN.parameters["QualysSecretArn"], "the secret that was given")
OTHER_QUEUE = of_the_hub(f"arn:aws:sqs:{REGION}:{HUB}:orders", "another queue")
OTHER_TABLE = of_the_hub(f"arn:aws:dynamodb:{REGION}:{HUB}:table/orders", "another table")
OTHER_BUCKET = of_the_hub("arn:aws:s3:::payroll/scans/x", "another bucket, same prefix")
OTHER_TOPIC = of_the_hub(f"arn:aws:sns:{REGION}:{HUB}:payroll", "another topic")
BY_STATE = replace(LEDGER, name="the index by state", arn=f"{LEDGER.arn}/index/by-state")
BY_ACCOUNT = replace(LEDGER, name="the index by account", arn=f"{LEDGER.arn}/index/by-account")
SUMMARY = replace(
    RESULT, name="a sweep's summary", arn=f"{BUCKET.arn}/sweeps/20261122T071500123Z-1a2b3c4d/summary.json"
)
NO_RESOURCE = of_the_hub("*", "-")
UNIT = Resource(
    name="a unit of the organization",
    arn=f"arn:aws:organizations::{SPOKE}:ou/{ORGANIZATION}/ou-ab12-11111111",
    account=HUB,
)
STRANGE_UNIT = Resource(
    name="another organization's unit",
    arn=f"arn:aws:organizations::{STRANGER}:ou/{STRANGE_ORGANIZATION}/ou-ab12-11111111",
    account=HUB,
)
ITS_DEFINITION = of_the_hub(f"arn:aws:ecs:{REGION}:{HUB}:task-definition/scanhub-sweep:1", "the sweep's task")
ELSEWHERE = replace(RESULT, name="an object beside scans/", arn=f"{BUCKET.arn}/config/settings.json")
ITS_TASK = of_the_hub(f"arn:aws:ecs:{REGION}:{HUB}:task/scanhub/0f3c2a9d41e84b6c9b1f2d3e4a5b6c7d", "its task")
OTHER_TASK = of_the_hub(f"arn:aws:ecs:{REGION}:{HUB}:task/shop/0f3c2a9d41e84b6c9b1f2d3e4a5b6c7d", "another cluster's")
TASK_ELSEWHERE = of_the_hub(f"arn:aws:ecs:{OTHER_REGION}:{HUB}:task/scanhub/0f3c", "a task of another region")
ITS_ROLE = of_the_hub(THE_HUB.arn("TaskRole"), "its own role")
NEW_ROLE = of_the_hub(f"arn:aws:iam::{HUB}:role/backdoor", "a new role")
NEW_USER = of_the_hub(f"arn:aws:iam::{HUB}:user/backdoor", "a new user")
FUNCTION = of_the_hub(f"arn:aws:lambda:{REGION}:{HUB}:function:payroll", "a function of the hub's account")
UNDER_THE_KEY = under(THE_HUB.arn("Key"))

ROWS = (
    Row(WORKER, "sqs:ReceiveMessage", CHANGES, ALLOWED, "takes changes"),
    Row(WORKER, "sqs:DeleteMessage", CHANGES, ALLOWED, "when the result is durable"),
    Row(WORKER, "sqs:ChangeMessageVisibility", SWEEP, ALLOWED, "heartbeat"),
    Row(WORKER, "sqs:SendMessage", CHANGES_DLQ, ALLOWED, "parks with a reason"),
    Row(WORKER, "sqs:SendMessage", SWEEP_DLQ, ALLOWED, "parks with a reason"),
    Row(WORKER, "sqs:GetQueueAttributes", CHANGES_DLQ, ALLOWED, "is asked at the start"),
    Row(WORKER, "sqs:ReceiveMessage", CHANGES_DLQ, DENIED, "what is parked is for people"),
    Row(WORKER, "sqs:DeleteMessage", SWEEP_DLQ, DENIED, "and stays"),
    Row(WORKER, "sqs:ReceiveMessage", UNDELIVERED, DENIED, "EventBridge's own dead letters too"),
    Row(WORKER, "sqs:SendMessage", SWEEP, ALLOWED, "a sweep asks for scans"),
    Row(WORKER, "sqs:SendMessage", CHANGES, DENIED, "a change is for AWS alone to tell"),
    Row(WORKER, "sqs:SendMessage", UNDELIVERED, DENIED, "the sweep's queue only"),
    Row(WORKER, "sqs:PurgeQueue", CHANGES, DENIED, "one message at a time"),
    Row(WORKER, "sqs:SetQueueAttributes", CHANGES, DENIED, "nor another policy"),
    Row(WORKER, "sqs:ReceiveMessage", OTHER_QUEUE, DENIED, "its own queues only"),
    Row(WORKER, "dynamodb:UpdateItem", LEDGER, ALLOWED, "leases and coverage"),
    Row(WORKER, "dynamodb:BatchGetItem", LEDGER, ALLOWED, "looks a batch up"),
    Row(WORKER, "dynamodb:DescribeTable", LEDGER, ALLOWED, "is asked at the start"),
    Row(WORKER, "dynamodb:Query", BY_ACCOUNT, ALLOWED, "what is known of an account, for a sweep"),
    Row(WORKER, "dynamodb:Scan", BY_ACCOUNT, ALLOWED, "the counts of all accounts"),
    Row(WORKER, "dynamodb:Query", BY_STATE, DENIED, "lists by state are for people"),
    Row(WORKER, "dynamodb:Scan", BY_STATE, DENIED, "the same"),
    Row(WORKER, "dynamodb:DeleteItem", LEDGER, DENIED, "nothing of the ledger is deleted"),
    Row(WORKER, "dynamodb:DeleteTable", LEDGER, DENIED, "least of all the ledger"),
    Row(WORKER, "dynamodb:UpdateItem", OTHER_TABLE, DENIED, "its own table only"),
    Row(WORKER, "s3:PutObject", RESULT, ALLOWED, "stores results", UNDER_THE_KEY),
    Row(WORKER, "s3:PutObject", RESULT, ALLOWED, "without a key named, the bucket's own is taken"),
    Row(WORKER, "s3:PutObject", RESULT, FORBIDDEN, "no key but the hub's", UNDER_ANOTHER_KEY),
    Row(WORKER, "s3:GetObject", RESULT, DENIED, "results are for people to read"),
    Row(WORKER, "s3:ListBucket", BUCKET, ALLOWED, "a missing object is no refusal"),
    Row(WORKER, "s3:DeleteObject", RESULT, DENIED, "no result is ever deleted by it"),
    Row(WORKER, "s3:PutObject", SUMMARY, ALLOWED, "what a sweep found", UNDER_THE_KEY),
    Row(WORKER, "s3:PutObject", SUMMARY, FORBIDDEN, "no key but the hub's", UNDER_ANOTHER_KEY),
    Row(WORKER, "s3:GetObject", SUMMARY, DENIED, "results are for people to read"),
    Row(WORKER, "s3:PutObject", ELSEWHERE, DENIED, "under scans/ and sweeps/ only"),
    Row(WORKER, "s3:GetObject", ELSEWHERE, DENIED, "under scans/ and sweeps/ only"),
    Row(WORKER, "s3:PutObject", OTHER_BUCKET, DENIED, "its own bucket only"),
    Row(WORKER, "s3:PutBucketPolicy", BUCKET, DENIED, "it opens nothing"),
    Row(WORKER, "s3:PutObjectAcl", RESULT, DENIED, "the same"),
    Row(WORKER, "sns:Publish", TOPIC, ALLOWED, "notifies"),
    Row(WORKER, "sns:Subscribe", TOPIC, DENIED, "who listens is not its to say"),
    Row(WORKER, "sns:Publish", OTHER_TOPIC, DENIED, "its own topic only"),
    Row(WORKER, "secretsmanager:GetSecretValue", TOKEN, ALLOWED, "Qualys's token"),
    Row(WORKER, "secretsmanager:GetSecretValue", EXTERNAL_ID, ALLOWED, "the external id"),
    Row(WORKER, "secretsmanager:GetSecretValue", OTHER_SECRET, DENIED, "no other secret"),
    Row(WORKER, "secretsmanager:PutSecretValue", TOKEN, DENIED, "it reads them"),
    Row(WORKER, "secretsmanager:GetSecretValue", GIVEN_SECRET, DENIED, "not given to this hub"),
    Row(WORKER_WITH_A_GIVEN_SECRET, "secretsmanager:GetSecretValue", GIVEN_SECRET, ALLOWED, "QualysSecretArn"),
    Row(WORKER_WITH_A_GIVEN_SECRET, "secretsmanager:GetSecretValue", TOKEN, DENIED, "which then is not its own"),
    Row(WORKER, "ecs:UpdateTaskProtection", ITS_TASK, ALLOWED, "a scan is not ended by scale-in"),
    Row(WORKER, "ecs:UpdateTaskProtection", OTHER_TASK, DENIED, "its own cluster only"),
    Row(WORKER, "ecs:UpdateTaskProtection", TASK_ELSEWHERE, DENIED, "its own region only"),
    Row(WORKER, "ecs:StopTask", ITS_TASK, DENIED, "it protects and nothing else"),
    Row(WORKER, "ecs:ExecuteCommand", ITS_TASK, DENIED, "nobody enters a task by it"),
    Row(WORKER, "ecs:RunTask", ITS_DEFINITION, DENIED, "the schedule and people start sweeps"),
    Row(WORKER, "organizations:ListAccounts", NO_RESOURCE, ALLOWED, "whose functions are swept"),
    Row(WORKER, "organizations:ListAccountsForParent", UNIT, ALLOWED, "those of a unit"),
    Row(WORKER, "organizations:ListOrganizationalUnitsForParent", UNIT, ALLOWED, "and of the units below it"),
    Row(WORKER, "organizations:ListAccountsForParent", STRANGE_UNIT, DENIED, "its own organization only"),
    Row(WORKER, "organizations:ListPoliciesForTarget", UNIT, DENIED, "it lists accounts and nothing else"),
    Row(WORKER, "organizations:MoveAccount", UNIT, DENIED, "and moves none"),
    Row(WORKER, "iam:PutRolePolicy", ITS_ROLE, DENIED, "it cannot give itself more"),
    Row(WORKER, "iam:UpdateAssumeRolePolicy", ITS_ROLE, DENIED, "nor let others in"),
    Row(WORKER, "iam:CreateRole", NEW_ROLE, DENIED, "nothing of IAM"),
    Row(WORKER, "iam:CreateAccessKey", NEW_USER, DENIED, "nothing of IAM"),
    Row(WORKER, "iam:PassRole", ITS_ROLE, DENIED, "nothing of IAM", {"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    Row(WORKER, "lambda:GetFunction", FUNCTION, DENIED, "functions are read by spoke roles alone"),
    Row(WORKER, "lambda:InvokeFunction", FUNCTION, DENIED, "none is ever run"),
)
