"""Each kind of resource, created, changed in place and deleted."""

from collections.abc import Mapping
from typing import Any

import pytest

from infra.local.accounts import Accounts

TRUST = """
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ecs.amazonaws.com}, Action: "sts:AssumeRole"}]
"""
HEAD = (
    "Parameters: {New: {Type: String, Default: 'false'}}\nConditions: {New: !Equals [!Ref New, 'true']}\nResources:\n"
)


class Stack:
    """One stack, by its template."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.client = accounts.client("cloudformation")

    def create(self, resources: str) -> None:
        self.body = HEAD + resources
        self.client.create_stack(StackName="one", TemplateBody=self.body, Capabilities=["CAPABILITY_NAMED_IAM"])
        assert self.status() == "CREATE_COMPLETE", self.reasons()

    def change(self, *, new: bool = True) -> str:
        self.client.update_stack(
            StackName="one",
            TemplateBody=self.body,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": "New", "ParameterValue": str(new).lower()}],
        )
        return self.status()

    def status(self) -> str:
        return str(self.client.describe_stacks(StackName="one")["Stacks"][0]["StackStatus"])

    def reasons(self) -> list[str]:
        events = self.client.describe_stack_events(StackName="one")["StackEvents"]
        return [one["ResourceStatusReason"] for one in events if one["ResourceStatus"].endswith("_FAILED")]

    def physical(self) -> Mapping[str, str]:
        found = self.client.list_stack_resources(StackName="one")["StackResourceSummaries"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def delete(self) -> None:
        self.client.delete_stack(StackName="one")
        assert self.client.describe_stacks()["Stacks"] == []


@pytest.fixture
def stack(accounts: Accounts) -> Stack:
    return Stack(accounts)


def test_a_bus_keeps_its_other_statements_and_a_rule_loses_a_target(stack: Stack) -> None:
    events = stack.accounts.client("events")
    statement = "{Effect: Allow, Principal: '*', Action: events:PutEvents, Resource: !GetAtt Bus.Arn}"
    stack.create(f"""
  Bus: {{Type: AWS::Events::EventBus, Properties: {{Name: changes, Description: !If [New, second, first]}}}}
  One:
    Type: AWS::Events::EventBusPolicy
    Properties: {{EventBusName: !Ref Bus, StatementId: One, Statement: {statement}}}
  Two:
    Type: AWS::Events::EventBusPolicy
    Properties: {{EventBusName: !Ref Bus, StatementId: !If [New, Three, Two], Statement: {statement}}}
  Queue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: changes}}}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: rule
      EventBusName: !Ref Bus
      EventPattern: {{source: [aws.lambda]}}
      State: !If [New, DISABLED, ENABLED]
      Targets:
        - {{Id: kept, Arn: !GetAtt Queue.Arn}}
        - !If [New, !Ref "AWS::NoValue", {{Id: gone, Arn: !GetAtt Queue.Arn}}]
""")
    before = stack.physical()
    assert before["Rule"] == "changes|rule"
    assert len(events.list_targets_by_rule(Rule="rule", EventBusName="changes")["Targets"]) == 2
    assert stack.change() == "UPDATE_COMPLETE", stack.reasons()
    bus = events.describe_event_bus(Name="changes")
    assert bus["Description"] == "second"
    assert '"Sid": "One"' in bus["Policy"]
    assert '"Sid": "Three"' in bus["Policy"]
    assert '"Sid": "Two"' not in bus["Policy"]
    assert events.describe_rule(Name="rule", EventBusName="changes")["State"] == "DISABLED"
    (target,) = events.list_targets_by_rule(Rule="rule", EventBusName="changes")["Targets"]
    assert target["Id"] == "kept"
    assert stack.physical()["Rule"] == before["Rule"]
    stack.delete()
    assert [one["Name"] for one in events.list_event_buses()["EventBuses"]] == ["default"]


def test_a_role_changes_its_trust_its_bounds_and_its_policies(stack: Stack) -> None:
    iam = stack.accounts.client("iam")
    document = "{Version: '2012-10-17', Statement: [{Effect: Allow, Action: 's3:*', Resource: '*'}]}"
    managed = iam.create_policy(
        PolicyName="bounds",
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
    )["Policy"]["Arn"]
    stack.create(f"""
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      Description: !If [New, second, first]
      MaxSessionDuration: !If [New, 7200, 3600]
      AssumeRolePolicyDocument: {TRUST}
      PermissionsBoundary: !If [New, {managed}, !Ref "AWS::NoValue"]
      ManagedPolicyArns: !If [New, [], [{managed}]]
      Policies: [{{PolicyName: !If [New, second, first], PolicyDocument: {document}}}]
  Other:
    Type: AWS::IAM::Role
    Properties:
      RoleName: other
      AssumeRolePolicyDocument: {TRUST}
  Attached:
    Type: AWS::IAM::Policy
    Properties: {{PolicyName: attached, Roles: [!If [New, !Ref Other, !Ref Role]], PolicyDocument: {document}}}
""")
    made = iam.get_role(RoleName="worker")["Role"]["RoleId"]
    assert set(iam.list_role_policies(RoleName="worker")["PolicyNames"]) == {"first", "attached"}
    assert stack.change() == "UPDATE_COMPLETE", stack.reasons()
    role = iam.get_role(RoleName="worker")["Role"]
    assert (role["RoleId"], role["Description"], role["MaxSessionDuration"]) == (made, "second", 7200)
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == managed
    assert iam.list_role_policies(RoleName="worker")["PolicyNames"] == ["second"]
    assert iam.list_role_policies(RoleName="other")["PolicyNames"] == ["attached"]
    assert iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"] == []
    assert stack.change(new=False) == "UPDATE_COMPLETE"
    assert "PermissionsBoundary" not in iam.get_role(RoleName="worker")["Role"]
    stack.delete()
    assert iam.list_roles()["Roles"] == []


def test_a_key_a_secret_and_a_topic_change_in_place(stack: Stack) -> None:
    stack.create("""
  Key:
    Type: AWS::KMS::Key
    Properties:
      Description: !If [New, second, first]
      EnableKeyRotation: !If [New, false, true]
      KeyPolicy:
        Statement: [{Sid: !If [New, Second, First], Effect: Allow, Principal: '*', Action: 'kms:*', Resource: '*'}]
  Another: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {Statement: []}}}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/hub, TargetKeyId: !If [New, !Ref Another, !Ref Key]}}
  Fixed: {Type: AWS::SecretsManager::Secret, Properties: {Name: fixed, SecretString: !If [New, second, first]}}
  Drawn:
    Type: AWS::SecretsManager::Secret
    Properties: {Name: drawn, GenerateSecretString: {PasswordLength: !If [New, 20, 30], ExcludePunctuation: true}}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: topic, DisplayName: !If [New, second, first]}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref Topic]
      PolicyDocument:
        Statement: [{Sid: !If [New, Second, First], Effect: Deny, Principal: '*', Action: 'sns:*', Resource: '*'}]
""")
    before = stack.physical()
    topic = before["Topic"]
    sns = stack.accounts.client("sns")
    listening = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="security@example.com")
    assert stack.change() == "UPDATE_COMPLETE", stack.reasons()
    assert stack.physical() == before
    kms = stack.accounts.client("kms")
    assert kms.describe_key(KeyId=before["Key"])["KeyMetadata"]["Description"] == "second"
    assert kms.describe_key(KeyId="alias/hub")["KeyMetadata"]["KeyId"] == before["Another"]
    assert kms.get_key_rotation_status(KeyId=before["Key"])["KeyRotationEnabled"] is False
    assert "Second" in kms.get_key_policy(KeyId=before["Key"], PolicyName="default")["Policy"]
    secrets = stack.accounts.client("secretsmanager")
    assert secrets.get_secret_value(SecretId="fixed")["SecretString"] == "second"
    assert len(secrets.get_secret_value(SecretId="drawn")["SecretString"]) == 20
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["DisplayName"], "Second" in attributes["Policy"]) == ("second", True)
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1
    assert listening["SubscriptionArn"]
    stack.delete()
    assert kms.describe_key(KeyId=before["Key"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_bucket_gets_and_loses_its_options(stack: Stack) -> None:
    s3 = stack.accounts.client("s3")
    stack.create("""
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: results-of-the-hub
      VersioningConfiguration: !If [New, !Ref "AWS::NoValue", {Status: Enabled}]
      PublicAccessBlockConfiguration: !If [New, !Ref "AWS::NoValue", {BlockPublicAcls: true}]
      OwnershipControls: !If [New, !Ref "AWS::NoValue", {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}]
      LifecycleConfiguration: !If
        - New
        - !Ref "AWS::NoValue"
        - Rules:
            - {Id: cold, Status: Enabled, Transitions: [{StorageClass: GLACIER, TransitionInDays: 30}]}
            - {Id: marks, Status: Enabled, ExpiredObjectDeleteMarker: true}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Statement:
          - Sid: !If [New, Second, First]
            Effect: Deny
            Principal: '*'
            Action: 's3:*'
            Resource: '*'
            Condition: {Bool: {"aws:SecureTransport": 'false'}}
""")
    bucket = {"Bucket": "results-of-the-hub"}
    rules = {one["ID"]: one for one in s3.get_bucket_lifecycle_configuration(**bucket)["Rules"]}
    assert rules["cold"]["Transitions"][0]["StorageClass"] == "GLACIER"
    assert rules["marks"]["Expiration"]["ExpiredObjectDeleteMarker"] is True
    assert stack.change() == "UPDATE_COMPLETE", stack.reasons()
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Suspended"
    assert "Second" in s3.get_bucket_policy(**bucket)["Policy"]
    for gone in ("get_public_access_block", "get_bucket_lifecycle_configuration", "get_bucket_ownership_controls"):
        with pytest.raises(s3.exceptions.ClientError, match=r"(?i)not found|does not exist|NoSuch"):
            getattr(s3, gone)(**bucket)
    s3.put_object(Key="result", Body=b"kept", **bucket)
    stack.client.delete_stack(StackName="one")
    assert stack.status() == "DELETE_FAILED"
    assert any("BucketNotEmpty" in reason for reason in stack.reasons())


@pytest.mark.parametrize(
    ("resource", "fault"),
    [
        (
            "{Type: AWS::SQS::Queue, Properties: {QueueName: q, DelaySeconds: !If [New, !Ref 'AWS::NoValue', 5]}}",
            "takes no DelaySeconds away from a queue",
        ),
        (
            "{Type: AWS::Logs::LogGroup, Properties: {LogGroupName: g, KmsKeyId: !If [New, !Ref 'AWS::NoValue', key]}}",
            "changes no KmsKeyId of a log group",
        ),
        (
            "{Type: AWS::SNS::Topic, Properties: {Subscription: !If [New, [], [{Protocol: email, Endpoint: a@b.de}]]}}",
            "changes no Subscription of a topic",
        ),
        (
            "{Type: AWS::CloudWatch::Dashboard, Properties: {DashboardBody: !If [New, '{}', '{\"widgets\": []}']}}",
            "must have widgets",
        ),
    ],
)
def test_what_cannot_be_changed_faithfully_is_refused_and_rolled_back(stack: Stack, resource: str, fault: str) -> None:
    stack.create(f"  One: {resource}")
    assert stack.change() == "UPDATE_ROLLBACK_COMPLETE"
    assert any(fault in reason for reason in stack.reasons())


def test_a_name_that_changes_makes_another_and_the_old_one_goes_unless_it_is_retained(stack: Stack) -> None:
    logs = stack.accounts.client("logs")
    stack.create("""
  Gone: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !If [New, gone-2, gone-1], RetentionInDays: 7}}
  Kept:
    Type: AWS::Logs::LogGroup
    UpdateReplacePolicy: Retain
    Properties: {LogGroupName: !If [New, kept-2, kept-1]}
""")
    assert stack.change() == "UPDATE_COMPLETE", stack.reasons()
    assert [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]] == ["gone-2", "kept-1", "kept-2"]


def test_zones_and_blocks_are_those_of_the_stacks_region(accounts: Accounts) -> None:
    stacks = accounts.client("cloudformation", region="us-east-1")
    body = """
    Resources:
      Topic:
        Type: AWS::SNS::Topic
        Properties: {DisplayName: !Join [" ", [!Select [0, !GetAZs ""], !Select [2, !Cidr ["10.0.0.0/22", 4, 6]]]]}
    Outputs: {Name: {Value: !GetAtt Topic.TopicName}}
    """
    stacks.create_stack(StackName="one", TemplateBody=body)
    (topic,) = accounts.client("sns", region="us-east-1").list_topics()["Topics"]
    attributes: dict[str, Any] = accounts.client("sns", region="us-east-1").get_topic_attributes(**topic)["Attributes"]
    assert attributes["DisplayName"] == "us-east-1a 10.0.0.128/26"
