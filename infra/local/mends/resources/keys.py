"""KMS and Secrets Manager.

moto 5.2.5 keeps a key's policy as an object, never changes it, and knows no `AWS::SecretsManager::Secret`.
"""

from typing import Any, Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import Properties, Resource, boolean


class Key(Resource):
    """A key."""

    type_name = "AWS::KMS::Key"
    known = frozenset(
        {
            "Description",
            "EnableKeyRotation",
            "KeyPolicy",
            "KeySpec",
            "KeyUsage",
            "MultiRegion",
            "PendingWindowInDays",
            "RotationPeriodInDays",
            "Tags",
        }
    )
    readable = frozenset({"Arn", "KeyId"})
    replaced_by = frozenset({"KeySpec", "KeyUsage", "MultiRegion"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # a key has no name
        """As CreateKey and EnableKeyRotation do."""
        given = {key: properties.get(key) for key in ("Description", "KeySpec", "KeyUsage", "MultiRegion")}
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
        answer = calls.do("kms", "create_key", Policy=properties.get("KeyPolicy"), Tags=tags, **given)
        made = cls(
            answer["KeyMetadata"]["KeyId"],
            {"Arn": answer["KeyMetadata"]["Arn"], "KeyId": answer["KeyMetadata"]["KeyId"]},
        )
        made._rotate(properties, calls)  # its own
        return made

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutKeyPolicy, UpdateKeyDescription and EnableKeyRotation do."""
        key = self.physical_resource_id
        calls.do("kms", "put_key_policy", KeyId=key, PolicyName="default", Policy=properties["KeyPolicy"])
        calls.do("kms", "update_key_description", KeyId=key, Description=properties.get("Description", ""))
        self._rotate(properties, calls)

    def remove(self, calls: Calls) -> None:
        """As ScheduleKeyDeletion does."""
        days = self.properties.get("PendingWindowInDays", 30)
        calls.do("kms", "schedule_key_deletion", KeyId=self.physical_resource_id, PendingWindowInDays=days)

    def _rotate(self, properties: Properties, calls: Calls) -> None:
        key = self.physical_resource_id
        if boolean(properties.get("EnableKeyRotation", False)):
            days = properties.get("RotationPeriodInDays")
            calls.do("kms", "enable_key_rotation", KeyId=key, RotationPeriodInDays=days)
        else:
            calls.do("kms", "disable_key_rotation", KeyId=key)


class Alias(Resource):
    """A key's name."""

    type_name = "AWS::KMS::Alias"
    name_property = "AliasName"
    known = frozenset({"AliasName", "TargetKeyId"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateAlias does."""
        calls.do("kms", "create_alias", AliasName=name, TargetKeyId=properties["TargetKeyId"])
        return cls(name)

    def change(self, properties: Properties, calls: Calls) -> None:
        """As UpdateAlias does."""
        calls.do("kms", "update_alias", AliasName=self.physical_resource_id, TargetKeyId=properties["TargetKeyId"])

    def remove(self, calls: Calls) -> None:
        """As DeleteAlias does."""
        calls.do("kms", "delete_alias", AliasName=self.physical_resource_id)


class Secret(Resource):
    """A secret, empty or with a generated value."""

    type_name = "AWS::SecretsManager::Secret"
    name_property = "Name"
    known = frozenset({"Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags"})
    readable = frozenset({"Id"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateSecret does."""
        given: dict[str, Any] = {key: properties.get(key) for key in ("Description", "KmsKeyId", "Tags")}
        given["SecretString"] = properties.get("SecretString")
        if (wanted := properties.get("GenerateSecretString")) is not None:
            given["SecretString"] = _generated(wanted, calls)
        arn = calls.do("secretsmanager", "create_secret", Name=name, **given)["ARN"]
        return cls(arn, {"Id": arn})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As UpdateSecret does; a generated value stays, as on AWS unless its recipe changes."""
        given: dict[str, Any] = {key: properties.get(key) for key in ("Description", "KmsKeyId")}
        before, wanted = self.properties.get("GenerateSecretString"), properties.get("GenerateSecretString")
        if wanted != before and wanted is not None:
            given["SecretString"] = _generated(wanted, calls)
        elif properties.get("SecretString") != self.properties.get("SecretString"):
            given["SecretString"] = properties.get("SecretString")
        calls.do("secretsmanager", "update_secret", SecretId=self.physical_resource_id, **given)

    def remove(self, calls: Calls) -> None:
        """As DeleteSecret without a time to think it over does."""
        calls.do(
            "secretsmanager",
            "delete_secret",
            SecretId=self.physical_resource_id,
            ForceDeleteWithoutRecovery=True,
        )


def _generated(wanted: Properties, calls: Calls) -> str:
    return str(calls.do("secretsmanager", "get_random_password", **wanted)["RandomPassword"])
