"""What the hub's template must hold of what it keeps and who gets at it: bus, queues, key, bucket, ledger, roles."""

from hub.dead_letters import dropping
from hub.register_items import OBJECTIVE_KEPT
from hub.settings import Settings
from hub.sweep.summary import summary_key
from tests.infra.hub_template import ALARMS, HUB, OWN_ACCOUNT, RULE, only, policy_of
from tests.infra.template import actions, as_list, of_type, placed, roles, statements, template

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
    prefixes = {rule["Prefix"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"] if "Prefix" in rule}
    assert set(prefixes) == {"scans/", "sweeps/", "operations/"}
    assert summary_key("1").startswith("sweeps/")
    assert dropping.PREFIX.startswith("operations/")
    for prefix in ("sweeps/", "operations/"):
        assert prefixes[prefix]["Status"] == "Enabled"
        assert prefixes[prefix]["ExpirationInDays"] == OBJECTIVE_KEPT.days
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


def test_the_worker_neither_reads_results_nor_sends_changes() -> None:
    """Engineers read, with their own credentials; a change is for AWS alone to tell."""
    allowed = {action for action, _ in actions(HUB, "TaskRole")}
    assert not allowed & {"s3:GetObject", "s3:DeleteObject", "dynamodb:DeleteItem"}
    sends = {one["Sid"]: one for one in statements(HUB, "TaskRole") if "sqs:SendMessage" in as_list(one["Action"])}
    assert set(sends) == {"ParkMessages", "AskForScans"}
    assert sends["ParkMessages"]["Resource"] == [{"Fn::GetAtt": "ChangesDlq.Arn"}, {"Fn::GetAtt": "SweepDlq.Arn"}]
    assert sends["AskForScans"]["Resource"] == {"Fn::GetAtt": "SweepQueue.Arn"}


def test_what_is_listed_of_the_organization_is_listed_and_no_more() -> None:
    granted = {action: one for action, one in actions(HUB, "TaskRole") if action.startswith("organizations:")}
    below = {"organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent"}
    assert set(granted) == {"organizations:ListAccounts", *below}
    # Only the one knows no resource.
    assert granted["organizations:ListAccounts"]["Resource"] == "*"
    for action in below:
        ours = "arn:${AWS::Partition}:organizations::*:ou/${OrganizationId}/ou-*"
        assert granted[action]["Resource"] == {"Fn::Sub": ours}


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
