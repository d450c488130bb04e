"""A stack's life: created, changed in place, rolled back where a resource fails, deleted."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Event, Stack, cloudformation_backends
from moto.cloudformation.parsing import ResourceMap

from infra.local.mends.replacement import replaced
from infra.local.mends.stacks.parameters import effective
from infra.local.mends.stacks.resolution import applied, asserted, resolved
from infra.local.mends.stacks.template import Json, active, in_order

on_failure: ContextVar[str] = ContextVar("on_failure", default="ROLLBACK")
"""What a failed creation leads to: `ROLLBACK`, `DELETE` or `DO_NOTHING`."""

SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
"""The states of a stack that can be updated, and has outputs."""

_RETAINED = frozenset({"Retain", "RetainExceptOnCreate"})


class ResourceFailed(Exception):
    """A resource could not be created, changed or deleted; its event has been written."""


@contextmanager
def mended() -> Iterator[None]:
    """Stacks live as on AWS."""
    load = ResourceMap.load

    def load_and_check(resources: ResourceMap) -> None:
        load(resources)
        if template := resources._template:  # noqa: SLF001  # moto's own
            asserted(template, resources)
            check(resources)

    with ExitStack() as mends:
        mends.enter_context(replaced(ResourceMap, "load", load_and_check))
        mends.enter_context(replaced(Stack, "create_resources", create))
        mends.enter_context(replaced(Stack, "update", update))
        mends.enter_context(replaced(Stack, "stack_resources", property(_existing)))
        mends.enter_context(replaced(Stack, "outputs", property(_outputs(vars(Stack)["outputs"].fget))))
        mends.enter_context(replaced(CloudFormationBackend, "delete_stack", delete))
        yield


def check(resources: ResourceMap) -> list[str]:
    """The resources that the stack has, in order.

    Raises:
        ValidationError: A type is unknown, or a reference leads nowhere.
    """
    wanted = _wanted(resources)
    for resource in wanted.values():
        parsing.resource_class_from_type(resource["Type"])
    return in_order(wanted, resources._parsed_resources)  # noqa: SLF001  # moto's own


def create(stack: Stack) -> None:
    """Create every resource; where one fails, do what `on_failure` says."""
    stack.status = "CREATE_IN_PROGRESS"
    stack.description = stack.template_dict.get("Description")
    try:
        _apply(stack, stack.resource_map)
    except ResourceFailed as failure:
        _undo_creation(stack, failure)
    else:
        stack.mark_creation_complete()


def _undo_creation(stack: Stack, failure: ResourceFailed) -> None:
    stack.status = "CREATE_FAILED"
    if on_failure.get() == "DO_NOTHING":
        _stack_event(stack, str(failure))
        return
    what = "DELETE" if on_failure.get() == "DELETE" else "ROLLBACK"
    stack.status = f"{what}_IN_PROGRESS"
    _stack_event(stack, str(failure))
    # What is retained only once it has been in use goes; what is always retained stays, as on AWS.
    kept = _names_with(stack.template_dict, frozenset({"Retain"}))
    try:
        _remove(stack, stack.resource_map, list(applied(stack.resource_map)), kept)
    except ResourceFailed as second:
        stack.status = f"{what}_FAILED"
        _stack_event(stack, str(second))
        return
    stack.status = f"{what}_COMPLETE"
    _stack_event(stack)
    if what == "DELETE":
        _forget(cloudformation_backends[stack.account_id][stack.region_name], stack)


def with_template(stack: Stack, template: Json, parameters: Mapping[str, str]) -> ResourceMap:
    """What the stack is to be by a template, with the resources that it has.

    Raises:
        ValidationError: The template or a parameter is at fault.
    """
    resources = ResourceMap(
        stack.stack_id,
        stack.name,
        effective(template, parameters),
        stack.tags,
        account_id=stack.account_id,
        region_name=stack.region_name,
        template=template,
        cross_stack_resources=stack.cross_stack_resources,
    )
    resources.load()
    _carry_over(stack.resource_map, resources)
    return resources


def update(
    stack: Stack,
    template: str,
    role_arn: str | None = None,
    parameters: Mapping[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    """Bring the stack to a template; where a resource fails, bring it back to what it was."""
    parsed = stack.parse_template(template)
    before, after = stack.resource_map, with_template(stack, parsed, parameters or {})
    stack.status = "UPDATE_IN_PROGRESS"
    _stack_event(stack, "User Initiated")
    try:
        _apply(stack, after)
        gone = [name for name in applied(after) if name not in _wanted(after)]
        stack.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        _remove(stack, after, gone, _names_with(stack.template_dict, _RETAINED))
    except ResourceFailed as failure:
        stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        _stack_event(stack, str(failure))
        back = with_template(stack, stack.template_dict, before.input_parameters)
        _carry_over(after, back)
        _apply(stack, back)
        _remove(stack, back, [name for name in applied(back) if name not in _wanted(back)], frozenset())
        stack.resource_map = back
        stack.status = "UPDATE_ROLLBACK_COMPLETE"
    else:
        stack.template, stack.template_dict = template, parsed
        stack.resource_map = after
        stack.parameters = dict(parameters or {})
        stack.role_arn = role_arn
        stack.tags = stack.tags if tags is None else tags
        stack.description = parsed.get("Description")
        stack.status = "UPDATE_COMPLETE"
    stack.output_map = stack._create_output_map()  # noqa: SLF001  # moto's own
    _stack_event(stack)


def delete(backend: CloudFormationBackend, name_or_id: str) -> None:
    """Delete what the stack does not retain. A resource that refuses leaves the stack as `DELETE_FAILED`."""
    found = [stack for stack in backend.stacks.values() if name_or_id in {stack.name, stack.stack_id}]
    for stack in found:
        if stack.enable_termination_protection:
            message = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            raise ValidationError(message=message)
        stack.status = "DELETE_IN_PROGRESS"
        _stack_event(stack, "User Initiated")
        retained = _names_with(stack.template_dict, _RETAINED)
        try:
            _remove(stack, stack.resource_map, list(applied(stack.resource_map)), retained)
        except ResourceFailed as failure:
            stack.status = "DELETE_FAILED"
            _stack_event(stack, str(failure))
            continue
        for export in stack.exports:
            backend.exports.pop(export.name, None)
        stack.status = "DELETE_COMPLETE"
        _stack_event(stack)
        _forget(backend, stack)


def _forget(backend: CloudFormationBackend, stack: Stack) -> None:
    """The name is free again; by its id a deleted stack is still known."""
    backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)
    for id_ in [id_ for id_, one in backend.change_sets.items() if one.stack is stack]:
        del backend.change_sets[id_]


def _apply(stack: Stack, resources: ResourceMap) -> None:
    """Create what is missing and change what differs, each after what it refers to."""
    wanted = _wanted(resources)
    for name in check(resources):
        if name in applied(resources):
            _change(stack, resources, name, wanted[name])
        else:
            _add(stack, resources, name, wanted[name])


def _add(stack: Stack, resources: ResourceMap, name: str, resource: Json) -> None:
    with _told(stack, resources, name, resource["Type"], "CREATE"):
        try:
            resources[name]
        except Exception:
            applied(resources).pop(name, None)
            raise


def _change(stack: Stack, resources: ResourceMap, name: str, resource: Json) -> None:
    before = applied(resources)[name]
    if resolved(resource, resources) == before:
        return
    with _told(stack, resources, name, resource["Type"], "UPDATE"):
        try:
            changed: Any = parsing.parse_and_update_resource(
                name, resource, resources, stack.account_id, stack.region_name
            )
        except Exception:
            applied(resources)[name] = before
            raise
    if changed is not None:
        resources._parsed_resources[name] = changed  # noqa: SLF001  # moto's own


def _remove(stack: Stack, resources: ResourceMap, names: Sequence[str], retained: frozenset[str]) -> None:
    """Delete these resources, those that refer to others first."""
    kinds = {name: type_of(resources, name) for name in names}
    # What was created last may refer to what was created before, never the other way round.
    for name in reversed(names):
        if name in retained:
            _resource_event(stack, resources, name, kinds[name], "DELETE_SKIPPED")
        else:
            with _told(stack, resources, name, kinds[name], "DELETE"):
                resource = resources._parsed_resources[name]  # noqa: SLF001  # moto's own
                json = {"Type": kinds[name], "Properties": applied(resources)[name]}
                resources._delete_resource(resource, json)  # noqa: SLF001  # moto's own
        applied(resources).pop(name)
        resources._parsed_resources.pop(name)  # noqa: SLF001  # moto's own


@contextmanager
def _told(stack: Stack, resources: ResourceMap, name: str, kind: str, what: str) -> Iterator[None]:
    """Events before and after; any error ends as `ResourceFailed`."""
    _resource_event(stack, resources, name, kind, f"{what}_IN_PROGRESS")
    try:
        yield
    except Exception as error:
        reason = getattr(error, "message", None) or str(error) or type(error).__name__
        _resource_event(stack, resources, name, kind, f"{what}_FAILED", reason)
        verb = {"CREATE": "create", "UPDATE": "update", "DELETE": "delete"}[what]
        raise ResourceFailed(f"The following resource(s) failed to {verb}: [{name}].") from error
    _resource_event(stack, resources, name, kind, f"{what}_COMPLETE")


def _existing(stack: Stack) -> list[Any]:
    # moto would make those that a condition leaves out, or stumble over them.
    return [stack.resource_map._parsed_resources[name] for name in applied(stack.resource_map)]  # noqa: SLF001  # moto's own


def _outputs(original: Any) -> Any:  # noqa: ANN401  # what is behind a property
    def outputs(stack: Stack) -> Any:  # noqa: ANN401  # moto's own
        # moto works them out of resources that were never made, or are gone.
        return original(stack) if stack.status.endswith(SETTLED) else None

    return outputs


def type_of(resources: ResourceMap, name: str) -> str:
    """The type of a resource that exists."""
    return str(resources._parsed_resources[name].cf_resource_type)  # noqa: SLF001  # moto's own


def _wanted(resources: ResourceMap) -> dict[str, Json]:
    return active(resources._template, resources.lazy_condition_map)  # noqa: SLF001  # moto's own


def _carry_over(before: ResourceMap, after: ResourceMap) -> None:
    for name, properties in applied(before).items():
        applied(after)[name] = properties
        after._parsed_resources[name] = before._parsed_resources[name]  # noqa: SLF001  # moto's own


def _names_with(template: Mapping[str, Any], policies: frozenset[str]) -> frozenset[str]:
    resources = template.get("Resources", {}).items()
    return frozenset(name for name, one in resources if one.get("DeletionPolicy") in policies)


def _stack_event(stack: Stack, reason: str | None = None) -> None:
    stack._add_stack_event(stack.status, resource_status_reason=reason)  # noqa: SLF001  # moto's own


def _resource_event(
    stack: Stack, resources: ResourceMap, name: str, kind: str, status: str, reason: str | None = None
) -> None:
    resource = resources._parsed_resources.get(name)  # noqa: SLF001  # moto's own
    stack.events.append(
        Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=name,
            physical_resource_id=getattr(resource, "physical_resource_id", ""),
            resource_type=kind,
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
    )
