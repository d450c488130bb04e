"""What the worker's session in a spoke may do there: read functions and images, write three tags, nothing else."""

from dataclasses import replace

from tests.policies.evaluator import Policy
from tests.policies.row import ALLOWED, DENIED, Row
from tests.policies.table.stacks import (
    SPOKE_SESSION,
    SPOKE_WITH_KEYS,
    SPOKE_WITH_ONE_KEY,
    SPOKE_WITHOUT_TAGS,
)
from tests.policies.world import (
    BOUNDARY,
    CODE_KEY,
    LAYER,
    ORDERS,
    OTHER_KEY,
    OTHER_SPOKE,
    REGION,
    REPOSITORY,
    SPOKE,
    Resource,
    session,
)

UNTAGGING = session(SPOKE_WITHOUT_TAGS, "SpokeRole", "the same with EnableTagging=false")
DECRYPTING = session(SPOKE_WITH_KEYS, "SpokeRole", "the same with DecryptCode=true")
DECRYPTING_ONE = session(SPOKE_WITH_ONE_KEY, "SpokeRole", "the same with CodeKeyArns too")
BOUNDED = replace(SPOKE_SESSION, name="the same under a boundary", boundary=BOUNDARY)


def shared(principal: str) -> Policy:
    """A resource policy by which an account shares something with another."""
    allowed = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": ["ecr:*", "lambda:*"], "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": allowed}


def by_iam(arn: str, name: str) -> Resource:
    """A key of the spoke, on which IAM decides."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{SPOKE}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return Resource(name=name, arn=arn, account=SPOKE, policy={"Version": "2012-10-17", "Statement": statement})


FUNCTION = Resource(name="a function", arn=str(ORDERS), account=SPOKE)
VERSION = Resource(name="a published version", arn=f"{ORDERS}:7", account=SPOKE)
STRANGE_FUNCTION = Resource(
    name="another account's function, shared",
    arn=str(replace(ORDERS, account=OTHER_SPOKE)),
    account=OTHER_SPOKE,
    policy=shared(f"arn:aws:iam::{SPOKE}:root"),
)
OWN_LAYER = Resource(name="a layer", arn=LAYER, account=SPOKE)
SHARED_LAYER = Resource(
    name="another account's layer, shared",
    arn=LAYER.replace(SPOKE, OTHER_SPOKE),
    account=OTHER_SPOKE,
    policy=shared(f"arn:aws:iam::{SPOKE}:root"),
)
IMAGES = Resource(name="a repository", arn=REPOSITORY, account=SPOKE)
SHARED_IMAGES = Resource(
    name="another account's repository, shared",
    arn=REPOSITORY.replace(SPOKE, OTHER_SPOKE),
    account=OTHER_SPOKE,
    policy=shared(f"arn:aws:iam::{SPOKE}:root"),
)
NO_RESOURCE = Resource(name="-", arn="*", account=SPOKE)
KEY, ANOTHER_KEY = by_iam(CODE_KEY, "the code's key"), by_iam(OTHER_KEY, "another key")
SECRET = Resource(name="a secret", arn=f"arn:aws:secretsmanager:{REGION}:{SPOKE}:secret:db-A1b2C3", account=SPOKE)
ROLE = Resource(name="its own role", arn=f"arn:aws:iam::{SPOKE}:role/scanhub-spoke", account=SPOKE)
OBJECT = Resource(name="an object", arn="arn:aws:s3:::shop-data/customers.csv", account=SPOKE)

TAG = "lambda:TagResource"
VIA_LAMBDA = {
    "kms:ViaService": f"lambda.{REGION}.amazonaws.com",
    "kms:EncryptionContext:aws:lambda:FunctionArn": str(ORDERS),
}
VIA_S3 = {**VIA_LAMBDA, "kms:ViaService": f"s3.{REGION}.amazonaws.com"}
OTHERS = {**VIA_LAMBDA, "kms:EncryptionContext:aws:lambda:FunctionArn": str(replace(ORDERS, account=OTHER_SPOKE))}
NO_CONTEXT = {"kms:ViaService": f"lambda.{REGION}.amazonaws.com"}


def tags(*keys: str) -> dict[str, tuple[str, ...]]:
    """The tag keys that a request writes."""
    return {"aws:TagKeys": keys}


ALL_TAGS = tags("QualysScanTimestamp", "QualysScanStatus", "QualysScanTag")

ROWS = (
    Row(SPOKE_SESSION, "lambda:GetFunction", FUNCTION, ALLOWED, "describes it"),
    Row(SPOKE_SESSION, "lambda:GetFunctionConfiguration", FUNCTION, ALLOWED, "the scanner asks"),
    Row(SPOKE_SESSION, "lambda:ListTags", FUNCTION, ALLOWED, "the tag that excludes"),
    Row(SPOKE_SESSION, "lambda:GetFunction", VERSION, ALLOWED, "also a published version"),
    Row(SPOKE_SESSION, "lambda:ListFunctions", NO_RESOURCE, ALLOWED, "doctor and sweep"),
    Row(SPOKE_SESSION, "lambda:ListAliases", FUNCTION, ALLOWED, "which versions are in use"),
    Row(SPOKE_SESSION, "lambda:ListProvisionedConcurrencyConfigs", FUNCTION, ALLOWED, "the same"),
    Row(
        SPOKE_SESSION, "lambda:ListAliases", STRANGE_FUNCTION, DENIED, "another account's function, though it is shared"
    ),
    Row(SPOKE_SESSION, "lambda:ListEventSourceMappings", NO_RESOURCE, DENIED, "code, not what calls it"),
    Row(SPOKE_SESSION, "lambda:UpdateAlias", FUNCTION, DENIED, "no alias is moved"),
    Row(SPOKE_SESSION, "lambda:PublishVersion", FUNCTION, DENIED, "no version is made"),
    Row(SPOKE_SESSION, "ec2:DescribeRegions", NO_RESOURCE, ALLOWED, "where there may be functions"),
    Row(SPOKE_SESSION, "ec2:DescribeInstances", NO_RESOURCE, DENIED, "nothing else of EC2"),
    Row(SPOKE_SESSION, "tag:GetResources", NO_RESOURCE, ALLOWED, "which functions carry the tag that excludes"),
    Row(SPOKE_SESSION, "tag:GetTagValues", NO_RESOURCE, DENIED, "and nothing else of tags"),
    Row(SPOKE_SESSION, "tag:TagResources", NO_RESOURCE, DENIED, "least of all tags of whatever there is"),
    Row(SPOKE_SESSION, "lambda:GetLayerVersion", OWN_LAYER, ALLOWED, "layers are code too"),
    Row(SPOKE_SESSION, "lambda:GetLayerVersion", SHARED_LAYER, ALLOWED, "also those that others share"),
    Row(
        SPOKE_SESSION, "lambda:GetFunction", STRANGE_FUNCTION, DENIED, "another account's function, though it is shared"
    ),
    Row(SPOKE_SESSION, "lambda:InvokeFunction", FUNCTION, DENIED, "no function is ever run"),
    Row(SPOKE_SESSION, "lambda:UpdateFunctionCode", FUNCTION, DENIED, "nor changed"),
    Row(SPOKE_SESSION, "lambda:UpdateFunctionConfiguration", FUNCTION, DENIED, "nor changed"),
    Row(SPOKE_SESSION, "lambda:DeleteFunction", FUNCTION, DENIED, "nor deleted"),
    Row(SPOKE_SESSION, "lambda:AddPermission", FUNCTION, DENIED, "nor opened to others"),
    Row(SPOKE_SESSION, "lambda:CreateFunctionUrlConfig", FUNCTION, DENIED, "nor put on the internet"),
    Row(SPOKE_SESSION, "lambda:PutFunctionConcurrency", FUNCTION, DENIED, "nor throttled"),
    Row(SPOKE_SESSION, "ecr:GetAuthorizationToken", NO_RESOURCE, ALLOWED, "signs in to ECR"),
    Row(SPOKE_SESSION, "ecr:BatchGetImage", IMAGES, ALLOWED, "image functions"),
    Row(SPOKE_SESSION, "ecr:GetDownloadUrlForLayer", SHARED_IMAGES, ALLOWED, "also from another account's registry"),
    Row(SPOKE_SESSION, "ecr:PutImage", IMAGES, DENIED, "no image is changed"),
    Row(SPOKE_SESSION, "ecr:BatchDeleteImage", IMAGES, DENIED, "nor deleted"),
    Row(SPOKE_SESSION, "secretsmanager:GetSecretValue", SECRET, DENIED, "code, not data"),
    Row(SPOKE_SESSION, "s3:GetObject", OBJECT, DENIED, "code, not data"),
    Row(SPOKE_SESSION, "iam:PutRolePolicy", ROLE, DENIED, "it cannot give itself more"),
    Row(
        SPOKE_SESSION,
        "iam:PassRole",
        ROLE,
        DENIED,
        "nor to anything else",
        {"iam:PassedToService": "lambda.amazonaws.com"},
    ),
    # ---- tags
    Row(SPOKE_SESSION, TAG, FUNCTION, ALLOWED, "its own three", ALL_TAGS),
    Row(SPOKE_SESSION, TAG, FUNCTION, ALLOWED, "or some of them", tags("QualysScanStatus")),
    Row(SPOKE_SESSION, TAG, FUNCTION, DENIED, "any other key", tags("CostCenter")),
    Row(SPOKE_SESSION, TAG, FUNCTION, DENIED, "mixed with its own", tags("QualysScanStatus", "CostCenter")),
    Row(
        SPOKE_SESSION,
        TAG,
        FUNCTION,
        DENIED,
        "the tag that excludes: whoever is scanned decides",
        tags("QualysScanExclude"),
    ),
    Row(SPOKE_SESSION, TAG, FUNCTION, DENIED, "a key that begins alike", tags("QualysScanStatus2")),
    Row(SPOKE_SESSION, TAG, FUNCTION, DENIED, "a call without keys"),
    Row(SPOKE_SESSION, TAG, STRANGE_FUNCTION, DENIED, "another account's function", ALL_TAGS),
    Row(SPOKE_SESSION, "lambda:UntagResource", FUNCTION, DENIED, "tags are not taken away", tags("QualysScanStatus")),
    Row(UNTAGGING, TAG, FUNCTION, DENIED, "EnableTagging=false leaves the statement out", ALL_TAGS),
    Row(UNTAGGING, "lambda:GetFunction", FUNCTION, ALLOWED, "and nothing else"),
    # ---- encrypted code
    Row(SPOKE_SESSION, "kms:Decrypt", KEY, DENIED, "no key by default", VIA_LAMBDA),
    Row(DECRYPTING, "kms:Decrypt", KEY, ALLOWED, "through Lambda, for a function of the account", VIA_LAMBDA),
    Row(DECRYPTING, "kms:Decrypt", ANOTHER_KEY, ALLOWED, "all keys of the account", VIA_LAMBDA),
    Row(DECRYPTING, "kms:Decrypt", KEY, DENIED, "never directly"),
    Row(DECRYPTING, "kms:Decrypt", KEY, DENIED, "nor through another service", VIA_S3),
    Row(DECRYPTING, "kms:Decrypt", KEY, DENIED, "nor for another account's function", OTHERS),
    Row(DECRYPTING, "kms:Decrypt", KEY, DENIED, "nor for anything that is no function", NO_CONTEXT),
    Row(DECRYPTING, "kms:GenerateDataKey", KEY, DENIED, "it decrypts and nothing else", VIA_LAMBDA),
    Row(DECRYPTING_ONE, "kms:Decrypt", KEY, ALLOWED, "the key that was named", VIA_LAMBDA),
    Row(DECRYPTING_ONE, "kms:Decrypt", ANOTHER_KEY, DENIED, "CodeKeyArns narrows", VIA_LAMBDA),
    # ---- under a permissions boundary that lets read functions alone
    Row(BOUNDED, "lambda:GetFunction", FUNCTION, ALLOWED, "role and boundary allow it"),
    Row(BOUNDED, TAG, FUNCTION, DENIED, "the role allows it, the boundary does not", ALL_TAGS),
    Row(BOUNDED, "lambda:GetFunctionUrlConfig", FUNCTION, DENIED, "the boundary allows it, the role does not"),
)
