"""Stacks and change sets: what the tests of the rollout rely on, held against what AWS documents."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.accounts import Accounts

TEMPLATE = """
Parameters:
  Wait: {Type: Number, Default: 0, MaxValue: 20}
  Fail: {Type: String, Default: 'no', AllowedValues: ['yes', 'no']}
  Names: {Type: CommaDelimitedList, Default: ''}
  Secret: {Type: String, NoEcho: true, Default: hush, AllowedPattern: '[a-z]+'}
Rules:
  FailureNeedsNames:
    RuleCondition: !Equals [!Ref Fail, 'yes']
    Assertions: [{Assert: !Not [!Contains [!Ref Names, '']], AssertDescription: Fail needs Names.}]
Conditions:
  Fails: !Equals [!Ref Fail, 'yes']
  Named: !Not [!Equals [!Join ['', !Ref Names], '']]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: orders, ReceiveMessageWaitTimeSeconds: !Ref Wait}
  Extra: {Type: AWS::SQS::Queue, Condition: Named, Properties: {QueueName: extra}}
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate
    Properties:
      TableName: ledger
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Topic:
    Type: AWS::SNS::Topic
    DependsOn: [Queue, Table, Extra]
    Properties:
      TopicName: !If [Fails, 'not a name!', fine]
      DisplayName: !If [Named, !Select [0, !Ref Names], !Ref 'AWS::NoValue']
Outputs:
  Url: {Value: !Ref Queue}
"""
CIRCLE = """
Resources:
  A: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt B.TopicName}}
  B: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref A}}
"""
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def given(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


class Stacks:
    """CloudFormation with one template."""

    def __init__(self, accounts: Accounts) -> None:
        self.client = accounts.client("cloudformation")
        self.queues = accounts.client("sqs")
        self.tables = accounts.client("dynamodb")

    def change(self, kind: str, stack: str = "orders", name: str = "rollout", **parameters: str) -> dict[str, Any]:
        self.client.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateBody=TEMPLATE,
            Parameters=given(**parameters),
        )
        described: dict[str, Any] = self.client.describe_change_set(StackName=stack, ChangeSetName=name)
        return described

    def execute(self, stack: str = "orders", name: str = "rollout") -> None:
        self.client.execute_change_set(StackName=stack, ChangeSetName=name)

    def described(self, stack: str = "orders") -> dict[str, Any]:
        (found,) = self.client.describe_stacks(StackName=stack)["Stacks"]
        answer: dict[str, Any] = found
        return answer

    def events(self, stack: str = "orders") -> list[tuple[str, str]]:
        events = self.client.describe_stack_events(StackName=stack)["StackEvents"]
        return [(one["LogicalResourceId"], one["ResourceStatus"]) for one in reversed(events)]

    def names(self) -> list[str]:
        return [url.rpartition("/")[2] for url in self.queues.list_queues().get("QueueUrls", [])]


@pytest.fixture
def stacks(accounts: Accounts) -> Stacks:
    return Stacks(accounts)


def changes(change_set: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    found = (one["ResourceChange"] for one in change_set["Changes"])
    return [(one["Action"], one["LogicalResourceId"], one.get("Replacement")) for one in found]


def test_a_stack_is_made_by_a_change_set_and_has_its_outputs(stacks: Stacks) -> None:
    change_set = stacks.change("CREATE")
    assert (change_set["Status"], change_set["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert {name for _, name, _ in changes(change_set)} == {"Queue", "Table", "Topic"}
    assert stacks.described()["StackStatus"] == "REVIEW_IN_PROGRESS"
    stacks.execute()
    stack = stacks.described()
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"].endswith("/orders")
    shown = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert shown == {"Wait": "0", "Fail": "no", "Names": "", "Secret": "****"}


def test_two_stacks_may_have_change_sets_of_one_name(stacks: Stacks) -> None:
    one, two = stacks.change("CREATE", "one"), stacks.change("CREATE", "two")
    assert one["StackName"] != two["StackName"]
    listed = stacks.client.list_change_sets(StackName="one")["Summaries"]
    assert [item["StackName"] for item in listed] == ["one"]


def test_a_change_of_a_parameter_shows_what_it_changes_and_changes_it(stacks: Stacks) -> None:
    stacks.change("CREATE")
    stacks.execute()
    change_set = stacks.change("UPDATE", name="longer", Wait="7", Names="first,second")
    assert set(changes(change_set)) == {
        ("Modify", "Queue", "False"),
        ("Add", "Extra", None),
        ("Modify", "Topic", "False"),
    }
    (detail,) = next(
        one["ResourceChange"]["Details"]
        for one in change_set["Changes"]
        if one["ResourceChange"]["LogicalResourceId"] == "Queue"
    )
    assert detail["Target"]["Name"] == "ReceiveMessageWaitTimeSeconds"
    stacks.execute(name="longer")
    url = stacks.queues.get_queue_url(QueueName="orders")["QueueUrl"]
    attributes = stacks.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ReceiveMessageWaitTimeSeconds"] == "7"
    back = stacks.change("UPDATE", name="back")
    assert ("Remove", "Extra", None) in changes(back)
    stacks.execute(name="back")
    assert stacks.names() == ["orders"]


def test_no_changes_is_a_failed_change_set_that_cannot_be_executed(stacks: Stacks) -> None:
    stacks.change("CREATE")
    stacks.execute()
    change_set = stacks.change("UPDATE", name="nothing")
    assert (change_set["Status"], change_set["StatusReason"]) == ("FAILED", NO_CHANGES)
    assert change_set["ExecutionStatus"] == "UNAVAILABLE"
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        stacks.execute(name="nothing")
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stacks.client.update_stack(StackName="orders", TemplateBody=TEMPLATE)


def test_an_executed_change_set_makes_the_others_void(stacks: Stacks) -> None:
    stacks.change("CREATE")
    stacks.execute()
    stacks.change("UPDATE", name="one", Wait="1")
    stacks.change("UPDATE", name="two", Wait="2")
    stacks.execute(name="two")
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        stacks.client.describe_change_set(StackName="orders", ChangeSetName="one")
    stacks.client.delete_change_set(StackName="orders", ChangeSetName="never-was")


def test_a_failed_creation_is_rolled_back_and_says_why(stacks: Stacks) -> None:
    stacks.change("CREATE", Fail="yes", Names="some")
    stacks.execute()
    stack = stacks.described()
    assert (stack["StackStatus"], stack.get("Outputs")) == ("ROLLBACK_COMPLETE", None)
    events = stacks.events()
    assert events.index(("Topic", "CREATE_FAILED")) < events.index(("orders", "ROLLBACK_IN_PROGRESS"))
    assert ("Table", "DELETE_COMPLETE") in events
    assert (stacks.names(), stacks.tables.list_tables()["TableNames"]) == ([], [])
    for refused in (stacks.client.update_stack, stacks.client.create_stack):
        with pytest.raises(ClientError, match=r"ROLLBACK_COMPLETE state|already exists"):
            refused(StackName="orders", TemplateBody=TEMPLATE)
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE"):
        stacks.change("UPDATE", name="again")
    stacks.client.delete_stack(StackName="orders")
    stacks.change("CREATE")
    stacks.execute()
    assert stacks.described()["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(("wanted", "left"), [("DELETE", []), ("DO_NOTHING", ["CREATE_FAILED"])])
@pytest.mark.parametrize("by_change_set", [True, False])
def test_a_failed_creation_does_what_it_is_told_to(
    stacks: Stacks,
    wanted: str,
    left: list[str],
    by_change_set: bool,  # a parameter
) -> None:
    arguments = {"StackName": "orders", "TemplateBody": TEMPLATE, "Parameters": given(Fail="yes", Names="some")}
    if by_change_set:
        stacks.client.create_change_set(
            ChangeSetName="rollout", ChangeSetType="CREATE", OnStackFailure=wanted, **arguments
        )
        stacks.execute()
    else:
        stacks.client.create_stack(OnFailure=wanted, **arguments)
    assert [one["StackStatus"] for one in stacks.client.describe_stacks()["Stacks"]] == left
    assert bool(stacks.names()) is bool(left)


def test_a_failed_update_goes_back_to_what_was(stacks: Stacks) -> None:
    stacks.change("CREATE", Wait="3")
    stacks.execute()
    change_set = stacks.change("UPDATE", name="bad", Wait="9", Fail="yes", Names="some")
    assert ("Modify", "Topic", "True") in changes(change_set)
    stacks.execute(name="bad")
    assert stacks.described()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.names() == ["orders"]
    url = stacks.queues.get_queue_url(QueueName="orders")["QueueUrl"]
    attributes = stacks.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["ReceiveMessageWaitTimeSeconds"] == "3"
    assert stacks.change("UPDATE", name="good", Wait="4")["Status"] == "CREATE_COMPLETE"


def test_previous_values_may_be_defaults(stacks: Stacks) -> None:
    stacks.change("CREATE", Wait="3")
    stacks.execute()
    previous = [{"ParameterKey": key, "UsePreviousValue": True} for key in ("Wait", "Secret", "Names")]
    stacks.client.update_stack(
        StackName="orders", UsePreviousTemplate=True, Parameters=previous, Tags=[{"Key": "team", "Value": "orders"}]
    )
    assert {one["ParameterKey"]: one["ParameterValue"] for one in stacks.described()["Parameters"]}["Wait"] == "3"


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"Wait": "21"}, "'Wait' must be a number not greater than 20"),
        ({"Wait": "soon"}, "'Wait' must be a number"),
        ({"Fail": "perhaps"}, "must be one of AllowedValues"),
        ({"Secret": "UPPER"}, "Secret failed to satisfy constraint"),
        ({"Unknown": "x"}, r"Parameters: \[Unknown\] do not exist in the template"),
        ({"Fail": "yes"}, "Fail needs Names"),
    ],
)
def test_what_the_template_does_not_allow_is_refused_before_anything_is_made(
    stacks: Stacks, parameters: dict[str, str], fault: str
) -> None:
    with pytest.raises(ClientError, match=fault):
        stacks.client.create_stack(StackName="orders", TemplateBody=TEMPLATE, Parameters=given(**parameters))
    assert stacks.client.describe_stacks()["Stacks"] == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (
            "Resources: {Trail: {Type: AWS::CloudTrail::Trail}}",
            r"Unrecognized resource types: \[AWS::CloudTrail::Trail\]",
        ),
        ("Resources: {A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref B}}}", r"Unresolved resource.*\[B\]"),
        (
            CIRCLE,
            r"Circular dependency between resources: \[A, B\]",
        ),
        (f"Description: {'x' * 51_200}\nResources: {{A: {{Type: AWS::SQS::Queue}}}}", "less than or equal to 51200"),
        (
            "Resources: {A: {Type: AWS::IAM::Role, Properties: {RoleName: a, AssumeRolePolicyDocument: {}}}}",
            "InsufficientCapabilities.*CAPABILITY_NAMED_IAM",
        ),
    ],
)
def test_a_template_that_cannot_be_is_refused(stacks: Stacks, body: str, fault: str) -> None:
    with pytest.raises(ClientError, match=fault):
        stacks.client.create_stack(StackName="orders", TemplateBody=body)
    assert stacks.client.describe_stacks()["Stacks"] == []


def test_a_property_that_no_mend_heeds_fails_the_resource(stacks: Stacks) -> None:
    body = "Resources: {Key: {Type: AWS::KMS::Key, Properties: {BypassPolicyLockoutSafetyCheck: true}}}"
    stacks.client.create_stack(StackName="orders", TemplateBody=body)
    (failed,) = [
        one["ResourceStatusReason"]
        for one in stacks.client.describe_stack_events(StackName="orders")["StackEvents"]
        if one["ResourceStatus"] == "CREATE_FAILED"
    ]
    assert failed == "the embedded cloud knows no BypassPolicyLockoutSafetyCheck of AWS::KMS::Key"


@pytest.mark.parametrize("kind", ["Queue", "Topic"])
def test_what_another_has_made_is_not_taken_over(stacks: Stacks, kind: str, accounts: Accounts) -> None:
    stacks.queues.create_queue(QueueName="mine")
    accounts.client("sns").create_topic(Name="mine")
    service = {"Queue": "SQS", "Topic": "SNS"}[kind]
    body = f"Resources: {{One: {{Type: AWS::{service}::{kind}, Properties: {{{kind}Name: mine}}}}}}"
    stacks.client.create_stack(StackName="orders", TemplateBody=body)
    assert stacks.described()["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stacks.names() == ["mine"]
    assert len(accounts.client("sns").list_topics()["Topics"]) == 1


def test_a_stack_that_is_protected_cannot_be_deleted(stacks: Stacks) -> None:
    stacks.client.create_stack(StackName="orders", TemplateBody=TEMPLATE, EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        stacks.client.delete_stack(StackName="orders")
    assert stacks.described()["StackStatus"] == "CREATE_COMPLETE"
