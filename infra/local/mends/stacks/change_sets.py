"""Change sets, and updates by which nothing changes.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html and its neighbours say what
they do; what AWS answers where nothing changes is asserted by the tests.
"""

import contextvars
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.cloudformation import parsing
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow

from infra.local.mends.replacement import replaced
from infra.local.mends.stacks.lifecycle import SETTLED, check, on_failure, type_of, with_template
from infra.local.mends.stacks.parameters import effective, shown
from infra.local.mends.stacks.resolution import applied, resolved
from infra.local.mends.stacks.template import Json, active

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
_LARGEST_BODY = 51_200
_OWN_FORM = ("DescribeChangeSetOutput.", "DescribeStackSetOutput.")
_NAMES = ("RoleName", "PolicyName", "ManagedPolicyName", "UserName", "GroupName", "InstanceProfileName")


class ChangeSetNotFound(CloudFormationError):
    """As its name says."""

    code = "ChangeSetNotFound"


class InvalidChangeSetStatus(CloudFormationError):
    """It cannot be executed."""

    code = "InvalidChangeSetStatus"


class InsufficientCapabilities(CloudFormationError):
    """The caller has not acknowledged what the template may do."""

    code = "InsufficientCapabilitiesException"


@dataclass(kw_only=True)
class ChangeSet:
    """One change set of one stack."""

    id: str
    name: str
    kind: str
    stack: Stack
    template: str
    parsed: Json
    parameters: dict[str, str]
    description: str | None
    tags: dict[str, str]
    capabilities: list[str]
    on_failure: str
    changes: list[Json]
    empty: bool
    created: datetime = field(default_factory=utcnow)
    execution: str = "AVAILABLE"

    def summary(self) -> Json:
        """As ListChangeSets tells it."""
        return {
            "ChangeSetId": self.id,
            "ChangeSetName": self.name,
            "StackId": self.stack.stack_id,
            "StackName": self.stack.name,
            "Description": self.description,
            "CreationTime": self.created,
            "Status": "FAILED" if self.empty else "CREATE_COMPLETE",
            "StatusReason": NO_CHANGES if self.empty else None,
            "ExecutionStatus": self.execution,
        }

    def description_in_full(self) -> Json:
        """As DescribeChangeSet tells it."""
        return {
            **self.summary(),
            "Parameters": shown(self.parsed, self.parameters),
            "Changes": self.changes,
            "Capabilities": self.capabilities,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
            "NotificationARNs": [],
            "RollbackConfiguration": {},
            "OnStackFailure": self.on_failure,
            "IncludeNestedStacks": False,
        }


class _ToBe:
    """Stands for a resource that does not exist yet."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = f"<{name}>"

    def get_cfn_attribute(self, name: str) -> str:
        return f"{self.physical_resource_id}.{name}"


@contextmanager
def mended() -> Iterator[None]:
    """Change sets as AWS has them."""
    create_stack, update_stack = CloudFormationResponse.create_stack, CloudFormationResponse.update_stack

    def create(response: CloudFormationResponse) -> ActionResult:
        body = body_of(response, None)
        check_capabilities(response, Stack.parse_template(body))
        get = response._get_param  # noqa: SLF001  # moto's own
        keeps = str(get("DisableRollback", "false")).lower() == "true"
        chosen = "DO_NOTHING" if keeps else get("OnFailure", "ROLLBACK")
        answer: ActionResult = _run(chosen, create_stack, response)
        return answer

    def update(response: CloudFormationResponse) -> ActionResult:
        stack = response.cloudformation_backend.get_stack(response._get_param("StackName"))  # noqa: SLF001  # moto's own
        if not stack.status.endswith(SETTLED):
            raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
        template = Stack.parse_template(body_of(response, stack))
        check_capabilities(response, template)
        parameters = _parameters(response, stack)
        if not _differs(stack, template, parameters, _tags(response)):
            raise ValidationError(message="No updates are to be performed.")
        return update_stack(response)

    # moto turns its own forms into the API's; ours have that form already.
    transformed = CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER
    left = {key: one for key, one in transformed.items() if not key.startswith(_OWN_FORM)}
    with ExitStack() as mends:
        mends.enter_context(replaced(CloudFormationResponse, "RESPONSE_KEY_PATH_TO_TRANSFORMER", left))
        for name, method in (
            ("create_stack", create),
            ("update_stack", update),
            ("_validate_different_update", lambda *_: None),
            ("create_change_set", _create),
            ("describe_change_set", _describe),
            ("delete_change_set", _delete),
            ("execute_change_set", _execute),
            ("list_change_sets", _list),
        ):
            mends.enter_context(replaced(CloudFormationResponse, name, method))
        mends.enter_context(replaced(CloudFormationBackend, "_resolve_update_parameters", _resolve))
        yield


def changes_of(stack: Stack, template: Json, parameters: Mapping[str, str]) -> list[Json]:
    """What an update would do to each resource."""
    after = with_template(stack, template, parameters)
    wanted = active(template, after.lazy_condition_map)
    existing = applied(after)
    for name in wanted:
        if name not in existing:
            after._parsed_resources[name] = _ToBe(name)  # noqa: SLF001  # moto's own
    changes = [_change("Add", name, wanted[name]["Type"]) for name in check(after) if name not in existing]
    for name in existing:
        physical = after._parsed_resources[name].physical_resource_id  # noqa: SLF001  # moto's own
        if name not in wanted:
            changes.append(_change("Remove", name, type_of(after, name), PhysicalResourceId=physical))
        elif changed := _changed(existing[name], resolved(wanted[name], after)):
            kind = parsing.resource_class_from_type(wanted[name]["Type"])
            asks = getattr(kind, "has_to_be_replaced", None)
            recreated = {one for one in changed if asks is not None and asks({one})}
            changes.append(
                _change(
                    "Modify",
                    name,
                    wanted[name]["Type"],
                    PhysicalResourceId=physical,
                    Replacement="True" if recreated else "False",
                    Scope=["Properties"],
                    Details=[_detail(one, "Always" if one in recreated else "Never") for one in changed],
                )
            )
    return changes


def _changed(before: Json, after: Json) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _change(action: str, name: str, kind: str, **more: Any) -> Json:  # JSON
    return {
        "Type": "Resource",
        "ResourceChange": {"Action": action, "LogicalResourceId": name, "ResourceType": kind, **more},
    }


def _detail(name: str, recreation: str) -> Json:
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}


def _differs(stack: Stack, template: Json, parameters: Mapping[str, str], tags: dict[str, str] | None) -> bool:
    outputs = template.get("Outputs") != stack.template_dict.get("Outputs")
    retagged = tags is not None and tags != stack.tags
    return outputs or retagged or bool(changes_of(stack, template, parameters))


def _create(response: CloudFormationResponse) -> ActionResult:
    backend = response.cloudformation_backend
    get = response._get_param  # noqa: SLF001  # moto's own
    stack_name, name, kind = get("StackName"), get("ChangeSetName"), get("ChangeSetType", "UPDATE")
    stack = next((one for one in backend.stacks.values() if stack_name in {one.name, one.stack_id}), None)
    if kind == "IMPORT":
        raise ValidationError(message="the embedded cloud imports no resources")
    if kind == "UPDATE" and (stack is None or stack.status == "REVIEW_IN_PROGRESS"):
        raise ValidationError(message=f"Stack [{stack_name}] does not exist")
    if kind == "CREATE" and stack is not None and stack.status != "REVIEW_IN_PROGRESS":
        raise ValidationError(
            message=f"Stack [{stack_name}] already exists and cannot be created again with the changeSet [{name}]."
        )
    if kind == "UPDATE" and stack is not None and not stack.status.endswith(SETTLED):
        raise ValidationError(message=f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
    body = body_of(response, stack)
    parsed = Stack.parse_template(body)
    check_capabilities(response, parsed)
    parameters = _parameters(response, stack)
    effective(parsed, parameters)
    if stack is None:
        stack = _reviewed(backend, stack_name)
    elif any(one.name == name and one.stack is stack for one in _kept(backend).values()):
        raise _AlreadyExists(f"ChangeSet {name} cannot be created due to a mismatch with existing attribute Name")
    tags = _tags(response)
    empty = kind == "UPDATE" and not _differs(stack, parsed, parameters, tags)
    change_set = ChangeSet(
        id=generate_changeset_id(name, backend.region_name, backend.account_id),
        name=name,
        kind=kind,
        stack=stack,
        template=body,
        parsed=parsed,
        parameters=parameters,
        description=get("Description"),
        tags=stack.tags if tags is None else tags,
        capabilities=get("Capabilities", []),
        on_failure=get("OnStackFailure", "ROLLBACK"),
        changes=changes_of(stack, parsed, parameters),
        empty=empty,
        execution="UNAVAILABLE" if empty else "AVAILABLE",
    )
    _kept(backend)[change_set.id] = change_set
    return ActionResult({"Id": change_set.id, "StackId": stack.stack_id})


class _AlreadyExists(CloudFormationError):
    code = "AlreadyExistsException"


def _reviewed(backend: CloudFormationBackend, name: str) -> Stack:
    """A stack that nothing but its name is known of, until its change set is executed."""
    make: Any = Stack
    stack: Stack = make(
        stack_id=generate_stack_id(name, backend.region_name, backend.account_id),
        name=name,
        template={},
        parameters={},
        account_id=backend.account_id,
        region_name=backend.region_name,
        cross_stack_resources=backend.exports,
    )
    backend.stacks[stack.stack_id] = stack
    stack.status = "REVIEW_IN_PROGRESS"
    stack._add_stack_event(stack.status, resource_status_reason="User Initiated")  # noqa: SLF001  # moto's own
    return stack


def _describe(response: CloudFormationResponse) -> ActionResult:
    return ActionResult(_found(response).description_in_full())


def _delete(response: CloudFormationResponse) -> ActionResult:
    try:
        found = _found(response)
    except ChangeSetNotFound:
        return EmptyResult()
    response.cloudformation_backend.change_sets.pop(found.id)
    return EmptyResult()


def _list(response: CloudFormationResponse) -> ActionResult:
    backend = response.cloudformation_backend
    stack = backend.get_stack(response._get_param("StackName"))  # noqa: SLF001  # moto's own
    return ActionResult({"Summaries": [one.summary() for one in _kept(backend).values() if one.stack is stack]})


def _execute(response: CloudFormationResponse) -> ActionResult:
    backend, change_set = response.cloudformation_backend, _found(response)
    if change_set.execution != "AVAILABLE":
        raise InvalidChangeSetStatus(
            f"ChangeSet [{change_set.id}] cannot be executed in its current status of "
            f"[{change_set.summary()['Status']}]"
        )
    stack = change_set.stack
    # It was made for the stack as it was before; so were the others.
    others = [one.id for one in _kept(backend).values() if one.stack is stack and one is not change_set]
    for other in others:
        del _kept(backend)[other]
    change_set.execution = "EXECUTE_IN_PROGRESS"
    if change_set.kind == "CREATE":
        _run(change_set.on_failure, _create_stack, change_set)
    else:
        stack.update(change_set.template, parameters=change_set.parameters, tags=change_set.tags)
    done = stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    change_set.execution = "EXECUTE_COMPLETE" if done else "EXECUTE_FAILED"
    return EmptyResult()


def _create_stack(change_set: ChangeSet) -> None:
    stack = change_set.stack
    stack.template, stack.template_dict = change_set.template, change_set.parsed
    stack.parameters, stack.tags = change_set.parameters, change_set.tags
    stack.resource_map = stack._create_resource_map()  # noqa: SLF001  # moto's own
    stack.output_map = stack._create_output_map()  # noqa: SLF001  # moto's own
    stack._add_stack_event("CREATE_IN_PROGRESS", resource_status_reason="User Initiated")  # noqa: SLF001  # moto's own
    stack.create_resources()


def _found(response: CloudFormationResponse) -> ChangeSet:
    wanted, stack = response._get_param("ChangeSetName"), response._get_param("StackName")  # noqa: SLF001  # moto's own
    for one in _kept(response.cloudformation_backend).values():
        if one.id == wanted or (one.name == wanted and stack in {one.stack.name, one.stack.stack_id}):
            return one
    raise ChangeSetNotFound(f"ChangeSet [{wanted}] does not exist")


def _kept(backend: CloudFormationBackend) -> dict[str, ChangeSet]:
    # Where moto keeps its own, so that they are forgotten with all else.
    kept: Any = backend.change_sets
    change_sets: dict[str, ChangeSet] = kept
    return change_sets


def _run(chosen: str, function: Any, *arguments: Any) -> Any:  # noqa: ANN401  # passes through
    context = contextvars.copy_context()
    context.run(on_failure.set, chosen)
    return context.run(function, *arguments)


def body_of(response: CloudFormationResponse, stack: Stack | None) -> str:
    """The template of the call, or the stack's own where the call says so.

    Raises:
        ValidationError: There is none, or it is too large to be handed over in the call.
    """
    get = response._get_param  # noqa: SLF001  # moto's own
    body, url = get("TemplateBody"), get("TemplateURL")
    if stack is not None and str(get("UsePreviousTemplate", False)).lower() == "true":
        return str(stack.template)
    if url:
        return str(response._get_stack_from_s3_url(url))  # noqa: SLF001  # moto's own
    if not body:
        raise ValidationError(message="Either Template URL or Template Body must be specified.")
    if len(body.encode()) > _LARGEST_BODY:
        raise ValidationError(
            message="1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must "
            f"have length less than or equal to {_LARGEST_BODY}"
        )
    return str(body)


def _parameters(response: CloudFormationResponse, stack: Stack | None) -> dict[str, str]:
    incoming = response._get_param("Parameters", [])  # noqa: SLF001  # moto's own
    return _resolve(None, stack, incoming)


def _resolve(_backend: object, instance: Stack | None, incoming_params: list[Json]) -> dict[str, str]:
    known = instance is not None and bool(instance.template_dict)
    previous = effective(instance.template_dict, instance.parameters) if instance is not None and known else None
    return given_parameters(previous, incoming_params)


def given_parameters(previous: Mapping[str, str] | None, incoming: list[Json]) -> dict[str, str]:
    """What the caller gives; a previous value may be a default, too.

    Args:
        previous: The text of every parameter as it is now, if there is one.
        incoming: The parameters of the call.
    """
    given = {}
    for one in incoming:
        name = one["ParameterKey"]
        if str(one.get("UsePreviousValue", False)).lower() != "true":
            given[name] = one.get("ParameterValue", "")
        elif previous is not None and name in previous:
            given[name] = previous[name]
        else:
            raise ValidationError(
                message=f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a "
                "parameter key not in the previous template"
            )
    return given


def _tags(response: CloudFormationResponse) -> dict[str, str] | None:
    tags = response._get_param("Tags", [])  # noqa: SLF001  # moto's own
    return {one["Key"]: one["Value"] for one in tags} or None


def check_capabilities(response: CloudFormationResponse, template: Json) -> None:
    """Raise InsufficientCapabilities where the template has IAM resources that the caller did not acknowledge."""
    iam = [one for one in template.get("Resources", {}).values() if one["Type"].startswith("AWS::IAM::")]
    named = any(
        name in one.get("Properties", {}) for one in iam for name in _NAMES if one["Type"] != "AWS::IAM::Policy"
    )
    given = set(response._get_param("Capabilities", []))  # noqa: SLF001  # moto's own
    needed = {"CAPABILITY_NAMED_IAM"} if named else {"CAPABILITY_NAMED_IAM", "CAPABILITY_IAM"}
    if iam and not given & needed:
        raise InsufficientCapabilities(
            f"Requires capabilities : [{'CAPABILITY_NAMED_IAM' if named else 'CAPABILITY_IAM'}]"
        )
