"""Variables and what is made of them, by Terraform itself: without the resources it needs no provider."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.infra.terraform.module import TERRAFORM

pytestmark = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the PATH")

STUBS = {
    "hub": 'locals {\n  organization_id = "o-a1b2c3d4e5"\n  vpc_id = var.vpc_id\n'
    '  subnet_ids = var.subnet_ids == null ? null : join(",", var.subnet_ids)\n}\n',
    "spokes": 'locals {\n  organization_id = "o-a1b2c3d4e5"\n  primary = var.regions[0]\n}\n',
}
SPOKE = {
    "regions": ["eu-central-1", "eu-west-1"],
    "hub_bus_arn": "arn:aws:events:eu-central-1:123456789012:event-bus/scanhub",
    "hub_task_role_arn": "arn:aws:iam::123456789012:role/scanhub-worker",
    "scanner_external_id": "a1b2c3d4e5f6a7b8c9d0",
}


def planned(
    folder: Path, module: str, values: dict[str, Any], shown: str = "parameters"
) -> tuple[dict[str, str] | None, str]:
    """The parameters of the stack, and what Terraform says."""
    for name in ("variables.tf", "parameters.tf"):
        shutil.copy(TERRAFORM / module / name, folder / name)
    output = (
        f'output "parameters" {{\n  value = {{ for key, value in local.{shown} : key => nonsensitive(value) }}\n}}\n'
    )
    (folder / "stub.tf").write_text(STUBS[module] + output)
    (folder / "values.auto.tfvars.json").write_text(json.dumps(values))
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "CHECKPOINT_DISABLE": "1"}
    arguments = ["terraform", f"-chdir={folder}", "apply", "-auto-approve", "-no-color", "-input=false"]
    for command in (["terraform", f"-chdir={folder}", "init", "-input=false", "-no-color"], arguments):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
        if done.returncode:
            return None, " ".join(done.stderr.replace("│", " ").split())
    state = json.loads((folder / "terraform.tfstate").read_text())
    return state["outputs"]["parameters"]["value"], ""


def test_the_hub_is_given_only_what_differs_from_the_templates_defaults(tmp_path: Path) -> None:
    given, said = planned(
        tmp_path,
        "hub",
        {
            "subnet_ids": ["subnet-1", "subnet-2"],
            "cache_ttl_days": 7,
            "sweep_versions": True,
            "cpu_architecture": "ARM64",
        },
    )
    assert given == {
        "OrganizationId": "o-a1b2c3d4e5",
        "SubnetIds": "subnet-1,subnet-2",
        "CacheTTLDays": "7",
        "SweepVersions": "true",
        "CpuArchitecture": "ARM64",
    }, said


def test_scaling_goes_to_the_stack_that_reads_the_metrics(tmp_path: Path) -> None:
    values = {"min_tasks": 0, "max_tasks": 40, "create_monitoring": False}
    given, said = planned(tmp_path, "hub", values, "monitoring_parameters")
    assert given == {"MinTasks": "0", "MaxTasks": "40", "EnableMonitoring": "false"}, said


def test_the_spokes_are_given_everything(tmp_path: Path) -> None:
    given, said = planned(tmp_path, "spokes", {**SPOKE, "decrypt_code": True})
    assert given is not None, said
    assert given["RoleRegion"] == "eu-central-1"
    assert given["DecryptCode"] == "true"
    assert given["SpokeRoleName"] == "scanhub-spoke"
    assert given["CodeKeyArns"] == ""


@pytest.mark.parametrize(
    ("module", "values", "complaint"),
    [
        ("hub", {"cpu_architecture": "RISC_V"}, "cpu_architecture must be one of: X86_64, ARM64"),
        ("hub", {"qualys_secret_arn": "hunter2"}, "qualys_secret_arn must match"),
        ("hub", {"scan_timeout": 5}, "scan_timeout must be at least 60"),
        ("hub", {"network_parameters": {"Nat": "1"}}, "has no parameter of"),
        ("hub", {"monitoring_parameters": {"MaxTasks": "40"}}, "or that has a variable of its own"),
        ("hub", {"sweep_regions": "Frankfurt"}, "sweep_regions must match"),
        ("hub", {"create_network": True, "vpc_id": "vpc-1a2b"}, "leave vpc_id and subnet_ids out"),
        ("spokes", {**SPOKE, "regions": []}, "regions must name at least one region"),
        ("spokes", {**SPOKE, "regions": ["eu-west-1", "eu-west-1"]}, "none twice"),
        ("spokes", {**SPOKE, "regions": ["Frankfurt"]}, "region codes"),
        ("spokes", {**SPOKE, "organizational_unit_ids": ["Workloads"]}, "ids such as"),
        ("spokes", {**SPOKE, "management_account": True}, "call_as must be SELF"),
        ("spokes", {**SPOKE, "hub_bus_arn": "scanhub"}, "hub_bus_arn must match"),
    ],
)
def test_what_cannot_be_is_refused_before_aws_is_asked(
    tmp_path: Path, module: str, values: dict[str, Any], complaint: str
) -> None:
    given, said = planned(tmp_path, module, values)
    assert given is None
    assert complaint in said


def test_the_modules_are_in_form() -> None:
    done = subprocess.run(
        [shutil.which("terraform") or "terraform", "fmt", "-check", "-recursive", "-diff", str(TERRAFORM)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
