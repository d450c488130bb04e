"""The modules against the templates that they wrap: no Terraform and no provider is needed for this."""

import re
from typing import Any

import pytest

from infra.rollout.site import REGIONS_STACK_SET, STACK_SET
from tests.infra.template import template, text
from tests.infra.terraform.module import TERRAFORM, Module

HUB, SPOKES = Module("hub"), Module("spokes")
MODULES = {"hub": HUB, "spokes": SPOKES}
EXAMPLES = ("one-region", "several-regions")
LOOKED_UP = {"OrganizationId": "local.organization_id", "RoleRegion": "local.primary"}
FROM_THE_HUB = {"EventBusName", "ServiceName", "SweepScheduleName"}
MONITORING = {"EnableMonitoring": "create_monitoring"}
"""A parameter whose variable is named otherwise."""

# The arguments that version 6 of the provider documents, and Terraform's own.
META = {"count", "for_each", "depends_on", "provider", "lifecycle", "region", "timeouts"}
OPERATION = {
    *("failure_tolerance_percentage", "failure_tolerance_count", "max_concurrent_percentage", "max_concurrent_count"),
    *("region_concurrency_type", "region_order", "concurrency_mode"),
}
ARGUMENTS: dict[str, set[str]] = {
    "aws_cloudformation_stack": {
        *(
            "name",
            "template_body",
            "template_url",
            "capabilities",
            "disable_rollback",
            "notification_arns",
            "on_failure",
        ),
        *("parameters", "policy_body", "policy_url", "tags", "iam_role_arn", "timeout_in_minutes"),
    },
    "aws_cloudformation_stack_set": {
        *("administration_role_arn", "auto_deployment", "name", "capabilities", "operation_preferences", "description"),
        *("execution_role_name", "managed_execution", "parameters", "permission_model", "call_as", "tags"),
        *("template_body", "template_url"),
    },
    "aws_cloudformation_stack_instances": {
        *("accounts", "deployment_targets", "parameter_overrides", "regions", "retain_stacks", "call_as"),
        *("operation_preferences", "stack_set_name"),
    },
    "aws_organizations_organization": set(),
}
BLOCKS = {
    "operation_preferences": OPERATION,
    "auto_deployment": {"enabled", "retain_stacks_on_account_removal", "depends_on_stack_sets"},
    "managed_execution": {"active"},
    "deployment_targets": {"organizational_unit_ids", "accounts", "accounts_url", "account_filter_type"},
}


def snake(name: str) -> str:
    """The variable of a parameter: words as in AWS's names, `GiB` and `ARN` as one."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.replace("GiB", "Gib"))
    return words.lower()


def parameters(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = template(name).get("Parameters", {})
    return found


def kind(parameter: dict[str, Any]) -> str:
    if parameter["Type"] == "CommaDelimitedList":
        return "list(string)"
    if parameter["Type"] == "Number":
        return "number"
    return "bool" if {str(value) for value in parameter.get("AllowedValues", [])} == {"true", "false"} else "string"


def rendered(value: object) -> str:
    """As CloudFormation is given it."""
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def conditions(module: Module, variable: str) -> str:
    return " ".join(one["condition"] for one in module.variables[variable].get("validation", []))


def test_the_hub_is_given_each_parameter_of_its_template_and_no_other() -> None:
    assert set(HUB.locals["given"]) == set(parameters("hub.yaml"))


def test_the_spokes_are_given_each_parameter_of_their_template_and_no_other() -> None:
    # The provider takes a parameter that is left out, though it has a default, for a change at every plan.
    assert set(SPOKES.locals["parameters"]) == set(parameters("spoke.yaml"))


@pytest.mark.parametrize(
    ("name", "file", "given"), [("hub", "hub.yaml", "given"), ("spokes", "spoke.yaml", "parameters")]
)
def test_each_parameter_comes_from_the_variable_of_its_name(name: str, file: str, given: str) -> None:
    module = MODULES[name]
    beside = {"VpcId": "local.vpc_id", "SubnetIds": "local.subnet_ids"} if name == "hub" else {}
    for parameter, expression in module.locals[given].items():
        if parameter in LOOKED_UP or parameter in beside:
            assert expression == f"${{{({**LOOKED_UP, **beside})[parameter]}}}"
            continue
        assert re.findall(r"var\.(\w+)", expression)[-1] == snake(parameter)
        assert module.variables[snake(parameter)]["type"].strip("${}") == kind(parameters(file)[parameter])


def test_scaling_is_decided_by_variables_of_their_own() -> None:
    """They were parameters of the hub's own template once: what a configuration says goes on to work."""
    given = HUB.locals["given_to_monitoring"]
    assert set(given) == {"BacklogPerTask", "EnableMonitoring", "MaxChangeAge", "MaxTasks", "MinTasks"}
    for parameter, expression in given.items():
        assert expression == f"${{var.{MONITORING.get(parameter, snake(parameter))}}}"
        assert parameter in parameters("hub-monitoring.yaml")


def test_monitoring_is_told_what_the_hub_has_and_so_comes_after_it() -> None:
    [body] = [block.body for block in HUB.blocks if block.name == "monitoring"]
    told = re.findall(r"(\w+)\W*[=:]\W*(?:lookup|split)\(", str(body["parameters"]))
    assert set(told) == FROM_THE_HUB
    assert str(body["parameters"]).count("aws_cloudformation_stack.hub.outputs") == len(FROM_THE_HUB)


@pytest.mark.parametrize(
    ("name", "file"), [("hub", "hub.yaml"), ("hub", "hub-monitoring.yaml"), ("spokes", "spoke.yaml")]
)
def test_each_variable_says_what_the_parameter_says(name: str, file: str) -> None:
    for parameter, body in parameters(file).items():
        if file == "hub-monitoring.yaml" and parameter not in set(HUB.locals["given_to_monitoring"]) - set(MONITORING):
            continue
        if parameter not in LOOKED_UP:
            variable = MODULES[name].variables[snake(parameter)]
            said = variable["description"].replace('\\"', '"')
            assert said == " ".join(body["Description"].split()), parameter
            assert variable.get("sensitive", False) is bool(body.get("NoEcho", False))


def test_what_the_hubs_template_has_a_default_for_may_be_left_out() -> None:
    for parameter, body in parameters("hub.yaml").items():
        if parameter not in LOOKED_UP:
            variable = HUB.variables[snake(parameter)]
            if "Default" in body:
                assert variable["default"] in {None, "null"}, parameter
            else:
                assert "default" not in variable, parameter


def test_the_spokes_defaults_are_the_templates() -> None:
    for parameter, body in parameters("spoke.yaml").items():
        if parameter not in LOOKED_UP:
            variable = SPOKES.variables[snake(parameter)]
            assert ("default" in variable) is ("Default" in body), parameter
            if "Default" in body:
                assert rendered(variable["default"]) == str(body["Default"]), parameter


@pytest.mark.parametrize(
    ("name", "file"), [("hub", "hub.yaml"), ("hub", "hub-monitoring.yaml"), ("spokes", "spoke.yaml")]
)
def test_what_a_parameter_refuses_its_variable_refuses_at_plan_time(name: str, file: str) -> None:
    module = MODULES[name]
    checked = 0
    for parameter, body in parameters(file).items():
        if parameter in LOOKED_UP or kind(body) in {"bool", "list(string)"}:
            continue
        if file == "hub-monitoring.yaml" and parameter not in HUB.locals["given_to_monitoring"]:
            continue
        condition = conditions(module, snake(parameter)).replace("\\\\", "\\").replace('\\"', '"')
        if "AllowedValues" in body:
            assert re.findall(r'"([^"]*)"|\b(\d+)\b', condition[condition.index("[") :]) != []
            values = {text or number for text, number in re.findall(r'"([^"]*)"|\b(\d+)\b', condition)}
            assert values == {str(value) for value in body["AllowedValues"]}, parameter
        elif "AllowedPattern" in body:
            assert f'regex("{body["AllowedPattern"].replace("${", "$${")}"' in condition, parameter
        else:
            for bound, sign in (("MinValue", ">="), ("MaxValue", "<=")):
                if bound in body:
                    assert f"var.{snake(parameter)} {sign} {body[bound]}" in condition, parameter
        checked += 1
    assert checked > 3


@pytest.mark.parametrize(("variable", "file"), [("network", "hub-network.yaml"), ("monitoring", "hub-monitoring.yaml")])
def test_parameters_of_the_templates_beside_the_hub_are_known_by_name(variable: str, file: str) -> None:
    condition = conditions(HUB, f"{variable}_parameters")
    decided = {*HUB.locals["given_to_monitoring"], *FROM_THE_HUB} - {"EventBusName"}
    assert re.findall(r'\\?"(\w+)\\?"', condition) == sorted(set(parameters(file)) - decided)
    assert file in HUB.variables[f"{variable}_parameters"]["validation"][0]["error_message"]


def test_the_hubs_outputs_are_the_templates() -> None:
    written = {name: body["value"] for name, body in HUB.outputs.items()}
    outputs: dict[str, Any] = template("hub.yaml")["Outputs"]
    assert {snake(name) for name in outputs} == set(written)
    for name, body in outputs.items():
        assert f'"{name}"' in written[snake(name)].replace('\\"', '"')
        # Without the service there is no such output, and asking for it would fail.
        assert ("lookup(" in written[snake(name)]) is ("Condition" in body)


@pytest.mark.parametrize("name", MODULES)
def test_every_variable_has_a_type_and_every_variable_and_output_a_description(name: str) -> None:
    module = MODULES[name]
    for body in module.variables.values():
        assert body["type"]
        assert body["description"].endswith(".")
    for body in module.outputs.values():
        assert body["description"].endswith(".")


@pytest.mark.parametrize("name", MODULES)
def test_every_variable_is_used(name: str) -> None:
    whole = "\n".join(path.read_text() for path in MODULES[name].folder.glob("*.tf") if path.name != "variables.tf")
    for variable in MODULES[name].variables:
        assert f"var.{variable}" in whole, variable


@pytest.mark.parametrize("name", MODULES)
def test_resources_have_only_arguments_that_the_provider_knows(name: str) -> None:
    for block in MODULES[name].blocks:
        assert set(block.body) <= ARGUMENTS[block.kind] | META, (block.kind, block.name)
        for nested, known in BLOCKS.items():
            for body in block.body.get(nested, []):
                assert set(body) <= known, (block.name, nested)


@pytest.mark.parametrize("name", MODULES)
def test_the_templates_are_the_ones_beside_it_and_small_enough_to_be_sent(name: str) -> None:
    whole = "\n".join(path.read_text() for path in MODULES[name].folder.glob("*.tf"))
    files = set(re.findall(r'/([\w-]+\.yaml)"', whole))
    assert files == ({"spoke.yaml"} if name == "spokes" else {"hub.yaml", "hub-network.yaml", "hub-monitoring.yaml"})
    for file in files:
        # CloudFormation API reference, CreateStack: TemplateBody.
        assert len(text(file).encode()) <= 51_200, file


def _blocks(kind: str) -> dict[str, dict[str, Any]]:
    return {block.name: block.body for block in SPOKES.blocks if block.kind == kind}


def test_the_stack_sets_are_those_of_the_roll_out_service_managed_and_cover_new_accounts() -> None:
    sets = _blocks("aws_cloudformation_stack_set")
    assert {name: body["name"] for name, body in sets.items()} == {"spoke": STACK_SET, "regions": REGIONS_STACK_SET}
    for body in sets.values():
        assert body["permission_model"] == "SERVICE_MANAGED"
        assert body["auto_deployment"][0]["enabled"] is True
        assert body["managed_execution"][0]["active"] is True
        assert body["parameters"] == "${local.parameters}"
        assert body["template_body"] == "${local.readable_template}"


def test_an_operation_over_a_thousand_accounts_is_awaited() -> None:
    # An update of a StackSet works all of its stacks; the provider would wait for half an hour.
    for body in _blocks("aws_cloudformation_stack_set").values():
        assert body["timeouts"] == [{"update": "${var.timeout}"}]
    for body in _blocks("aws_cloudformation_stack_instances").values():
        assert body["timeouts"] == [dict.fromkeys(("create", "update", "delete"), "${var.timeout}")]


def test_the_primary_region_makes_the_roles_first_also_in_accounts_that_join() -> None:
    sets, instances = _blocks("aws_cloudformation_stack_set"), _blocks("aws_cloudformation_stack_instances")
    assert SPOKES.locals["primary"] == "${var.regions[0]}"
    assert SPOKES.locals["others"] == "${slice(var.regions, 1, length(var.regions))}"
    assert instances["spoke"]["regions"] == ["${local.primary}"]
    assert instances["regions"]["regions"] == "${local.others}"
    # What is applied here waits; what joins later heeds AutoDeployment's DependsOn (CloudFormation API reference).
    assert sets["regions"]["depends_on"] == ["${aws_cloudformation_stack_instances.spoke}"]
    assert sets["regions"]["auto_deployment"][0]["depends_on_stack_sets"] == [
        "${aws_cloudformation_stack_set.spoke.arn}"
    ]
    assert "depends_on_stack_sets" not in sets["spoke"]["auto_deployment"][0]
    for body in (sets["regions"], instances["regions"]):
        assert body["count"] == "${length(local.others) > 0 ? 1 : 0}"
    [further] = [block.body for block in SPOKES.blocks if block.name == "management_further"]
    assert "management_primary" in str(further["depends_on"])


def test_the_one_parameter_that_aws_does_not_echo_is_the_one_that_the_module_knows_of() -> None:
    assert text("spoke.yaml").count("NoEcho: true") == 1
    assert "NoEcho" not in text("hub.yaml") + text("hub-network.yaml") + text("hub-monitoring.yaml")
    assert SPOKES.variables["scanner_external_id"]["sensitive"] is True
    # With it the provider would send the asterisks that AWS answers with.
    assert all("parameters" not in str(block.body.get("lifecycle", "")) for block in SPOKES.blocks)


@pytest.mark.parametrize("name", [*MODULES, *(f"examples/{name}" for name in EXAMPLES)])
def test_versions_are_pinned_loosely_and_alike(name: str) -> None:
    settings = Module(name).settings
    assert settings["required_version"] == ">= 1.9"
    [providers] = settings["required_providers"]
    # The hub needs none of what the spokes need 6.41 for.
    least = "6.0" if name == "hub" else "6.41"
    assert providers["aws"] == {"source": "hashicorp/aws", "version": f">= {least}, < 7.0"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_what_is_needed_and_nothing_that_is_not_known(name: str) -> None:
    example = Module(f"examples/{name}")
    assert {call["source"] for call in example.calls.values()} == {"../../hub", "../../spokes"}
    for call in example.calls.values():
        module = Module((example.folder / call["source"]).resolve().relative_to(TERRAFORM).as_posix())
        given = set(call) - {"source", "providers", "version"}
        required = {variable for variable, body in module.variables.items() if "default" not in body}
        assert required <= given <= set(module.variables)
        for expression in call.values():
            for other, output in re.findall(r"module\.(\w+)\.(\w+)", str(expression)):
                assert output in Module(other).outputs
    given_to_monitoring = example.calls["hub"].get("monitoring_parameters", {})
    assert set(given_to_monitoring) <= set(parameters("hub-monitoring.yaml"))
