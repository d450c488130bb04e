"""Who may use the hub's key: its policy alone decides on services, and IAM on principals of the account."""

from tests.policies.row import ALLOWED, DENIED, FORBIDDEN, Row
from tests.policies.table.bus import (
    LYING_NAMESAKE,
    NAMESAKE,
    NOBODY,
    OTHER_RULE,
    SNS,
    SOURCELESS,
    STRANGE_ADMINISTRATOR,
    THE_RULE,
    UNNAMED,
)
from tests.policies.table.stacks import (
    EXECUTION,
    HUB_ADMINISTRATOR,
    HUB_WITH_A_SECRET_OF_ITS_OWN,
    SCHEDULER,
    SPOKE_ADMINISTRATOR,
    THE_HUB,
    WORKER,
)
from tests.policies.world import HUB, OTHER_REGION, REGION, STRANGER, Resource, resource, service, session

KEY = resource(THE_HUB, "Key")
GIVEN_KEY = Resource(
    name="the key of a secret of one's own",
    arn=HUB_WITH_A_SECRET_OF_ITS_OWN.parameters["QualysSecretKmsKeyArn"],
    account=HUB,
    policy={
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
    },
)
WORKER_WITH_A_GIVEN_SECRET = session(HUB_WITH_A_SECRET_OF_ITS_OWN, "TaskRole", "the worker with a secret of one's own")

ALARM = service(
    "cloudwatch", "our alarm", source=f"arn:aws:cloudwatch:{REGION}:{HUB}:alarm:scanhub-parked", account=HUB
)
OTHER_ALARM = service(
    "cloudwatch", "another alarm of the hub", source=f"arn:aws:cloudwatch:{REGION}:{HUB}:alarm:billing", account=HUB
)
LYING_ALARM = service(
    "cloudwatch",
    "our alarm for another account",
    source=f"arn:aws:cloudwatch:{REGION}:{HUB}:alarm:scanhub-parked",
    account=STRANGER,
)
STRANGE_ALARM = service(
    "cloudwatch",
    "another account's alarm",
    source=f"arn:aws:cloudwatch:{REGION}:{STRANGER}:alarm:scanhub-parked",
    account=STRANGER,
)
LOGS = service(f"logs.{REGION}", "CloudWatch Logs")
LOGS_ELSEWHERE = service(f"logs.{OTHER_REGION}", "CloudWatch Logs of another region")
S3 = service("s3", "S3", source="arn:aws:s3:::somebodys-bucket", account=STRANGER)
ARCHIVER = service("events", "the bus's archive")

DYNAMODB = service("dynamodb", "DynamoDB", source=f"arn:aws:dynamodb:{REGION}:{HUB}:table/scanhub-ledger", account=HUB)

DECRYPT, DATA_KEY, GRANT = "kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"
LOG_GROUP = {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{HUB}:log-group:/scanhub/worker"}
OTHER_LOG_GROUP = {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{HUB}:log-group:/other"}
OUR_BUS = {"kms:EncryptionContext:aws:events:event-bus:arn": f"arn:aws:events:{REGION}:{HUB}:event-bus/scanhub"}
OTHER_BUS = {"kms:EncryptionContext:aws:events:event-bus:arn": f"arn:aws:events:{REGION}:{HUB}:event-bus/default"}


def through(name: str, region: str = REGION) -> dict[str, str]:
    """The call comes by way of a service."""
    return {"kms:ViaService": f"{name}.{region}.amazonaws.com", "kms:CallerAccount": HUB}


ROWS = (
    Row(THE_RULE, DATA_KEY, KEY, ALLOWED, "fills the encrypted queues"),
    Row(THE_RULE, DECRYPT, KEY, ALLOWED, "SQS checks the data key so"),
    Row(THE_RULE, "kms:Encrypt", KEY, DENIED, "no more than SQS needs"),
    Row(OTHER_RULE, DATA_KEY, KEY, DENIED, "only the one rule"),
    Row(UNNAMED, DATA_KEY, KEY, ALLOWED, "where AWS leaves the rule out, the queue's policy asks for it"),
    Row(NAMESAKE, DATA_KEY, KEY, DENIED, "another account's rule of the same name"),
    Row(LYING_NAMESAKE, DATA_KEY, KEY, DENIED, "source and account must both be ours"),
    Row(SOURCELESS, DATA_KEY, KEY, DENIED, "a service that does not say for whom"),
    Row(ARCHIVER, DATA_KEY, KEY, ALLOWED, "the archive of our bus", OUR_BUS),
    Row(ARCHIVER, DATA_KEY, KEY, DENIED, "the archive of another bus", OTHER_BUS),
    Row(ARCHIVER, "kms:DescribeKey", KEY, ALLOWED, "is asked when the archive is made, without a source"),
    Row(ALARM, DATA_KEY, KEY, ALLOWED, "an alarm nobody hears of is none"),
    Row(ALARM, DECRYPT, KEY, ALLOWED, "the same"),
    Row(OTHER_ALARM, DATA_KEY, KEY, DENIED, "only our alarms"),
    Row(STRANGE_ALARM, DATA_KEY, KEY, DENIED, "only our account's"),
    Row(LYING_ALARM, DATA_KEY, KEY, DENIED, "source and account must both be ours"),
    Row(LOGS, DATA_KEY, KEY, ALLOWED, "the worker's log group", LOG_GROUP),
    Row(LOGS, DECRYPT, KEY, ALLOWED, "and who reads it", LOG_GROUP),
    Row(LOGS, DATA_KEY, KEY, DENIED, "another log group", OTHER_LOG_GROUP),
    Row(LOGS, DATA_KEY, KEY, DENIED, "no log group named"),
    Row(LOGS_ELSEWHERE, DATA_KEY, KEY, DENIED, "another region's service", LOG_GROUP),
    Row(SNS, DATA_KEY, KEY, DENIED, "SNS itself needs no grant"),
    Row(S3, DATA_KEY, KEY, DENIED, "nobody else's service"),
    Row(WORKER, DECRYPT, KEY, ALLOWED, "messages", through("sqs")),
    Row(WORKER, DATA_KEY, KEY, ALLOWED, "parking", through("sqs")),
    Row(WORKER, DATA_KEY, KEY, ALLOWED, "results", through("s3")),
    Row(WORKER, DECRYPT, KEY, ALLOWED, "secrets", through("secretsmanager")),
    Row(WORKER, DATA_KEY, KEY, ALLOWED, "notifications", through("sns")),
    Row(WORKER, "kms:Encrypt", KEY, ALLOWED, "the ledger", through("dynamodb")),
    Row(WORKER, "kms:Encrypt", KEY, DENIED, "DynamoDB alone asks for it", through("s3")),
    Row(WORKER, DECRYPT, KEY, DENIED, "never the key itself", {"kms:CallerAccount": HUB}),
    Row(WORKER, DECRYPT, KEY, DENIED, "nor through a service it has nothing to do with", through("ec2")),
    Row(WORKER, DECRYPT, KEY, DENIED, "nor from another region", through("sqs", OTHER_REGION)),
    Row(WORKER, "kms:ScheduleKeyDeletion", KEY, DENIED, "it administers nothing"),
    Row(WORKER, GRANT, KEY, FORBIDDEN, "nor hands the key on"),
    Row(WORKER, DECRYPT, GIVEN_KEY, DENIED, "no key that it was not given", through("secretsmanager")),
    Row(WORKER_WITH_A_GIVEN_SECRET, DECRYPT, GIVEN_KEY, ALLOWED, "the secret's own key", through("secretsmanager")),
    Row(WORKER_WITH_A_GIVEN_SECRET, DECRYPT, GIVEN_KEY, DENIED, "for secrets only", through("s3")),
    Row(EXECUTION, DECRYPT, KEY, DENIED, "it pulls and logs", through("s3")),
    Row(SCHEDULER, DECRYPT, KEY, DENIED, "it starts a task", through("s3")),
    Row(HUB_ADMINISTRATOR, GRANT, KEY, ALLOWED, "so that DynamoDB can use it", {"kms:GrantIsForAWSResource": "true"}),
    Row(HUB_ADMINISTRATOR, GRANT, KEY, FORBIDDEN, "to nobody but services", {"kms:GrantIsForAWSResource": "false"}),
    Row(DYNAMODB, GRANT, KEY, DENIED, "a service grants what it was granted, by that grant"),
    Row(HUB_ADMINISTRATOR, "kms:PutKeyPolicy", KEY, ALLOWED, "somebody must be able to administer it"),
    Row(SPOKE_ADMINISTRATOR, DECRYPT, KEY, DENIED, "no member account", through("s3")),
    Row(STRANGE_ADMINISTRATOR, DECRYPT, KEY, DENIED, "no other organization", through("s3")),
    Row(NOBODY, DECRYPT, KEY, DENIED, "nobody without credentials"),
)
