"""CloudFormation's resources, created, changed and deleted by the very calls that the API makes.

moto 5.2.5 skips a type that it does not know: the stack is complete, the resource does not exist, and a reference to it
is empty. Of those that it knows it drops properties, and it changes many by deleting them. `RESOURCES` lists the types
that are made here in its stead, all of our templates' among them; others that it knows stay as it has them. A type that
neither knows fails the stack, so that none vanishes unseen.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError

from infra.local.mends.replacement import replaced
from infra.local.mends.resources import (
    buckets,
    containers,
    events,
    identity,
    keys,
    logs,
    monitoring,
    network_access,
    networks,
    queues,
    scaling,
    tables,
    topics,
)
from infra.local.mends.resources.resource import Resource

RESOURCES: Mapping[str, type[Resource]] = {
    kind.type_name: kind
    for kind in (
        buckets.Bucket,
        buckets.BucketPolicy,
        containers.CapacityProviders,
        containers.Cluster,
        containers.Service,
        containers.TaskDefinition,
        events.Archive,
        events.EventBus,
        events.EventBusPolicy,
        events.Rule,
        identity.Policy,
        identity.Role,
        keys.Alias,
        keys.Key,
        keys.Secret,
        logs.LogGroup,
        monitoring.Alarm,
        monitoring.Dashboard,
        network_access.Endpoint,
        network_access.FlowLog,
        network_access.SecurityGroup,
        networks.Address,
        networks.GatewayAttachment,
        networks.InternetGateway,
        networks.NatGateway,
        networks.Route,
        networks.RouteTable,
        networks.RouteTableAssociation,
        networks.Subnet,
        networks.Vpc,
        queues.Queue,
        queues.QueuePolicy,
        scaling.ScalableTarget,
        scaling.ScalingPolicy,
        scaling.Schedule,
        scaling.ScheduleGroup,
        tables.Table,
        topics.Topic,
        topics.TopicPolicy,
    )
}
"""The types that are made here."""


@contextmanager
def mended() -> Iterator[None]:
    """CloudFormation makes them so, and refuses what it does not know."""
    known_types = parsing.get_model_map
    class_of = parsing.resource_class_from_type
    name_of = parsing.resource_name_property_from_type

    def types() -> dict[str, Any]:
        return {**known_types(), **RESOURCES}

    def name_property(kind: str) -> str | None:
        return RESOURCES[kind].name_property if kind in RESOURCES else name_of(kind)

    def class_or_refusal(kind: str) -> object:
        if kind in types() or kind in parsing.NULL_MODELS:
            return class_of(kind)
        raise ValidationError(
            message=f"Template format error: Unrecognized resource types: [{kind}]; a mend is missing"
        )

    with ExitStack() as mends:
        mends.enter_context(replaced(parsing, "get_model_map", types))
        mends.enter_context(replaced(parsing, "resource_name_property_from_type", name_property))
        mends.enter_context(replaced(parsing, "resource_class_from_type", class_or_refusal))
        yield
