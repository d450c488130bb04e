"""What the templates must hold, whatever emulator deploys them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.settings import PREFIX, Settings
from infra.local.deployment import output_name
from spoke.envelope import MalformedReason
from tests.infra.template import as_list, roles, statements, template
from worker.vitals import INTERVAL, STALE

ROOT = Path(__file__).parents[2]
TEMPLATES = ("hub.yaml", "spoke.yaml")
ROLES = [(name, role) for name in TEMPLATES for role in roles(name)]

# Actions that know no resource (Service Authorization Reference).
RESOURCELESS = {"ecr:GetAuthorizationToken", "lambda:ListFunctions"}


def of_type(name: str, kind: str) -> dict[str, dict[str, Any]]:
    resources = template(name)["Resources"].items()
    return {key: one["Properties"] for key, one in resources if one["Type"] == kind}


def pattern(name: str) -> dict[str, Any]:
    (rule,) = of_type(name, "AWS::Events::Rule").values()
    event_pattern: dict[str, Any] = rule["EventPattern"]
    return event_pattern


def actions(name: str, role: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for statement in statements(name, role):
        for action in as_list(statement["Action"]):
            yield action, statement


def test_every_setting_that_the_hub_decides_is_an_output_of_that_name() -> None:
    outputs = set(template("hub.yaml")["Outputs"])
    required = {name for name, field in Settings.model_fields.items() if field.is_required()}
    decided = required | {
        "sweep_queue_url",
        "sweep_dlq_url",
        "results_kms_key_arn",
        "topic_arn",
        "spoke_role_name",
        "external_id_secret_arn",
    }
    assert {output_name(name) for name in decided} <= outputs
    others = {"BusArn", "TaskRoleArn", "UndeliveredQueueUrl", "ServiceName"}
    assert outputs - {output_name(name) for name in Settings.model_fields} == others


def test_the_task_is_given_settings_that_exist_and_all_that_it_needs() -> None:
    (task,) = of_type("hub.yaml", "AWS::ECS::TaskDefinition").values()
    (container,) = task["ContainerDefinitions"]
    outputs = template("hub.yaml")["Outputs"]
    given = {pair["Name"]: pair["Value"] for pair in container["Environment"]}
    named = {name.removeprefix(PREFIX).lower() for name in given if name.startswith(PREFIX)}
    assert named <= set(Settings.model_fields)
    for setting in Settings.model_fields:
        if output_name(setting) in outputs:
            assert given[f"{PREFIX}{setting.upper()}"] == outputs[output_name(setting)]["Value"], setting


def test_the_parameters_defaults_are_settings_that_a_worker_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = template("hub.yaml")
    (task,) = of_type("hub.yaml", "AWS::ECS::TaskDefinition").values()
    account = "123456789012"
    known = {
        "SCANHUB_CHANGES_QUEUE_URL": f"https://sqs.eu-central-1.amazonaws.com/{account}/scanhub-changes",
        "SCANHUB_CHANGES_DLQ_URL": f"https://sqs.eu-central-1.amazonaws.com/{account}/scanhub-changes-dlq",
        "SCANHUB_LEDGER_TABLE": "scanhub-ledger",
        "SCANHUB_RESULTS_BUCKET": "scanhub-results",
        "SCANHUB_QUALYS_SECRET_ARN": f"arn:aws:secretsmanager:eu-central-1:{account}:secret:scanhub/qualys-iNQVwy",
        "SCANHUB_EXTERNAL_ID_SECRET_ARN": f"arn:aws:secretsmanager:eu-central-1:{account}:secret:scanhub/external-id-a",
    }
    for pair in task["ContainerDefinitions"][0]["Environment"]:
        value = pair["Value"]
        if isinstance(value, dict) and value.get("Ref") in hub["Parameters"]:
            value = hub["Parameters"][value["Ref"]]["Default"]
        if pair["Name"] in known or isinstance(value, str | int):
            monkeypatch.setenv(pair["Name"], str(known.get(pair["Name"], value)))
    settings = Settings()  # type: ignore[call-arg]  # from the environment
    for name in ("scan_timeout", "cache_ttl_days", "scan_types", "qscanner_mode", "exclusion_tag", "notify_severity"):
        assert getattr(settings, name) == Settings.model_fields[name].default, name
    # ECS ends a task StopTimeout seconds after SIGTERM
    assert settings.drain_timeout < task["ContainerDefinitions"][0]["StopTimeout"] == 120


def test_the_container_is_hardened() -> None:
    (task,) = of_type("hub.yaml", "AWS::ECS::TaskDefinition").values()
    (container,) = task["ContainerDefinitions"]
    assert container["User"].split(":")[0] not in {"0", "root"}
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"] == {"InitProcessEnabled": True, "Capabilities": {"Drop": ["ALL"]}}
    assert "Privileged" not in container
    (group,) = of_type("hub.yaml", "AWS::EC2::SecurityGroup").values()
    assert "SecurityGroupIngress" not in group
    assert [(rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [(443, 443)]
    (service,) = of_type("hub.yaml", "AWS::ECS::Service").values()
    assert service["EnableExecuteCommand"] is False
    assert service["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_hub_and_spoke_match_the_same_events() -> None:
    assert pattern("hub.yaml") == pattern("spoke.yaml")
    # Tagging would come back for each of our own tags.
    assert not [name for name in pattern("hub.yaml")["detail"]["eventName"] if "Tag" in str(name)]


def test_the_forwarding_target_has_no_transformer_and_both_targets_lose_nothing() -> None:
    for name in TEMPLATES:
        (rule,) = of_type(name, "AWS::Events::Rule").values()
        (target,) = rule["Targets"]
        assert "InputTransformer" not in target
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "UndeliveredQueue.Arn"}}
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


def test_the_names_that_are_written_twice_agree() -> None:
    for name, rule_path in (("hub.yaml", "${EventBusName}/"), ("spoke.yaml", "")):
        (rule,) = of_type(name, "AWS::Events::Rule").values()
        text = (ROOT / "infra" / name).read_text()
        literal = re.findall(r":rule/(\S+?)\"", text)
        assert literal
        assert set(literal) == {f"{rule_path}{rule['Name']}"}
    queues = of_type("hub.yaml", "AWS::SQS::Queue")
    for source in ("Changes", "Sweep"):
        (allowed,) = queues[f"{source}Dlq"]["RedriveAllowPolicy"]["sourceQueueArns"]
        assert allowed["Fn::Sub"].endswith(f":{queues[f'{source}Queue']['QueueName']}")
        assert queues[f"{source}Dlq"]["QueueName"] == f"{queues[f'{source}Queue']['QueueName']}-dlq"
    (logs,) = of_type("hub.yaml", "AWS::Logs::LogGroup").values()
    assert f":log-group:{logs['LogGroupName']}" in (ROOT / "infra" / "hub.yaml").read_text()


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_queue_is_encrypted_keeps_14_days_and_speaks_tls_only(name: str) -> None:
    queues = of_type(name, "AWS::SQS::Queue")
    policies = of_type(name, "AWS::SQS::QueuePolicy").values()
    covered = {queue["Ref"]: policy["PolicyDocument"]["Statement"] for policy in policies for queue in policy["Queues"]}
    assert set(covered) == set(queues)
    for logical_name, queue in queues.items():
        assert queue["MessageRetentionPeriod"] == 14 * 86_400
        assert "KmsMasterKeyId" in queue or queue["SqsManagedSseEnabled"] is True
        (denied,) = [one for one in covered[logical_name] if one["Effect"] == "Deny"]
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for allowed in (one for one in covered[logical_name] if one["Effect"] == "Allow"):
            assert set(allowed["Condition"]) == {"ArnEquals", "StringEquals"}


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_secret_is_a_parameter_and_nothing_generated_is_an_output(name: str) -> None:
    read = template(name)
    hidden = {key for key, parameter in read["Parameters"].items() if parameter.get("NoEcho")}
    assert hidden == ({"ExternalId"} if name == "spoke.yaml" else set())
    assert not [key for key in read["Parameters"] if re.search("token|password", key, re.IGNORECASE)]
    assert "resolve:" not in (ROOT / "infra" / name).read_text()


@pytest.mark.parametrize(("name", "role"), ROLES)
def test_a_role_may_do_named_things_to_named_resources(name: str, role: str) -> None:
    for action, statement in actions(name, role):
        assert action.count("*") <= action.startswith("kms:"), action
        if "*" in as_list(statement["Resource"]):
            assert set(as_list(statement["Action"])) <= RESOURCELESS
        assert "NotAction" not in statement
        assert statement["Effect"] == "Allow"


def test_the_worker_enters_spoke_roles_of_its_organization_alone() -> None:
    (statement,) = [one for one in statements("hub.yaml", "TaskRole") if "sts:AssumeRole" in as_list(one["Action"])]
    assert set(statement["Action"]) == {"sts:AssumeRole", "sts:SetSourceIdentity"}
    assert statement["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/${SpokeRoleName}"}
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceOrgID": {"Ref": "OrganizationId"}}}


def test_the_worker_protects_tasks_of_its_own_cluster_alone() -> None:
    (statement,) = [one for one in statements("hub.yaml", "TaskRole") if "ecs:" in str(one["Action"])]
    (cluster,) = of_type("hub.yaml", "AWS::ECS::Cluster").values()
    assert as_list(statement["Action"]) == ["ecs:UpdateTaskProtection"]
    task = f"arn:${{AWS::Partition}}:ecs:${{AWS::Region}}:${{AWS::AccountId}}:task/{cluster['ClusterName']}/*"
    assert statement["Resource"] == {"Fn::Sub": task}


def test_sqs_moves_a_message_only_as_a_last_net() -> None:
    """The worker parks by failures that it counts itself; giving back (an account paused for a day) must not park."""
    limit = template("hub.yaml")["Parameters"]["MaxReceiveCount"]
    # The most that SQS takes (SetQueueAttributes in its API reference).
    assert limit["Default"] == limit["MaxValue"] == 1000
    assert limit["MinValue"] >= 20 * Settings.model_fields["max_attempts"].default
    for name, queue in of_type("hub.yaml", "AWS::SQS::Queue").items():
        if "RedrivePolicy" in queue:
            assert queue["RedrivePolicy"]["maxReceiveCount"] == {"Ref": "MaxReceiveCount"}, name


def test_a_task_whose_loop_is_stuck_is_replaced() -> None:
    (task,) = of_type("hub.yaml", "AWS::ECS::TaskDefinition").values()
    check = task["ContainerDefinitions"][0]["HealthCheck"]
    assert check["Command"] == ["CMD", "scanhub", "worker", "--check"]
    # ECS's own limits (HealthCheck in its API reference).
    assert 5 <= check["Interval"] <= 300
    assert 2 <= check["Timeout"] <= 60
    assert 1 <= check["Retries"] <= 10
    assert 0 <= check["StartPeriod"] <= 300
    # A pause that the check takes for a stuck loop must not be one that the worker itself may make.
    assert 2 * check["Interval"] <= STALE
    assert 10 * INTERVAL <= STALE


def test_the_workers_key_use_is_through_services_alone() -> None:
    for action, statement in actions("hub.yaml", "TaskRole"):
        if action.startswith("kms:"):
            assert "kms:ViaService" in statement["Condition"]["StringEquals"]


def test_the_spoke_role_writes_three_tags_and_nothing_else() -> None:
    writes = [
        (action, statement)
        for action, statement in actions("spoke.yaml", "SpokeRole")
        if not re.match(r"\w+:(Get|List|Batch|Decrypt)", action)
    ]
    ((action, statement),) = writes
    assert action == "lambda:TagResource"
    assert statement["Condition"] == {
        "ForAllValues:StringEquals": {"aws:TagKeys": ["QualysScanTimestamp", "QualysScanStatus", "QualysScanTag"]},
        "Null": {"aws:TagKeys": "false"},
    }


def test_the_spoke_role_trusts_the_hubs_worker_alone() -> None:
    trust = roles("spoke.yaml")["SpokeRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert [one["Action"] for one in trust] == ["sts:AssumeRole", "sts:SetSourceIdentity"]
    for statement in trust:
        assert statement["Principal"] == {"AWS": {"Ref": "HubTaskRoleArn"}}
        assert statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"] == {"Ref": "OrganizationId"}
    assert trust[0]["Condition"]["StringEquals"]["sts:ExternalId"] == {"Ref": "ExternalId"}


def test_every_service_role_is_safe_from_a_confused_deputy() -> None:
    for name, role in ROLES:
        for statement in roles(name)[role]["AssumeRolePolicyDocument"]["Statement"]:
            if "Service" in statement["Principal"]:
                assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
                assert "aws:SourceArn" in str(statement["Condition"])


def test_what_holds_data_survives_its_stack() -> None:
    kept = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup"}
    for resource in template("hub.yaml")["Resources"].values():
        if resource["Type"] in kept:
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_fits_in_one_call(name: str) -> None:
    # CreateStack takes 51,200 bytes as TemplateBody (CloudFormation quotas).
    assert (ROOT / "infra" / name).stat().st_size <= 51_200


@pytest.mark.parametrize(("name", "role"), ROLES)
def test_the_iam_reference_gives_a_reason_for_each_permission(name: str, role: str) -> None:
    text = (ROOT / "docs" / "iam.md").read_text()
    (section,) = re.findall(rf"^## [^\n]*`{role}`[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    documented = {action for row in rows for action in re.findall(r"`([a-z0-9]+:[A-Z]\w+\*?)`", row[1])}
    assert documented == {action for action, _ in actions(name, role)}
    assert all(row[2].strip() and row[3].strip() for row in rows)


def test_the_events_reference_names_what_is_forwarded() -> None:
    text = (ROOT / "docs" / "events.md").read_text()
    for name in pattern("spoke.yaml")["detail"]["eventName"]:
        assert f"`{name if isinstance(name, str) else name['prefix'] + '…'}`" in text


def test_the_events_reference_names_every_reason_to_park_a_body() -> None:
    text = (ROOT / "docs" / "events.md").read_text()
    assert not [reason for reason in MalformedReason if f"`{reason}`" not in text]
