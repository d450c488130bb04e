"""Who may reach what the hub keeps: results, topic, secrets, ledger. The worker's own ways are in `worker`."""

from tests.policies.row import ALLOWED, DENIED, FORBIDDEN, Row
from tests.policies.table.bus import NOBODY, PLAIN, STRANGE_ADMINISTRATOR
from tests.policies.table.hub_key import ALARM, LYING_ALARM, OTHER_ALARM, STRANGE_ALARM
from tests.policies.table.stacks import HUB_ADMINISTRATOR, SPOKE_ADMINISTRATOR, SPOKE_SESSION, THE_HUB, WORKER
from tests.policies.world import HUB, REGION, SPOKE, resource, service

RESULT = resource(THE_HUB, "Results", path=f"/scans/{SPOKE}/{REGION}/orders-api/0192f3/manifest.json")
BUCKET = resource(THE_HUB, "Results")
TOPIC = resource(THE_HUB, "Topic")
LEDGER = resource(THE_HUB, "Ledger", policy=False)
SECRET = resource(THE_HUB, "QualysSecret", policy=False)


def under(key: str) -> dict[str, str]:
    """What an upload names to be encrypted with a key of KMS."""
    return {
        "s3:x-amz-server-side-encryption": "aws:kms",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": key,
    }


UNDER_ANOTHER_KEY = under(f"arn:aws:kms:{REGION}:{HUB}:key/22222222-3333-4444-8555-666666666666")

ROWS = (
    Row(HUB_ADMINISTRATOR, "s3:GetObject", RESULT, ALLOWED, "in the hub's account IAM decides"),
    Row(HUB_ADMINISTRATOR, "s3:GetObject", RESULT, FORBIDDEN, "TLS only", PLAIN),
    Row(HUB_ADMINISTRATOR, "s3:ListBucket", BUCKET, FORBIDDEN, "TLS only", PLAIN),
    Row(SPOKE_ADMINISTRATOR, "s3:GetObject", RESULT, DENIED, "a member account does not read the others' findings"),
    Row(SPOKE_ADMINISTRATOR, "s3:PutObject", RESULT, DENIED, "nor writes its own"),
    Row(STRANGE_ADMINISTRATOR, "s3:GetObject", RESULT, DENIED, "nor another organization"),
    Row(NOBODY, "s3:GetObject", RESULT, DENIED, "nothing is public"),
    Row(HUB_ADMINISTRATOR, "s3:PutObject", RESULT, FORBIDDEN, "a result nobody here can read", UNDER_ANOTHER_KEY),
    Row(SPOKE_SESSION, "s3:GetObject", RESULT, DENIED, "a spoke's session reads functions, no results"),
    Row(ALARM, "sns:Publish", TOPIC, ALLOWED, "our alarms"),
    Row(ALARM, "sns:Publish", TOPIC, FORBIDDEN, "TLS only", PLAIN),
    Row(OTHER_ALARM, "sns:Publish", TOPIC, DENIED, "no other alarm of the account"),
    Row(STRANGE_ALARM, "sns:Publish", TOPIC, DENIED, "no other account's"),
    Row(LYING_ALARM, "sns:Publish", TOPIC, DENIED, "source and account must both be ours"),
    Row(
        service("events", "a rule", source=f"arn:aws:events:{REGION}:{HUB}:rule/scanhub/scanhub-changes", account=HUB),
        "sns:Publish",
        TOPIC,
        DENIED,
        "no other service",
    ),
    Row(SPOKE_ADMINISTRATOR, "sns:Publish", TOPIC, DENIED, "a forged notification of a member account"),
    Row(SPOKE_ADMINISTRATOR, "sns:Subscribe", TOPIC, DENIED, "who listens is the hub's to say"),
    Row(WORKER, "sns:Publish", TOPIC, FORBIDDEN, "TLS only", PLAIN),
    Row(SPOKE_ADMINISTRATOR, "secretsmanager:GetSecretValue", SECRET, DENIED, "the token stays in the hub"),
    Row(SPOKE_ADMINISTRATOR, "dynamodb:GetItem", LEDGER, DENIED, "the ledger too"),
)
