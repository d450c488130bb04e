"""What the commands of an engineer ask for, each recorded under a session of its own."""

import json
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from typer.testing import CliRunner

from infra.local.deployment import Deployment
from scanhub.command_line import app
from spoke.arn import FunctionArn
from tests.permissions.door import Call, Door

ROLE = "arn:aws:iam::123456789012:role/engineer"

COMMANDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "scanhub scan": ("scan", "--force"),
        "scanhub scan --wait": ("scan", "--force", "--wait", "--timeout", "1"),
        "scanhub scan --account": ("scan", "--account"),
        "scanhub scan --tag --in-hub": ("scan", "--tag", "team=payments", "--in-hub"),
        "scanhub sweep --in-hub": ("sweep", "--in-hub"),
        "scanhub coverage": ("coverage",),
        "scanhub coverage --state": ("coverage", "--state", "COVERED"),
        "scanhub coverage --account": ("coverage", "--account"),
        "scanhub status": ("status",),
        "scanhub show": ("show",),
    }
)


def asked_by_commands(
    deployment: Deployment, door: Door, function: str, monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, tuple[Call, ...]]:
    """The calls of each command about a function that was scanned.

    Args:
        deployment: Where a worker has been.
        door: Of its cloud.
        function: The ARN.
        monkeypatch: Sets the engineer's credentials; the settings are there.
    """
    trust = {"Version": "2012-10-17", "Statement": []}
    deployment.client("iam").create_role(RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(trust))
    found = {}
    for name, arguments in COMMANDS.items():
        session = name.replace(" ", "-")
        given = deployment.client("sts").assume_role(RoleArn=ROLE, RoleSessionName=session)["Credentials"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", given["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given["SecretAccessKey"])
        monkeypatch.setenv("AWS_SESSION_TOKEN", given["SessionToken"])
        result = CliRunner().invoke(app, [*arguments, *_of(function, arguments)])
        # Nobody is there to scan while a command waits, and no task runs on this cloud.
        assert (
            result.exit_code == 0
            or (name == "scanhub scan --wait" and "no result in time" in result.output)
            or (name.endswith("--in-hub") and "runs no tasks" in str(result.exception))
        )
        found[name] = tuple(call for call in door.calls if (call.session.role, call.session.name) == (ROLE, session))
    return found


def _of(function: str, arguments: tuple[str, ...]) -> list[str]:
    """What the words ask for last: the function, its account, or nothing more."""
    if arguments[-1] == "--account":
        return [FunctionArn.parse(function).account]
    return [function] if arguments[0] in {"scan", "show"} and "--tag" not in arguments else []
