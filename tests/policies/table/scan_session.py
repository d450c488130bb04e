"""What the session of one scan may do: the scanner, which reads untrusted archives, has these credentials."""

from dataclasses import replace

from tests.policies.row import ALLOWED, DENIED, Row
from tests.policies.table.spoke_role import (
    ALL_TAGS,
    ANOTHER_KEY,
    DECRYPTING,
    FUNCTION,
    IMAGES,
    KEY,
    NO_RESOURCE,
    OWN_LAYER,
    TAG,
    VIA_LAMBDA,
)
from tests.policies.table.stacks import SPOKE_SESSION
from tests.policies.world import IMAGE, NEIGHBOUR, REPOSITORY, SPOKE, ZIP, Resource, narrowed

SCAN = narrowed(SPOKE_SESSION, ZIP)
SCAN_WITH_KEYS = replace(narrowed(DECRYPTING, ZIP), name="the same with DecryptCode=true")
IMAGE_SCAN = narrowed(SPOKE_SESSION, IMAGE)
NEIGHBOURS = Resource(name="its neighbour, named alike", arn=str(NEIGHBOUR), account=SPOKE)
IMAGE_FUNCTION = Resource(name="the image function", arn=str(IMAGE.arn), account=SPOKE)
OTHER_LAYER = replace(OWN_LAYER, name="another version of the layer", arn=OWN_LAYER.arn.replace(":7", ":8"))
OTHER_IMAGES = replace(IMAGES, name="another repository", arn=f"{REPOSITORY}-admin")

ROWS = (
    Row(SCAN, "lambda:GetFunction", FUNCTION, ALLOWED, "this function"),
    Row(SCAN, "lambda:GetFunctionConfiguration", FUNCTION, ALLOWED, "this function"),
    Row(SCAN, "lambda:GetLayerVersion", OWN_LAYER, ALLOWED, "its layers"),
    Row(SCAN, "lambda:GetFunction", NEIGHBOURS, DENIED, "no neighbour"),
    Row(SCAN, "lambda:GetLayerVersion", OTHER_LAYER, DENIED, "no other layer version"),
    Row(SCAN, "lambda:ListFunctions", NO_RESOURCE, DENIED, "it need not know of others"),
    Row(SCAN, TAG, FUNCTION, DENIED, "the worker tags, the scanner does not", ALL_TAGS),
    Row(SCAN, "lambda:ListTags", FUNCTION, DENIED, "the worker reads tags, the scanner does not"),
    Row(SCAN, "ecr:GetAuthorizationToken", NO_RESOURCE, DENIED, "a zip needs no registry"),
    Row(SCAN, "ecr:BatchGetImage", IMAGES, DENIED, "a zip needs no image"),
    Row(SCAN, "lambda:InvokeFunction", FUNCTION, DENIED, "no function is ever run"),
    Row(SCAN, "kms:Decrypt", KEY, DENIED, "the session cannot allow what the role does not", VIA_LAMBDA),
    Row(SCAN_WITH_KEYS, "kms:Decrypt", KEY, ALLOWED, "the function's own key", VIA_LAMBDA),
    Row(SCAN_WITH_KEYS, "kms:Decrypt", ANOTHER_KEY, DENIED, "no other key", VIA_LAMBDA),
    Row(IMAGE_SCAN, "lambda:GetFunction", IMAGE_FUNCTION, ALLOWED, "this function"),
    Row(IMAGE_SCAN, "ecr:GetAuthorizationToken", NO_RESOURCE, ALLOWED, "signs in to ECR"),
    Row(IMAGE_SCAN, "ecr:BatchGetImage", IMAGES, ALLOWED, "its image"),
    Row(IMAGE_SCAN, "ecr:GetDownloadUrlForLayer", IMAGES, ALLOWED, "its image"),
    Row(IMAGE_SCAN, "ecr:BatchGetImage", OTHER_IMAGES, DENIED, "no other image"),
    Row(IMAGE_SCAN, "ecr:PutImage", IMAGES, DENIED, "it reads"),
    Row(IMAGE_SCAN, "lambda:GetFunction", FUNCTION, DENIED, "no other function"),
)
