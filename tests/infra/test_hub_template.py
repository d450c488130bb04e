"""What the hub's template must hold, whatever emulator deploys it: what it keeps, who gets at it, what tasks know."""

from typing import Any

import pytest

from hub.settings import PREFIX, Settings
from infra.hub_settings import output_name
from scanhub.command_line import app
from spoke.envelope import MalformedReason
from tests.infra.template import INFRA, actions, as_list, of_type, placed, roles, statements, template
from worker.vitals import INTERVAL, STALE

HUB = "hub.yaml"
DOCS = INFRA.parent / "docs"
OWN_ACCOUNT = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
ALARMS = {"Fn::Sub": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:scanhub-*"}
RULE = {"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${EventBusName}/scanhub-changes"}

# Settings that the task does not give: the image does, or the default is what is wanted.
LEFT_TO_OTHERS = {
    "external_id",
    "lease_duration",
    "max_attempts",
    "qscanner_command",
    "qscanner_image_command",
    "qscanner_path",
    "qscanner_sha256",
    "visibility_timeout",
}


def only(kind: str) -> dict[str, Any]:
    (one,) = of_type(HUB, kind).values()
    return one


def policy_of(kind: str) -> dict[str, dict[str, Any]]:
    """The statements of the one policy of a type, by their Sid."""
    document = only(kind)["PolicyDocument"]
    assert document["Version"] == "2012-10-17"
    return {statement["Sid"]: statement for statement in document["Statement"]}


def task(family: str) -> dict[str, Any]:
    (one,) = [one for one in of_type(HUB, "AWS::ECS::TaskDefinition").values() if one["Family"] == family]
    return one


def container(family: str) -> dict[str, Any]:
    (one,) = task(family)["ContainerDefinitions"]
    found: dict[str, Any] = one
    return found


def environment(family: str) -> dict[str, Any]:
    pairs = container(family)["Environment"]
    given = {pair["Name"]: pair["Value"] for pair in pairs}
    assert len(given) == len(pairs)
    return given


# ---- settings, environment, outputs ----


def test_every_setting_that_the_hub_decides_is_an_output_of_that_name() -> None:
    outputs = set(template(HUB)["Outputs"])
    required = {name for name, field in Settings.model_fields.items() if field.is_required()}
    decided = required | {
        "sweep_queue_url",
        "sweep_dlq_url",
        "results_kms_key_arn",
        "topic_arn",
        "spoke_role_name",
        "spoke_role_path",
        "external_id_secret_arn",
    }
    assert {output_name(name) for name in decided} <= outputs
    others = {"BusArn", "TaskRoleArn", "UndeliveredQueueUrl", "ClusterName", "ServiceName"}
    assert outputs - {output_name(name) for name in Settings.model_fields} == others


def test_outputs_of_what_may_not_be_there_are_conditional() -> None:
    conditional = {name for name, one in template(HUB)["Outputs"].items() if "Condition" in one}
    assert conditional == {"ClusterName", "ServiceName"}


def test_the_task_is_given_every_setting_and_none_that_is_unknown() -> None:
    named = {name.removeprefix(PREFIX).lower() for name in environment("scanhub-worker") if name.startswith(PREFIX)}
    assert named == set(Settings.model_fields) - LEFT_TO_OTHERS


def test_the_task_and_the_outputs_say_the_same() -> None:
    outputs = template(HUB)["Outputs"]
    given = environment("scanhub-worker")
    for setting in Settings.model_fields:
        if output_name(setting) in outputs and setting != "topic_arn":
            assert given[f"{PREFIX}{setting.upper()}"] == outputs[output_name(setting)]["Value"], setting
    assert outputs["TopicArn"]["Value"] == {"Ref": "Topic"}
    # An empty value counts as not set: nobody is notified, and alarms still go there.
    assert given["SCANHUB_TOPIC_ARN"] == {"Fn::If": ["Notifies", {"Ref": "Topic"}, ""]}
    assert template(HUB)["Conditions"]["Notifies"] == {"Fn::Equals": [{"Ref": "EnableSNSNotifications"}, "true"]}


def test_what_the_parameters_say_reaches_the_worker() -> None:
    interface = template(HUB)["Metadata"]["AWS::CloudFormation::Interface"]
    told = {
        value["Ref"] for value in environment("scanhub-worker").values() if isinstance(value, dict) and "Ref" in value
    }
    for group in interface["ParameterGroups"]:
        if group["Label"]["default"] in {"Scans", "What a scan leaves behind"}:
            assert set(group["Parameters"]) - {"EnableSNSNotifications"} <= told


def test_the_parameters_defaults_are_settings_that_a_worker_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = template(HUB)
    account = "123456789012"
    known = {
        "SCANHUB_CHANGES_QUEUE_URL": f"https://sqs.eu-central-1.amazonaws.com/{account}/scanhub-changes",
        "SCANHUB_CHANGES_DLQ_URL": f"https://sqs.eu-central-1.amazonaws.com/{account}/scanhub-changes-dlq",
        "SCANHUB_LEDGER_TABLE": "scanhub-ledger",
        "SCANHUB_RESULTS_BUCKET": "scanhub-results",
        "SCANHUB_QUALYS_SECRET_ARN": f"arn:aws:secretsmanager:eu-central-1:{account}:secret:scanhub/qualys-iNQVwy",
        "SCANHUB_EXTERNAL_ID_SECRET_ARN": f"arn:aws:secretsmanager:eu-central-1:{account}:secret:scanhub/external-id-a",
    }
    for name, given in environment("scanhub-worker").items():
        from_parameter = isinstance(given, dict) and given.get("Ref") in hub["Parameters"]
        value = hub["Parameters"][given["Ref"]]["Default"] if from_parameter else given
        if name in known or isinstance(value, str | int):
            monkeypatch.setenv(name, str(known.get(name, value)))
    settings = Settings()  # type: ignore[call-arg]  # from the environment
    for name in (
        "scan_timeout",
        "cache_ttl_days",
        "scan_types",
        "qscanner_mode",
        "exclusion_tag",
        "notify_severity",
        "spoke_role_path",
        "max_scans_per_account",
    ):
        assert getattr(settings, name) == Settings.model_fields[name].default, name
    # ECS ends a task StopTimeout seconds after SIGTERM
    assert settings.drain_timeout < container("scanhub-worker")["StopTimeout"] == 120


def test_the_names_that_users_of_the_vendors_templates_know_mean_what_they_know() -> None:
    parameters = template(HUB)["Parameters"]
    assert parameters["CacheTTLDays"]["Default"] == 30
    assert parameters["EnableTagging"]["Default"] == "true"
    assert parameters["EnableSNSNotifications"]["Default"] == "true"
    assert {"QualysSecretArn", "ScannerImageUri", "OrganizationId", "BulkScanSchedule"} <= set(parameters)
    assert not {"ContainerImage", "CacheTtlDays", "DesiredCount"} & set(parameters)


# ---- bus, archive, rule, queues ----


def test_the_bus_admits_lambda_events_of_the_organization_and_nothing_else() -> None:
    policy = only("AWS::Events::EventBusPolicy")
    assert policy["EventBusName"] == {"Ref": "EventBusName"}
    assert policy["Statement"] == {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": {"Fn::GetAtt": "Bus.Arn"},
        "Condition": {
            "StringEquals": {"aws:PrincipalOrgID": {"Ref": "OrganizationId"}},
            # A key of several values, one for each event of a call (Service Authorization Reference).
            "ForAllValues:StringEquals": {"events:source": "aws.lambda"},
            "Null": {"events:source": "false"},
        },
    }


def test_what_the_bus_admitted_is_archived_whole_and_under_the_key() -> None:
    archive = only("AWS::Events::Archive")
    assert archive["ArchiveName"] == "scanhub-changes"
    assert archive["SourceArn"] == {"Fn::GetAtt": "Bus.Arn"}
    assert archive["KmsKeyIdentifier"] == {"Fn::GetAtt": "Key.Arn"}
    assert archive["RetentionDays"] == {"Ref": "ArchiveDays"}
    assert "EventPattern" not in archive
    # 0 is for ever (CreateArchive in EventBridge's API reference).
    assert template(HUB)["Parameters"]["ArchiveDays"]["MinValue"] == 0


def test_the_rule_alone_fills_its_two_queues() -> None:
    policies = of_type(HUB, "AWS::SQS::QueuePolicy").values()
    senders = {
        policy["Queues"][0]["Ref"]: statement
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    }
    assert set(senders) == {"ChangesQueue", "UndeliveredQueue"}
    for queue, statement in senders.items():
        assert statement == {
            "Sid": "OnlyTheRuleSends",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": {"Fn::GetAtt": f"{queue}.Arn"},
            "Condition": {
                "ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": "ChangesRule.Arn"}},
                "StringEquals": OWN_ACCOUNT,
            },
        }


def test_all_queues_are_under_the_key() -> None:
    queues = of_type(HUB, "AWS::SQS::Queue")
    assert len(queues) == 5
    for queue in queues.values():
        assert queue["KmsMasterKeyId"] == {"Ref": "Key"}


def test_sqs_moves_a_message_only_as_a_last_net() -> None:
    """The worker parks by failures that it counts itself; giving back (an account paused for a day) must not park."""
    limit = template(HUB)["Parameters"]["MaxReceiveCount"]
    # The most that SQS takes (SetQueueAttributes in its API reference).
    assert limit["Default"] == limit["MaxValue"] == 1000
    assert limit["MinValue"] >= 20 * Settings.model_fields["max_attempts"].default
    for name, queue in of_type(HUB, "AWS::SQS::Queue").items():
        if "RedrivePolicy" in queue:
            assert queue["RedrivePolicy"]["maxReceiveCount"] == {"Ref": "MaxReceiveCount"}, name


# ---- key, topic, bucket, ledger, secrets ----


def test_the_key_rotates_and_its_account_decides_by_iam() -> None:
    key = only("AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    (own,) = [one for one in key["KeyPolicy"]["Statement"] if "AWS" in one["Principal"]]
    assert own["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}


def test_the_key_is_handed_on_to_services_only() -> None:
    (denied,) = [one for one in only("AWS::KMS::Key")["KeyPolicy"]["Statement"] if one["Effect"] == "Deny"]
    assert (denied["Principal"], denied["Action"]) == ("*", "kms:CreateGrant")
    assert denied["Condition"] == {
        "BoolIfExists": {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}
    }


def test_services_use_the_key_for_their_one_purpose_alone() -> None:
    granted = {
        one["Sid"]: (one["Principal"]["Service"], set(as_list(one["Action"])), one.get("Condition"))
        for one in only("AWS::KMS::Key")["KeyPolicy"]["Statement"]
        if one["Effect"] == "Allow" and "Service" in one["Principal"]
    }
    both = {"kms:Decrypt", "kms:GenerateDataKey"}
    group = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/scanhub/worker"
    assert granted == {
        "RuleFillsEncryptedQueues": (
            "events.amazonaws.com",
            both,
            {"StringEquals": OWN_ACCOUNT, "ArnEqualsIfExists": {"aws:SourceArn": RULE}},
        ),
        # Without a condition: it reads the key's kind and state.
        "ArchiveLooksAtTheKey": ("events.amazonaws.com", {"kms:DescribeKey"}, None),
        "ArchiveOfTheBus": (
            "events.amazonaws.com",
            both | {"kms:ReEncrypt*"},
            {"StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": {"Fn::GetAtt": "Bus.Arn"}}},
        ),
        "AlarmsPublishToTheTopic": (
            "cloudwatch.amazonaws.com",
            both,
            {"StringEquals": OWN_ACCOUNT, "ArnLike": {"aws:SourceArn": ALARMS}},
        ),
        "LogsOfTheWorker": (
            {"Fn::Sub": "logs.${AWS::Region}.${AWS::URLSuffix}"},
            {"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"},
            {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": {"Fn::Sub": group}}},
        ),
    }


def test_the_topic_is_encrypted_and_takes_alarms_of_this_account() -> None:
    assert only("AWS::SNS::Topic")["KmsMasterKeyId"] == {"Ref": "Key"}
    policy = policy_of("AWS::SNS::TopicPolicy")
    assert set(policy) == {"TlsOnly", "AlarmsPublish"}
    assert policy["TlsOnly"]["Effect"] == "Deny"
    assert policy["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert policy["AlarmsPublish"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert policy["AlarmsPublish"]["Action"] == "sns:Publish"
    assert policy["AlarmsPublish"]["Condition"] == {
        "StringEquals": OWN_ACCOUNT,
        "ArnLike": {"aws:SourceArn": ALARMS},
    }


def test_results_are_versioned_private_encrypted_and_kept_as_long_as_wanted() -> None:
    bucket = only("AWS::S3::Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": {"Fn::GetAtt": "Key.Arn"},
    }
    (results,) = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule.get("Prefix") == "scans/"]
    assert results["Status"] == {"Fn::If": ["ResultsExpire", "Enabled", "Disabled"]}
    assert results["ExpirationInDays"]["Fn::If"][1] == {"Ref": "ResultsExpirationDays"}
    _, logging, otherwise = bucket["LoggingConfiguration"]["Fn::If"]
    assert logging["DestinationBucketName"] == {"Ref": "AccessLogsBucket"}
    assert otherwise == {"Ref": "AWS::NoValue"}


def test_the_bucket_refuses_plain_http_and_any_other_key() -> None:
    policy = policy_of("AWS::S3::BucketPolicy")
    assert {statement["Effect"] for statement in policy.values()} == {"Deny"}
    assert policy["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert policy["TlsOnly"]["Resource"] == [{"Fn::GetAtt": "Results.Arn"}, {"Fn::Sub": "${Results.Arn}/*"}]
    # A write that names no key gets the bucket's own; "not equal" alone would refuse it.
    asked = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    assert policy["TheHubsKeyOnly"]["Condition"] == {
        "StringNotEquals": {asked: {"Fn::GetAtt": "Key.Arn"}},
        "Null": {asked: "false"},
    }


def test_the_ledger_is_on_demand_encrypted_recoverable_and_protected() -> None:
    table = only("AWS::DynamoDB::Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"]["KMSMasterKeyId"] == {"Fn::GetAtt": "Key.Arn"}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["ProtectsLedger", True, False]}
    assert template(HUB)["Parameters"]["DeletionProtection"]["Default"] == "true"


def test_the_qualys_secret_is_created_empty_and_the_external_id_generated() -> None:
    secrets = placed(HUB, "AWS::SecretsManager::Secret")
    assert set(secrets) == {"QualysSecret", "ExternalIdSecret"}
    qualys = secrets["QualysSecret"]
    assert qualys["Condition"] == "CreatesQualysSecret"
    assert not {"SecretString", "GenerateSecretString"} & set(qualys["Properties"])
    generated = secrets["ExternalIdSecret"]["Properties"]["GenerateSecretString"]
    assert generated["PasswordLength"] >= 32
    assert generated["ExcludePunctuation"] is True
    for secret in secrets.values():
        assert secret["Properties"]["KmsKeyId"] == {"Fn::GetAtt": "Key.Arn"}


def test_what_holds_data_survives_its_stack_but_not_a_first_attempt_that_failed() -> None:
    kept = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup"}
    for name, resource in template(HUB)["Resources"].items():
        policies = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        assert policies == (("RetainExceptOnCreate", "Retain") if resource["Type"] in kept else (None, None)), name


# ---- roles ----


def test_the_worker_enters_spoke_roles_of_its_organization_alone() -> None:
    (statement,) = [one for one in statements(HUB, "TaskRole") if "sts:AssumeRole" in as_list(one["Action"])]
    assert set(statement["Action"]) == {"sts:AssumeRole", "sts:SetSourceIdentity"}
    assert statement["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role${SpokeRolePath}${SpokeRoleName}"}
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceOrgID": {"Ref": "OrganizationId"}}}


def test_the_worker_protects_tasks_of_its_own_cluster_alone() -> None:
    (statement,) = [one for one in statements(HUB, "TaskRole") if "ecs:" in str(one["Action"])]
    assert as_list(statement["Action"]) == ["ecs:UpdateTaskProtection"]
    cluster = only("AWS::ECS::Cluster")["ClusterName"]
    own = f"arn:${{AWS::Partition}}:ecs:${{AWS::Region}}:${{AWS::AccountId}}:task/{cluster}/*"
    assert statement["Resource"] == {"Fn::Sub": own}


def test_the_worker_neither_reads_results_nor_asks_for_scans() -> None:
    """Engineers do, with their own credentials."""
    allowed = {action for action, _ in actions(HUB, "TaskRole")}
    assert not allowed & {"s3:GetObject", "s3:DeleteObject", "dynamodb:DeleteItem"}
    (parks,) = [one for one in statements(HUB, "TaskRole") if "sqs:SendMessage" in as_list(one["Action"])]
    assert parks["Resource"] == [{"Fn::GetAtt": "ChangesDlq.Arn"}, {"Fn::GetAtt": "SweepDlq.Arn"}]


def test_the_workers_key_use_is_through_services_alone() -> None:
    for action, statement in actions(HUB, "TaskRole"):
        if action.startswith("kms:"):
            assert "kms:ViaService" in statement["Condition"]["StringEquals"]


def test_the_image_may_lie_elsewhere_but_in_the_organization() -> None:
    (pull,) = [one for one in statements(HUB, "ExecutionRole") if "ecr:BatchGetImage" in one["Action"]]
    assert pull["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:ecr:*:*:repository/${ImageRepositoryName}"}
    assert pull["Condition"] == {"StringEquals": {"aws:ResourceOrgID": {"Ref": "OrganizationId"}}}


def test_the_schedule_may_start_the_sweep_and_hand_on_its_two_roles() -> None:
    granted = {one["Sid"]: one for one in statements(HUB, "SchedulerRole")}
    assert set(granted) == {"StartTheSweep", "HandItsRolesToEcs"}
    start, hand = granted["StartTheSweep"], granted["HandItsRolesToEcs"]
    assert start["Action"] == "ecs:RunTask"
    assert start["Resource"]["Fn::Sub"].endswith(":task-definition/scanhub-sweep:*")
    assert start["Condition"] == {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": "Cluster.Arn"}}}
    assert hand["Action"] == "iam:PassRole"
    assert hand["Resource"] == [{"Fn::GetAtt": "TaskRole.Arn"}, {"Fn::GetAtt": "ExecutionRole.Arn"}]
    assert hand["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    (trust,) = roles(HUB)["SchedulerRole"]["AssumeRolePolicyDocument"]["Statement"]
    group = only("AWS::Scheduler::ScheduleGroup")["Name"]
    assert trust["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"].endswith(f":schedule-group/{group}")


# ---- the tasks ----


@pytest.mark.parametrize("family", ["scanhub-worker", "scanhub-sweep"])
def test_the_container_is_hardened(family: str) -> None:
    one = container(family)
    assert one["User"] == "10001:10001"
    assert one["ReadonlyRootFilesystem"] is True
    assert one["LinuxParameters"] == {"InitProcessEnabled": True, "Capabilities": {"Drop": ["ALL"]}}
    assert "Privileged" not in one
    assert one["StopTimeout"] == 120
    assert one["MountPoints"] == [{"SourceVolume": "scratch", "ContainerPath": "/scratch", "ReadOnly": False}]
    assert one["LogConfiguration"]["Options"]["awslogs-group"] == {"Ref": "Logs"}
    assert "Secrets" not in one
    assert task(family)["NetworkMode"] == "awsvpc"


def test_the_task_has_the_disk_that_is_wanted() -> None:
    assert task("scanhub-worker")["EphemeralStorage"] == {"SizeInGiB": {"Ref": "TaskDiskGiB"}}
    # What Fargate allows (EphemeralStorage in ECS's API reference).
    limits = template(HUB)["Parameters"]["TaskDiskGiB"]
    assert (limits["MinValue"], limits["MaxValue"]) == (21, 200)


def test_the_logs_are_encrypted_and_end() -> None:
    logs = only("AWS::Logs::LogGroup")
    assert logs["KmsKeyId"] == {"Fn::GetAtt": "Key.Arn"}
    assert logs["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_nothing_comes_in_and_https_goes_out() -> None:
    group = only("AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert [(rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]] == [(443, 443)]


def test_a_task_whose_loop_is_stuck_is_replaced() -> None:
    check = container("scanhub-worker")["HealthCheck"]
    assert check["Command"] == ["CMD", "scanhub", "worker", "--check"]
    # ECS's own limits (HealthCheck in its API reference).
    assert 5 <= check["Interval"] <= 300
    assert 2 <= check["Timeout"] <= 60
    assert 1 <= check["Retries"] <= 10
    assert 0 <= check["StartPeriod"] <= 300
    # A pause that the check takes for a stuck loop must not be one that the worker itself may make.
    assert 2 * check["Interval"] <= STALE
    assert 10 * INTERVAL <= STALE


def test_the_sweep_is_the_workers_image_with_the_workers_settings() -> None:
    worker, sweep = container("scanhub-worker"), container("scanhub-sweep")
    assert worker["Command"] == ["worker"]
    assert sweep["Command"] == ["sweep"]
    assert sweep["Image"] == worker["Image"] == {"Ref": "ScannerImageUri"}
    assert environment("scanhub-sweep").items() <= environment("scanhub-worker").items()
    needed = {f"{PREFIX}{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    freshness = {"SCANHUB_CACHE_TTL_DAYS", "SCANHUB_QSCANNER_MODE", "SCANHUB_SCAN_TYPES", "SCANHUB_SWEEP_QUEUE_URL"}
    assert needed | freshness <= environment("scanhub-sweep").keys()
    for key in ("TaskRoleArn", "ExecutionRoleArn", "RuntimePlatform", "Volumes"):
        assert task("scanhub-sweep")[key] == task("scanhub-worker")[key]


def test_nothing_sweeps_by_default_as_long_as_there_is_no_such_command() -> None:
    known = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert "worker" in known
    schedule = template(HUB)["Parameters"]["BulkScanSchedule"]
    if "sweep" not in known:
        assert schedule["Default"] == ""


def test_the_events_reference_names_every_reason_to_park_a_body() -> None:
    page = (DOCS / "events.md").read_text()
    assert not [reason for reason in MalformedReason if f"`{reason}`" not in page]
