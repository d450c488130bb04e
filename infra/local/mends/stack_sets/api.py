"""The API calls of StackSets."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from moto.cloudformation.exceptions import CloudFormationError, StackSetNotFoundException, ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack, cloudformation_backends
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult

from infra.local.mends.organizations import STACK_SETS, is_delegated, management_account
from infra.local.mends.replacement import added, replaced
from infra.local.mends.stack_sets.model import Instance, Operation, StackSet, kept
from infra.local.mends.stack_sets.operations import begun, deploy, withdraw
from infra.local.mends.stack_sets.targets import accounts_of, organization_of
from infra.local.mends.stacks.change_sets import body_of, check_capabilities, given_parameters
from infra.local.mends.stacks.parameters import effective
from infra.local.mends.stacks.template import Json

_MANAGEMENT_ONLY = (
    "You must be the management account or delegated admin account of an organization before operating a "
    "SERVICE_MANAGED stack set"
)


class NameAlreadyExists(CloudFormationError):
    """There is a StackSet of that name."""

    code = "NameAlreadyExistsException"


class StackSetNotEmpty(CloudFormationError):
    """It has instances."""

    code = "StackSetNotEmptyException"


class OperationNotFound(CloudFormationError):
    """As its name says."""

    code = "OperationNotFoundException"


class StackInstanceNotFound(CloudFormationError):
    """As its name says."""

    code = "StackInstanceNotFoundException"


@contextmanager
def mended() -> Iterator[None]:
    """The calls."""
    with ExitStack() as mends:
        for name, method in _CALLS.items():
            put = replaced if name in vars(CloudFormationResponse) else added
            mends.enter_context(put(CloudFormationResponse, name, method))
        yield


def _get(response: CloudFormationResponse, name: str, default: Any = None) -> Any:  # noqa: ANN401  # JSON
    value = response._get_param(name, default)  # noqa: SLF001  # moto's own
    return default if value is None else value


def _true(value: object) -> bool:
    return str(value).lower() == "true"


def _home(response: CloudFormationResponse) -> CloudFormationBackend:
    """Where the StackSets of this caller are kept: with the management account.

    Raises:
        ValidationError: The caller is neither that account nor a delegated administrator, or says the wrong thing.
    """
    account, region = response.current_account, response.region
    management = management_account(account, response.partition)
    call_as = _get(response, "CallAs", "SELF")
    if call_as == "DELEGATED_ADMIN":
        if management is None or not is_delegated(account, response.partition, STACK_SETS):
            raise ValidationError(message="Account used is not a delegated administrator")
    elif management != account:
        raise ValidationError(message=_MANAGEMENT_ONLY)
    return cloudformation_backends[management][region]


def _trusted(response: CloudFormationResponse, home: CloudFormationBackend) -> None:
    services = organization_of(home.account_id, response.region).services
    if all(one["ServicePrincipal"] != STACK_SETS for one in services):
        raise ValidationError(message="You must enable organizations access to operate a service managed stack set")


def _named(response: CloudFormationResponse) -> tuple[CloudFormationBackend, StackSet]:
    home, name = _home(response), _get(response, "StackSetName")
    for one in kept(home).values():
        if name in {one.id, one.name} and one.status == "ACTIVE":
            return home, one
    raise StackSetNotFoundException(name)


def _tags(response: CloudFormationResponse) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in _get(response, "Tags", [])}


def _create(response: CloudFormationResponse) -> ActionResult:
    if _get(response, "PermissionModel", "SELF_MANAGED") != "SERVICE_MANAGED":
        raise ValidationError(message="the embedded cloud knows service-managed StackSets only")
    home, name = _home(response), _get(response, "StackSetName")
    _trusted(response, home)
    if any(one.name == name and one.status == "ACTIVE" for one in kept(home).values()):
        raise NameAlreadyExists(f"The specified name already exists: {name}")
    auto = _get(response, "AutoDeployment")
    if auto is None:
        raise ValidationError(message="AutoDeployment is required for a SERVICE_MANAGED stack set")
    body = body_of(response, None)
    parsed = Stack.parse_template(body)
    check_capabilities(response, parsed)
    parameters = given_parameters(None, _get(response, "Parameters", []))
    effective(parsed, parameters)
    made = StackSet(
        id=f"{name}:{uuid.uuid4()}",
        name=name,
        account=home.account_id,
        region=home.region_name,
        template=body,
        parameters=parameters,
        description=_get(response, "Description") or parsed.get("Description"),
        capabilities=list(_get(response, "Capabilities", [])),
        tags=_tags(response),
        auto_deployment=_automatic(auto),
        managed_execution=_true((_get(response, "ManagedExecution") or {}).get("Active")),
    )
    kept(home)[made.id] = made
    return ActionResult({"StackSetId": made.id})


def _automatic(given: Mapping[str, Any]) -> Json:
    enabled = _true(given.get("Enabled", False))
    return {"Enabled": enabled, "RetainStacksOnAccountRemoval": _true(given.get("RetainStacksOnAccountRemoval", False))}


def _update(response: CloudFormationResponse) -> ActionResult:
    home, stack_set = _named(response)
    _trusted(response, home)
    if not _true(_get(response, "UsePreviousTemplate")):
        body = body_of(response, None)
        check_capabilities(response, Stack.parse_template(body))
    else:
        body = stack_set.template
    previous = effective(stack_set.parsed, stack_set.parameters)
    parameters = given_parameters(previous, _get(response, "Parameters", []))
    effective(Stack.parse_template(body), parameters)
    targets = _targets(response)
    instances = stack_set.instances if targets is None else _of(stack_set, response, targets)
    stack_set.template, stack_set.parameters = body, parameters
    stack_set.capabilities = list(_get(response, "Capabilities", stack_set.capabilities))
    stack_set.tags = _tags(response) or stack_set.tags
    stack_set.description = _get(response, "Description", stack_set.description)
    if (auto := _get(response, "AutoDeployment")) is not None:
        stack_set.auto_deployment = _automatic(auto)
    if (managed := _get(response, "ManagedExecution")) is not None:
        stack_set.managed_execution = _true(managed.get("Active"))
    for instance in stack_set.instances:
        instance.status = "OUTDATED"
    operation = _begin(response, stack_set, "UPDATE", targets or {})
    deploy(stack_set, operation, list(instances))
    return ActionResult({"OperationId": operation.id})


def _begin(
    response: CloudFormationResponse, stack_set: StackSet, action: str, targets: Json, *, retain: bool = False
) -> Operation:
    preferences = _get(response, "OperationPreferences") or {}
    return begun(stack_set, action, preferences, targets, id_=_get(response, "OperationId"), retain=retain)


def _targets(response: CloudFormationResponse) -> Json | None:
    targets: Json | None = _get(response, "DeploymentTargets")
    if targets is None and (accounts := _get(response, "Accounts", [])):
        raise ValidationError(
            message=f"StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target: "
            f"{accounts}"
        )
    return targets


def _of(stack_set: StackSet, response: CloudFormationResponse, targets: Json) -> list[Instance]:
    """The instances that targets and regions of the call name."""
    accounts = accounts_of(organization_of(stack_set.account, stack_set.region), targets)
    regions = _get(response, "Regions") or [one.region for one in stack_set.instances]
    return [one for one in stack_set.instances if one.account in accounts and one.region in regions]


def _create_instances(response: CloudFormationResponse) -> ActionResult:
    home, stack_set = _named(response)
    _trusted(response, home)
    targets, regions = _targets(response), _get(response, "Regions", [])
    if targets is None:
        raise ValidationError(
            message="StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target"
        )
    overrides = given_parameters(
        effective(stack_set.parsed, stack_set.parameters), _get(response, "ParameterOverrides", [])
    )
    accounts = accounts_of(organization_of(home.account_id, home.region_name), targets)
    chosen = []
    for region in regions:
        for account, unit in accounts.items():
            instance = stack_set.instance(account, region)
            if instance is None:
                instance = Instance(account=account, region=region, unit=unit, overrides=overrides)
                stack_set.instances.append(instance)
            elif overrides:
                instance.overrides = overrides
            chosen.append(instance)
    for unit in targets.get("OrganizationalUnitIds", []):
        stack_set.targets.setdefault(unit, set()).update(regions)
    operation = _begin(response, stack_set, "CREATE", targets)
    deploy(stack_set, operation, chosen)
    return ActionResult({"OperationId": operation.id})


def _update_instances(response: CloudFormationResponse) -> ActionResult:
    home, stack_set = _named(response)
    _trusted(response, home)
    targets = _targets(response) or {}
    previous = effective(stack_set.parsed, stack_set.parameters)
    overrides = given_parameters(previous, _get(response, "ParameterOverrides", []))
    chosen = _of(stack_set, response, targets)
    for instance in chosen:
        instance.overrides = overrides
    operation = _begin(response, stack_set, "UPDATE", targets)
    deploy(stack_set, operation, chosen)
    return ActionResult({"OperationId": operation.id})


def _delete_instances(response: CloudFormationResponse) -> ActionResult:
    _, stack_set = _named(response)
    targets, retain = _targets(response) or {}, _true(_get(response, "RetainStacks"))
    chosen = _of(stack_set, response, targets)
    if not targets.get("Accounts"):
        for unit in targets.get("OrganizationalUnitIds", []):
            left = stack_set.targets.get(unit, set()) - set(_get(response, "Regions", []))
            stack_set.targets.pop(unit, None)
            if left:
                stack_set.targets[unit] = left
    operation = _begin(response, stack_set, "DELETE", targets, retain=retain)
    withdraw(stack_set, operation, chosen)
    return ActionResult({"OperationId": operation.id})


def _delete(response: CloudFormationResponse) -> ActionResult:
    try:
        _, stack_set = _named(response)
    except StackSetNotFoundException:
        return EmptyResult()
    if stack_set.instances:
        raise StackSetNotEmpty("StackSet is not empty")
    stack_set.status = "DELETED"
    return EmptyResult()


def _describe(response: CloudFormationResponse) -> ActionResult:
    return ActionResult({"StackSet": _named(response)[1].describe()})


def _list(response: CloudFormationResponse) -> ActionResult:
    wanted = _get(response, "Status")
    found = [one for one in kept(_home(response)).values() if wanted in {None, one.status}]
    return ActionResult({"Summaries": [one.summary() for one in found]})


def _page(response: CloudFormationResponse, items: list[Json], largest: int = 100) -> ActionResult:
    start, size = int(_get(response, "NextToken", 0)), min(int(_get(response, "MaxResults", largest)), largest)
    end = start + size
    return ActionResult({"Summaries": items[start:end], "NextToken": str(end) if end < len(items) else None})


def _list_instances(response: CloudFormationResponse) -> ActionResult:
    _, stack_set = _named(response)
    account, region = _get(response, "StackInstanceAccount"), _get(response, "StackInstanceRegion")
    filters = {one["Name"]: one["Values"] for one in _get(response, "Filters", [])}
    detailed = filters.get("DETAILED_STATUS")
    found = [
        one.summary(stack_set.id)
        for one in stack_set.instances
        if account in {None, one.account} and region in {None, one.region} and detailed in {None, one.detailed}
    ]
    return _page(response, found)


def _describe_instance(response: CloudFormationResponse) -> ActionResult:
    _, stack_set = _named(response)
    found = stack_set.instance(_get(response, "StackInstanceAccount"), _get(response, "StackInstanceRegion"))
    if found is None:
        raise StackInstanceNotFound("The specified stack instance doesn't exist.")
    overrides = [{"ParameterKey": key, "ParameterValue": value} for key, value in found.overrides.items()]
    return ActionResult({"StackInstance": {**found.summary(stack_set.id), "ParameterOverrides": overrides}})


def _operation(response: CloudFormationResponse) -> tuple[StackSet, Operation]:
    _, stack_set = _named(response)
    wanted = _get(response, "OperationId")
    for one in stack_set.operations:
        if one.id == wanted:
            return stack_set, one
    raise OperationNotFound(f"Operation {wanted} not found")


def _describe_operation(response: CloudFormationResponse) -> ActionResult:
    stack_set, operation = _operation(response)
    return ActionResult({"StackSetOperation": operation.describe(stack_set.id)})


def _list_operations(response: CloudFormationResponse) -> ActionResult:
    _, stack_set = _named(response)
    return _page(response, [one.describe(stack_set.id) for one in stack_set.operations])


def _list_results(response: CloudFormationResponse) -> ActionResult:
    filters = {one["Name"]: one["Values"] for one in _get(response, "Filters", [])}
    status = filters.get("OPERATION_RESULT_STATUS")
    _, operation = _operation(response)
    return _page(response, [one for one in operation.results if status in {None, one["Status"]}])


def _stop(response: CloudFormationResponse) -> ActionResult:
    _operation(response)
    raise ValidationError(message="the operation is over: on the embedded cloud each is done when its call returns")


def _list_automatic(response: CloudFormationResponse) -> ActionResult:
    _, stack_set = _named(response)
    found = [
        {"OrganizationalUnitId": unit, "Regions": sorted(regions)}
        for unit, regions in sorted(stack_set.targets.items())
    ]
    return _page(response, found)


def _access(response: CloudFormationResponse) -> ActionResult:
    account, region = response.current_account, response.region
    management = management_account(account, response.partition)
    if management is None:
        raise ValidationError(message="Your account is not a member of an organization")
    if _get(response, "CallAs", "SELF") == "SELF" and management != account:
        raise ValidationError(message=_MANAGEMENT_ONLY)
    services = organization_of(management, region).services
    enabled = any(one["ServicePrincipal"] == STACK_SETS for one in services)
    return ActionResult({"Status": "ENABLED" if enabled else "DISABLED"})


def _activate(response: CloudFormationResponse) -> ActionResult:
    _own_organization(response).enable_aws_service_access(ServicePrincipal=STACK_SETS)
    return EmptyResult()


def _deactivate(response: CloudFormationResponse) -> ActionResult:
    _own_organization(response).disable_aws_service_access(ServicePrincipal=STACK_SETS)
    return EmptyResult()


def _own_organization(response: CloudFormationResponse) -> Any:  # noqa: ANN401  # moto's own
    account = response.current_account
    if management_account(account, response.partition) != account:
        raise ValidationError(message=_MANAGEMENT_ONLY)
    return organization_of(account, response.region)


_CALLS: Mapping[str, Callable[[CloudFormationResponse], ActionResult]] = {
    "activate_organizations_access": _activate,
    "create_stack_instances": _create_instances,
    "create_stack_set": _create,
    "deactivate_organizations_access": _deactivate,
    "delete_stack_instances": _delete_instances,
    "delete_stack_set": _delete,
    "describe_organizations_access": _access,
    "describe_stack_instance": _describe_instance,
    "describe_stack_set": _describe,
    "describe_stack_set_operation": _describe_operation,
    "list_stack_instances": _list_instances,
    "list_stack_set_auto_deployment_targets": _list_automatic,
    "list_stack_set_operation_results": _list_results,
    "list_stack_set_operations": _list_operations,
    "list_stack_sets": _list,
    "stop_stack_set_operation": _stop,
    "update_stack_instances": _update_instances,
    "update_stack_set": _update,
}
