"""What each of the templates must hold, whatever emulator deploys them, and what several say alike."""

import re
from typing import Any

import pytest

from tests.infra.template import INFRA, actions, as_list, of_type, pattern, roles, template, text

DOCS = INFRA.parent / "docs"
TEMPLATES = ("hub.yaml", "hub-network.yaml", "hub-monitoring.yaml", "spoke.yaml")
FORWARDERS = ("hub.yaml", "spoke.yaml")
ROLES = [(name, role) for name in TEMPLATES for role in roles(name)]

# Actions that know no resource (Service Authorization Reference).
RESOURCELESS = {
    "ec2:DescribeRegions",
    "ecr:GetAuthorizationToken",
    "lambda:ListFunctions",
    "logs:DescribeLogGroups",
    "organizations:ListAccounts",
    "tag:GetResources",
}

# The same in every partition, China's included (AWS's table of service principals; CloudTrail's `eventSource`).
EVERYWHERE = re.compile(
    r"(events|cloudwatch|ecs-tasks|scheduler|vpc-flow-logs|lambda)\.amazonaws\.com\b"
    r"|com\.amazonaws\.\$\{AWS::Region\}\."  # names of endpoint services
)


def test_these_are_all_templates() -> None:
    assert sorted(TEMPLATES) == sorted(path.name for path in INFRA.glob("*.yaml"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_fits_in_one_call(name: str) -> None:
    # CreateStack takes 51,200 bytes as TemplateBody (CloudFormation quotas).
    assert (INFRA / name).stat().st_size <= 51_200


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_is_described_and_stands_in_one_labelled_group(name: str) -> None:
    read = template(name)
    interface = read["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [parameter for group in interface["ParameterGroups"] for parameter in group["Parameters"]]
    assert sorted(grouped) == sorted(read["Parameters"])
    assert all(group["Label"]["default"] for group in interface["ParameterGroups"])
    for parameter, label in interface.get("ParameterLabels", {}).items():
        assert parameter in read["Parameters"]
        assert label["default"]
    for parameter, one in read["Parameters"].items():
        assert re.search(r"\w{3}.*\.$", one["Description"], re.DOTALL), parameter
        assert len(one["Description"]) <= 4000  # CloudFormation quotas


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_parameter_and_condition_is_used(name: str) -> None:
    read = template(name)
    body = text(name).partition("\nConditions:\n")[2]
    for parameter in read["Parameters"]:
        assert re.search(rf"!Ref \"?{parameter}\b|\${{{parameter}}}", body), parameter
    for condition in read.get("Conditions", {}):
        used = rf"Condition: {condition}\b|!Condition {condition}\b|!If\s*\[{condition},|!If\n\s+- {condition}\n"
        assert re.search(used, body), condition


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_names_no_partition(name: str) -> None:
    written = re.sub(r"^\s*#.*$|AllowedPattern:.*$|Description:.*$", "", text(name), flags=re.MULTILINE)
    assert not re.findall(r"arn:aws\b\S*", written)
    assert not re.findall(r"\S*amazonaws\S*", EVERYWHERE.sub("", written))


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_secret_is_a_parameter_and_nothing_generated_is_an_output(name: str) -> None:
    read = template(name)
    hidden = {key for key, parameter in read["Parameters"].items() if parameter.get("NoEcho")}
    assert bool(hidden) == (name == "spoke.yaml")
    assert not [key for key in read["Parameters"] if re.search("token|password", key, re.IGNORECASE)]
    assert "resolve:" not in text(name)


@pytest.mark.parametrize(("name", "role"), ROLES)
def test_a_role_may_do_named_things_to_named_resources(name: str, role: str) -> None:
    for action, statement in actions(name, role):
        assert action.count("*") <= action.startswith("kms:"), action
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= RESOURCELESS
        assert "NotAction" not in statement
        assert statement["Effect"] == "Allow"


@pytest.mark.parametrize(("name", "role"), ROLES)
def test_every_service_role_is_safe_from_a_confused_deputy(name: str, role: str) -> None:
    for statement in roles(name)[role]["AssumeRolePolicyDocument"]["Statement"]:
        if "Service" in statement["Principal"]:
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
            assert "aws:SourceArn" in str(statement["Condition"])


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_queue_is_encrypted_keeps_14_days_and_speaks_tls_only(name: str) -> None:
    queues = of_type(name, "AWS::SQS::Queue")
    policies = of_type(name, "AWS::SQS::QueuePolicy").values()
    covered = {queue["Ref"]: policy["PolicyDocument"]["Statement"] for policy in policies for queue in policy["Queues"]}
    assert len(policies) == len(covered), "each has its own"
    assert set(covered) == set(queues)
    for logical_name, queue in queues.items():
        assert queue["MessageRetentionPeriod"] == 14 * 86_400
        assert "KmsMasterKeyId" in queue or queue["SqsManagedSseEnabled"] is True
        (denied,) = [one for one in covered[logical_name] if one["Effect"] == "Deny"]
        assert denied["Principal"] == "*"
        assert denied["Action"] == "sqs:*"
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in covered[logical_name]:
            assert statement["Resource"] == {"Fn::GetAtt": f"{logical_name}.Arn"}
        for allowed in (one for one in covered[logical_name] if one["Effect"] == "Allow"):
            assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
            assert set(allowed["Condition"]) == {"ArnEquals", "StringEquals"}


def test_hub_and_spoke_match_the_same_events() -> None:
    assert pattern("hub.yaml") == pattern("spoke.yaml")
    # Tagging would come back for each of our own tags.
    assert not [name for name in pattern("hub.yaml")["detail"]["eventName"] if "Tag" in str(name)]
    assert pattern("hub.yaml")["detail"]["errorCode"] == [{"exists": False}]


def test_the_forwarding_target_has_no_transformer_and_both_targets_lose_nothing() -> None:
    for name in FORWARDERS:
        (rule,) = of_type(name, "AWS::Events::Rule").values()
        (target,) = rule["Targets"]
        assert "InputTransformer" not in target
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "UndeliveredQueue.Arn"}}
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def test_the_names_that_are_written_twice_agree() -> None:
    for name, rule_path in (("hub.yaml", "${EventBusName}/"), ("spoke.yaml", "")):
        (rule,) = of_type(name, "AWS::Events::Rule").values()
        literal = re.findall(r":rule/(\S+?)\"", text(name))
        assert literal
        assert set(literal) == {f"{rule_path}{rule['Name']}"}
    queues = of_type("hub.yaml", "AWS::SQS::Queue")
    for source in ("Changes", "Sweep"):
        (allowed,) = queues[f"{source}Dlq"]["RedriveAllowPolicy"]["sourceQueueArns"]
        assert allowed["Fn::Sub"].endswith(f":{queues[f'{source}Queue']['QueueName']}")
        assert queues[f"{source}Dlq"]["QueueName"] == f"{queues[f'{source}Queue']['QueueName']}-dlq"
    (logs,) = of_type("hub.yaml", "AWS::Logs::LogGroup").values()
    assert f":log-group:{logs['LogGroupName']}" in text("hub.yaml")


def of_that_name(read: dict[str, Any], name: str) -> Any:  # noqa: ANN401  # a value of a template
    return {key: value for key, value in read["Parameters"][name].items() if key != "Description"}


@pytest.mark.parametrize("parameter", ["OrganizationId", "SpokeRoleName", "SpokeRolePath", "EnableTagging"])
def test_hub_and_spoke_take_the_same_values_for_a_parameter_of_one_name(parameter: str) -> None:
    assert of_that_name(template("hub.yaml"), parameter) == of_that_name(template("spoke.yaml"), parameter)


def test_hub_and_monitoring_take_the_same_bus() -> None:
    assert of_that_name(template("hub.yaml"), "EventBusName") == of_that_name(
        template("hub-monitoring.yaml"), "EventBusName"
    )


def test_the_events_reference_names_what_is_forwarded() -> None:
    page = (DOCS / "events.md").read_text()
    for name in pattern("spoke.yaml")["detail"]["eventName"]:
        assert f"`{name if isinstance(name, str) else name['prefix'] + '…'}`" in page
