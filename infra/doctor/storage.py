"""The ledger's table and the results' bucket."""

from collections.abc import Iterator

from hub.diagnosis import Check, Kind
from hub.ledger_queries import BY_ACCOUNT
from infra.doctor.asking import asking
from infra.doctor.deployed import DeployedHub
from infra.doctor.examination import Examination
from spoke.errors import Gone

GROUP = "storage"

LEDGER = Kind(
    name="ledger",
    group=GROUP,
    asks="is the ledger's table active and encrypted with the hub's key?",
    wrong="The worker cannot start, or coverage lies there unprotected.",
    fix="run `scanhub rollout hub`; a table that is gone is restored from its backup (docs/operate.md)",
)
INDEX = Kind(
    name="ledger-index",
    group=GROUP,
    asks="has the table its index by account, and is it filled?",
    wrong="The worker does not start, and nobody can count coverage: an older version's template made the table.",
    fix="run `scanhub rollout hub`: it adds the index; DynamoDB fills it by itself",
)
RECOVERY = Kind(
    name="ledger-recovery",
    group=GROUP,
    asks="can the table be restored to a point in time, and does it refuse to be deleted?",
    wrong="Who empties or deletes the table by mistake cannot bring it back; everything would be scanned anew.",
    fix="run `scanhub rollout hub` with DeletionProtection=true: it turns both on",
)
BUCKET = Kind(
    name="bucket-encryption",
    group=GROUP,
    asks="does the results' bucket encrypt with the hub's key by default?",
    wrong="Results lie there under a key that others may use.",
    fix="run `scanhub rollout hub`: it puts the bucket's encryption back",
)
PRIVATE = Kind(
    name="bucket-public-access",
    group=GROUP,
    asks="is all public access to the bucket blocked?",
    wrong="One wrong policy would show every vulnerability to the world.",
    fix="run `scanhub rollout hub`: it puts the block of public access back",
)

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def ledger(hub: DeployedHub) -> Iterator[Check]:
    """DescribeTable."""
    name, key = hub.output("LedgerTable"), hub.output("ResultsKmsKeyArn")
    with asking(f"describing the table {name}"):
        table = hub.client("dynamodb").describe_table(TableName=name)["Table"]
    used = table.get("SSEDescription", {}).get("KMSMasterKeyArn", "")
    if table["TableStatus"] not in {"ACTIVE", "UPDATING"}:
        yield LEDGER.failed(name, f"its status is {table['TableStatus']}")
    elif used.rsplit("/", 1)[-1] != key.rsplit("/", 1)[-1]:
        yield LEDGER.failed(name, f"its key is {used or 'not one of KMS'}, not the hub's")
    else:
        yield LEDGER.ok(name, f"{table['TableStatus'].lower()}, about {table.get('ItemCount', 0)} items")


def index(hub: DeployedHub) -> Iterator[Check]:
    """DescribeTable, for the index alone."""
    name = hub.output("LedgerTable")
    with asking(f"describing the table {name}"):
        table = hub.client("dynamodb").describe_table(TableName=name)["Table"]
    found = next((one for one in table.get("GlobalSecondaryIndexes", []) if one["IndexName"] == BY_ACCOUNT), None)
    if found is None:
        yield INDEX.failed(name, f"there is no index {BY_ACCOUNT}")
    elif found.get("IndexStatus", "ACTIVE") not in {"ACTIVE", "UPDATING"}:
        # While it is filled it cannot be read (DynamoDB's developer guide, "Managing Global Secondary Indexes").
        yield INDEX.warning(name, f"the index {BY_ACCOUNT} is {found['IndexStatus']}", fix="wait and ask again")
    else:
        yield INDEX.ok(name, f"{BY_ACCOUNT}, about {found.get('ItemCount', 0)} functions")


def recovery(hub: DeployedHub) -> Iterator[Check]:
    """What stands between the table and a mistake."""
    name, tables = hub.output("LedgerTable"), hub.client("dynamodb")
    with asking(f"reading the backups of the table {name}"):
        backups = tables.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        table = tables.describe_table(TableName=name)["Table"]
    missing = []
    if backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") != "ENABLED":
        missing.append("point-in-time recovery is off")
    if not table.get("DeletionProtectionEnabled"):
        missing.append("deletion protection is off")
    if missing:
        yield RECOVERY.warning(name, " and ".join(missing))
    else:
        yield RECOVERY.ok(name, "point-in-time recovery and deletion protection are on")


def bucket(hub: DeployedHub) -> Iterator[Check]:
    """The default encryption."""
    name, key = hub.output("ResultsBucket"), hub.output("ResultsKmsKeyArn")
    with asking(f"reading the encryption of the bucket {name}"):
        answer = hub.client("s3").get_bucket_encryption(Bucket=name, ExpectedBucketOwner=hub.account)
    rules = answer["ServerSideEncryptionConfiguration"]["Rules"]
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    if any(one.get("KMSMasterKeyID", "").rsplit("/", 1)[-1] == key.rsplit("/", 1)[-1] for one in defaults):
        yield BUCKET.ok(name, "under the hub's key")
    else:
        yield BUCKET.failed(name, f"by default it encrypts with {[one.get('SSEAlgorithm') for one in defaults]}")


def private(hub: DeployedHub) -> Iterator[Check]:
    """All four flags."""
    name = hub.output("ResultsBucket")
    try:
        with asking(f"reading the public access block of the bucket {name}"):
            answer = hub.client("s3").get_public_access_block(Bucket=name, ExpectedBucketOwner=hub.account)
    except Gone:
        yield PRIVATE.failed(name, "there is no block of public access")
        return
    flags = answer["PublicAccessBlockConfiguration"]
    off = [flag for flag in FLAGS if not flags.get(flag)]
    if off:
        yield PRIVATE.failed(name, f"{', '.join(off)} off")
    else:
        yield PRIVATE.ok(name, "all public access is blocked")


EXAMINATIONS = (
    Examination(LEDGER, ledger),
    Examination(INDEX, index),
    Examination(RECOVERY, recovery),
    Examination(BUCKET, bucket),
    Examination(PRIVATE, private),
)
