"""ECS: cluster, task definition and service.

moto 5.2.5 creates a cluster with its name alone and a service without its network, its capacity providers and its
deployment, deletes a service to change it, and knows no `AWS::ECS::ClusterCapacityProviderAssociations`.
"""

from typing import Any, Self

from infra.local.mends.resources.calls import Calls
from infra.local.mends.resources.resource import Properties, Resource, api_form

_UPDATED = (
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "desiredCount",
    "networkConfiguration",
    "platformVersion",
    "propagateTags",
    "taskDefinition",
)
"""What UpdateService changes of a service and moto takes; the rest is told to `create` alone."""


class Cluster(Resource):
    """A cluster."""

    type_name = "AWS::ECS::Cluster"
    name_property = "ClusterName"
    readable = frozenset({"Arn"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateCluster does."""
        given = _named(properties, "clusterSettings", "settings")
        answer = calls.do("ecs", "create_cluster", **{**given, "clusterName": name})
        return cls(name, {"Arn": answer["cluster"]["clusterArn"]})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As UpdateCluster does."""
        given = _named(properties, "clusterSettings", "settings")
        wanted = {key: given.get(key) for key in ("settings", "configuration")}
        calls.do("ecs", "update_cluster", cluster=self.physical_resource_id, **wanted)

    def remove(self, calls: Calls) -> None:
        """As DeleteCluster does."""
        calls.do("ecs", "delete_cluster", cluster=self.physical_resource_id)


class CapacityProviders(Resource):
    """On what a cluster may run its tasks, and does unless told otherwise."""

    type_name = "AWS::ECS::ClusterCapacityProviderAssociations"
    replaced_by = frozenset({"Cluster"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:  # noqa: ARG003  # the cluster's
        """As PutClusterCapacityProviders does."""
        calls.do("ecs", "put_cluster_capacity_providers", **api_form(properties))
        return cls(properties["Cluster"])

    def change(self, properties: Properties, calls: Calls) -> None:
        """As PutClusterCapacityProviders does."""
        type(self).create(self.physical_resource_id, properties, calls)

    def remove(self, calls: Calls) -> None:
        """As PutClusterCapacityProviders with none does."""
        calls.do(
            "ecs",
            "put_cluster_capacity_providers",
            cluster=self.physical_resource_id,
            capacityProviders=[],
            defaultCapacityProviderStrategy=[],
        )


class TaskDefinition(Resource):
    """A revision of a task definition; each change makes another one, as on AWS."""

    type_name = "AWS::ECS::TaskDefinition"
    readable = frozenset({"TaskDefinitionArn"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As RegisterTaskDefinition does."""
        given = {"family": name, **api_form(properties)}
        arn = calls.do("ecs", "register_task_definition", **given)["taskDefinition"]["taskDefinitionArn"]
        return cls(arn, {"TaskDefinitionArn": arn})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As RegisterTaskDefinition and, for the revision before, DeregisterTaskDefinition do."""
        before = self.physical_resource_id
        new = type(self).create(before, properties, calls)
        calls.do("ecs", "deregister_task_definition", taskDefinition=before)
        self.physical_resource_id, self.attributes = new.physical_resource_id, new.attributes

    def remove(self, calls: Calls) -> None:
        """As DeregisterTaskDefinition does."""
        calls.do("ecs", "deregister_task_definition", taskDefinition=self.physical_resource_id)


class Service(Resource):
    """A service."""

    type_name = "AWS::ECS::Service"
    name_property = "ServiceName"
    readable = frozenset({"Name", "ServiceArn"})
    replaced_by = frozenset({"Cluster", "LaunchType", "SchedulingStrategy"})

    @classmethod
    def create(cls, name: str, properties: Properties, calls: Calls) -> Self:
        """As CreateService does."""
        # CloudFormation begins with one task where the template names no number, and leaves it alone afterwards.
        given = {"desiredCount": 1, **api_form(properties)}
        made = calls.do("ecs", "create_service", **{**given, "serviceName": name})["service"]
        return cls(made["serviceArn"], {"Name": name, "ServiceArn": made["serviceArn"]})

    def change(self, properties: Properties, calls: Calls) -> None:
        """As UpdateService does."""
        given = api_form(properties)
        wanted = {key: given.get(key) for key in _UPDATED}
        calls.do("ecs", "update_service", service=self.attributes["Name"], cluster=properties["Cluster"], **wanted)

    def remove(self, calls: Calls) -> None:
        """As DeleteService does, whatever it runs."""
        calls.do(
            "ecs", "delete_service", service=self.attributes["Name"], cluster=self.properties["Cluster"], force=True
        )


def _named(properties: Properties, ours: str, theirs: str) -> dict[str, Any]:
    """The properties in the API's form; one of them has another name there."""
    given: dict[str, Any] = api_form(properties)
    if ours in given:
        given[theirs] = given.pop(ours)
    return given
