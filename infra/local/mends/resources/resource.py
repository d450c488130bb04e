"""What moto's CloudFormation asks of a resource."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException

from infra.local.mends.resources.calls import Calls

Properties = dict[str, Any]


class AlreadyExists(Exception):
    """There is a resource of that name, which this stack has not made."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{name} already exists (Service: {kind}, Status Code: 409)")


class Resource:
    """A resource that is created, changed and deleted by the calls of the API.

    Args:
        physical_resource_id: What `!Ref` gives.
        attributes: What `!GetAtt` gives.
    """

    type_name: ClassVar[str]
    name_property: ClassVar[str] = ""
    """The property that names it; without it CloudFormation makes a name."""
    readable: ClassVar[frozenset[str]] = frozenset()
    """What `!GetAtt` knows."""
    known: ClassVar[frozenset[str] | None] = None
    """The properties that are heeded; another one fails the resource. None: the API refuses what it does not know."""
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    """The properties that cannot be changed in place."""

    def __init__(self, physical_resource_id: str, attributes: Mapping[str, str] | None = None) -> None:
        self.physical_resource_id = physical_resource_id
        self.attributes = dict(attributes or {})
        self.properties: Properties = {}

    @classmethod
    @abstractmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """Create it."""

    @abstractmethod
    def change(self, properties: Properties, calls: Calls) -> None:
        """Bring it to these properties in place; `self.properties` are those that it has."""

    @abstractmethod
    def remove(self, calls: Calls) -> None:
        """Delete it."""

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **_: object
    ) -> Self:
        """Moto's call for a new resource."""
        properties = cls._checked(cloudformation_json)
        made = cls.create(str(resource_name), properties, Calls(account_id, region_name))
        made.properties = properties
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Self:
        """Moto's call for a changed resource: in place, or another one in its stead."""
        calls, properties = Calls(account_id, region_name), cls._checked(cloudformation_json)
        before = original_resource.properties
        changed = {name for name in {*before, *properties} if before.get(name) != properties.get(name)}
        if not cls.has_to_be_replaced(changed):
            original_resource.change(properties, calls)
            original_resource.properties = properties
            return original_resource
        new = cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
        if cloudformation_json.get("UpdateReplacePolicy") != "Retain":
            original_resource.remove(calls)
        return new

    @classmethod
    def has_to_be_replaced(cls, changed: set[str]) -> bool:
        """Whether a change of these properties makes another resource."""
        return bool(changed & {cls.name_property, *cls.replaced_by})

    def delete(self, account_id: str, region_name: str) -> None:
        """Moto's call for a resource that goes."""
        self.remove(Calls(account_id, region_name))

    @classmethod
    def _checked(cls, cloudformation_json: dict[str, Any]) -> Properties:
        properties: Properties = cloudformation_json.get("Properties", {})
        if cls.known is not None and (unknown := properties.keys() - cls.known):
            raise NotImplementedError(f"the embedded cloud knows no {', '.join(sorted(unknown))} of {cls.type_name}")
        return properties

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        """Whether `!GetAtt` knows it."""
        return attr in cls.readable

    def get_cfn_attribute(self, attribute_name: str) -> str:
        """What `!GetAtt` gives."""
        if attribute_name not in self.attributes:
            raise UnformattedGetAttTemplateException
        return self.attributes[attribute_name]

    def is_created(self) -> bool:
        """At once."""
        return True


def api_form(value: Any) -> Any:  # noqa: ANN401  # JSON in, JSON out
    """Properties in the form of an API that begins its names in lower case, as ECS does."""
    if isinstance(value, list):
        return [api_form(one) for one in value]
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: api_form(one) for key, one in value.items()}
    return value


def boolean(value: object) -> bool:
    """Of a property: a boolean or its text."""
    return str(value).lower() == "true"
