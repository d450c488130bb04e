"""The table of calls is held to AWS's own models and to the code."""

import ast
from collections.abc import Iterator

from botocore import xform_name
from botocore.model import ServiceModel

from infra.permissions.code import ROOT
from infra.permissions.operations import ACTIONS, METHODS, needs
from infra.permissions.operations import MODELS as NAMES
from infra.permissions.reasons import load
from tests.conftest import MODELS

FOLDERS = ("hub", "hub/dead_letters", "hub/sweep", "spoke", "infra/doctor/inside")
"""What runs with the worker's role calls AWS from here alone; a sweep also asks which accounts there are."""

OF_COMMANDS = {
    ("hub/caller.py", "caller_arn", "get_caller_identity"): "scanhub pause",
    ("hub/dead_letters/queue.py", "_release", "change_message_visibility_batch"): "scanhub dlq",
    ("hub/dead_letters/queue.py", "receive", "receive_message"): "scanhub dlq",
    ("hub/objects.py", "get", "get_object"): "scanhub show",
    ("hub/queue_age.py", "oldest_ages", "get_metric_data"): "scanhub status",
    ("hub/queue.py", "send", "send_message"): "scanhub scan",
}
"""File, function and method of calls that an engineer's commands make: the worker's role needs nothing for them."""


def calls() -> Iterator[tuple[str, str, str, int]]:
    """Each operation of AWS that the code names on a client: file, function, method, line."""
    for path in sorted(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute) and node.attr in KNOWN and _is_client(node.value):
                        yield path.relative_to(ROOT).as_posix(), function.name, node.attr, node.lineno


def _is_client(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.lstrip("_") in {"client", "sts"}


SERVICES = sorted({call.partition(":")[0] for call in ACTIONS})
OPERATIONS = {
    service: set(ServiceModel(MODELS.load_service_model(NAMES.get(service, service), "service-2")).operation_names)
    for service in SERVICES
}
KNOWN = {xform_name(name) for names in OPERATIONS.values() for name in names}


def test_every_call_is_one_of_awss_operations() -> None:
    assert [call for call in ACTIONS if call.partition(":")[2] not in OPERATIONS[call.partition(":")[0]]] == []


def test_a_method_asks_for_what_its_operation_needs() -> None:
    assert METHODS["head_bucket"] == ("s3:HeadBucket",)
    assert needs("head_bucket", "s3:ListBucket")
    assert needs("transact_write_items", "dynamodb:UpdateItem")
    assert not needs("transact_write_items", "dynamodb:PutItem")
    assert not needs("publish", "sqs:SendMessage")


def test_every_call_of_the_code_has_its_line_in_the_table() -> None:
    """A new call to AWS is a new permission, or a reason why it needs none."""
    named = {(use.path, use.line()) for reason in load() for use in reason.code}
    found = list(calls())
    assert len(found) > 15
    unnamed = {(path, function, method) for path, function, method, line in found if (path, line) not in named}
    assert unnamed == set(OF_COMMANDS)


def test_a_transaction_of_the_code_has_updates_alone() -> None:
    source = (ROOT / "hub/ledger_table.py").read_text()
    kinds = {"Put", "Delete", "ConditionCheck", "Update"}
    keys = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    assert keys & kinds == {"Update"}
