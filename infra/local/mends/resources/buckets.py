"""S3: buckets and their policies.

moto 5.2.5 creates a bucket with its encryption alone, and knows no `AWS::S3::BucketPolicy`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import Properties, Resource

_DIRECT = ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "Status")


def _encrypt(bucket: str, given: Any, calls: Calls) -> None:  # noqa: ANN401  # JSON
    if given is None:
        calls.do("s3", "delete_bucket_encryption", Bucket=bucket)
        return
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }
        for rule in given["ServerSideEncryptionConfiguration"]
    ]
    calls.do("s3", "put_bucket_encryption", Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def _version(bucket: str, given: Any, calls: Calls) -> None:  # noqa: ANN401  # JSON
    status = given or {"Status": "Suspended"}
    calls.do("s3", "put_bucket_versioning", Bucket=bucket, VersioningConfiguration=status)


def _own(bucket: str, given: Any, calls: Calls) -> None:  # noqa: ANN401  # JSON
    if given is None:
        calls.do("s3", "delete_bucket_ownership_controls", Bucket=bucket)
    else:
        calls.do("s3", "put_bucket_ownership_controls", Bucket=bucket, OwnershipControls=given)


def _block(bucket: str, given: Any, calls: Calls) -> None:  # noqa: ANN401  # JSON
    if given is None:
        calls.do("s3", "delete_public_access_block", Bucket=bucket)
    else:
        calls.do("s3", "put_public_access_block", Bucket=bucket, PublicAccessBlockConfiguration=given)


def _expire(bucket: str, given: Any, calls: Calls) -> None:  # noqa: ANN401  # JSON
    if given is None:
        calls.do("s3", "delete_bucket_lifecycle", Bucket=bucket)
    else:
        rules = {"Rules": [_lifecycle_rule(rule) for rule in given["Rules"]]}
        calls.do("s3", "put_bucket_lifecycle_configuration", Bucket=bucket, LifecycleConfiguration=rules)


def _log(bucket: str, given: Any, calls: Calls) -> None:  # noqa: ANN401  # JSON
    status: dict[str, Any] = {}
    if given is not None:
        target = given.get("DestinationBucketName", bucket)
        status = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": given.get("LogFilePrefix", "")}}
    calls.do("s3", "put_bucket_logging", Bucket=bucket, BucketLoggingStatus=status)


_OPTIONS: Mapping[str, Callable[[str, Any, Calls], None]] = {
    "BucketEncryption": _encrypt,
    "LifecycleConfiguration": _expire,
    "LoggingConfiguration": _log,
    "OwnershipControls": _own,
    "PublicAccessBlockConfiguration": _block,
    "VersioningConfiguration": _version,
}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's form of a rule -> the API's."""
    known = {*_DIRECT, "ExpirationInDays", "ExpiredObjectDeleteMarker", "Id", "Prefix", "Transitions"}
    if unknown := rule.keys() - known:
        raise NotImplementedError(f"the embedded cloud knows no {', '.join(sorted(unknown))} of a lifecycle rule")
    answer = {"ID": rule["Id"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    answer |= {key: rule[key] for key in _DIRECT if key in rule}
    if "ExpirationInDays" in rule:
        answer["Expiration"] = {"Days": rule["ExpirationInDays"]}
    elif "ExpiredObjectDeleteMarker" in rule:
        answer["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    if "Transitions" in rule:
        answer["Transitions"] = [
            {"Days": one["TransitionInDays"], "StorageClass": one["StorageClass"]} for one in rule["Transitions"]
        ]
    return answer


class Bucket(Resource):
    """A bucket."""

    type_name = "AWS::S3::Bucket"
    name_property = "BucketName"
    known = frozenset({"BucketName", *_OPTIONS})
    readable = frozenset({"Arn", "DomainName", "RegionalDomainName"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateBucket and a call for each option do."""
        place = None if calls.region == "us-east-1" else {"LocationConstraint": calls.region}
        calls.do("s3", "create_bucket", Bucket=name, CreateBucketConfiguration=place)
        for option, put in _OPTIONS.items():
            if option in properties:
                put(name, properties[option], calls)
        domain = f"{name}.s3.{calls.region}.amazonaws.com"
        return cls(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": domain, "RegionalDomainName": domain})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As the calls for the options do."""
        for option, put in _OPTIONS.items():
            if properties.get(option) != self.properties.get(option):
                put(self.physical_resource_id, properties.get(option), calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteBucket does."""
        calls.do("s3", "delete_bucket", Bucket=self.physical_resource_id)


class BucketPolicy(Resource):
    """The policy of a bucket."""

    type_name = "AWS::S3::BucketPolicy"
    replaced_by = frozenset({"Bucket"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As PutBucketPolicy does."""
        calls.do("s3", "put_bucket_policy", Bucket=properties["Bucket"], Policy=properties["PolicyDocument"])
        return cls(name)

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutBucketPolicy does."""
        type(self).create(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As DeleteBucketPolicy does."""
        calls.do("s3", "delete_bucket_policy", Bucket=self.properties["Bucket"])
