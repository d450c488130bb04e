"""Trails, StackSets, scaling and alarms as AWS answers for them, where the embedded cloud does not."""

import json
from typing import Any

import pytest
from botocore.stub import ANY

from hub.diagnosis import Verdict
from infra.doctor import spokes
from tests.infra.doctor.looking import ACCOUNT, KEY, REGION, CannedClients, canned, look, told

TRAIL = f"arn:aws:cloudtrail:{REGION}:111111111111:trail/organization"
ALL_EVENTS = {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}]}


def advanced(**fields: dict[str, list[str]]) -> dict[str, Any]:
    selectors = [{"Field": name, **how} for name, how in fields.items()]
    return {"AdvancedEventSelectors": [{"Name": "management", "FieldSelectors": selectors}]}


MANAGEMENT = {"eventCategory": {"Equals": ["Management"]}}


def trail(**changes: Any) -> dict[str, Any]:
    return {
        "Name": "organization",
        "TrailARN": TRAIL,
        "HomeRegion": REGION,
        "IsMultiRegionTrail": True,
        "IsOrganizationTrail": True,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "is_logging", "selectors", "verdict", "words"),
    [
        ({}, True, ALL_EVENTS, "ok", "in all regions"),
        ({}, True, advanced(**MANAGEMENT), "ok", "in all regions"),
        ({}, True, advanced(**MANAGEMENT, readOnly={"Equals": ["false"]}), "ok", "in all regions"),
        ({}, True, advanced(**MANAGEMENT, eventSource={"NotEquals": ["kms.amazonaws.com"]}), "ok", "in all regions"),
        ({}, True, advanced(**MANAGEMENT, readOnly={"Equals": ["true"]}), "failed", "does not log management events"),
        (
            {},
            True,
            advanced(**MANAGEMENT, eventSource={"NotEquals": ["lambda.amazonaws.com"]}),
            "failed",
            "does not log management events",
        ),
        ({}, True, advanced(eventCategory={"Equals": ["Data"]}), "failed", "does not log management events"),
        ({}, True, advanced(**MANAGEMENT, eventSource={"Equals": ["iam.amazonaws.com"]}), "failed", "does not log"),
        ({}, True, advanced(**MANAGEMENT, eventSource={"NotStartsWith": ["lambda."]}), "failed", "does not log"),
        ({}, True, advanced(**MANAGEMENT, readOnly={"NotEquals": ["false"]}), "failed", "does not log"),
        ({}, True, advanced(**MANAGEMENT, eventType={"Equals": ["AwsApiCall"]}), "ok", "in all regions"),
        # As get-event-selectors answers for a trail that nobody has given any.
        ({}, True, {"EventSelectors": [{"DataResources": []}]}, "ok", "in all regions"),
        ({}, False, None, "failed", "it does not log"),
        ({"IsMultiRegionTrail": False}, None, None, "failed", "not of all regions"),
        ({"IsOrganizationTrail": False}, True, ALL_EVENTS, "warning", "this account alone"),
    ],
)
def test_a_trail(
    changes: dict[str, Any], is_logging: bool | None, selectors: dict[str, Any] | None, verdict: str, words: str
) -> None:
    clients = CannedClients()
    clients.answer(
        "cloudtrail", "describe_trails", {"trailList": [trail(**changes)]}, asked={"includeShadowTrails": True}
    )
    if is_logging is not None:
        clients.answer("cloudtrail", "get_trail_status", {"IsLogging": is_logging}, asked={"Name": TRAIL})
    if selectors is not None:
        clients.answer("cloudtrail", "get_event_selectors", selectors, asked={"TrailName": TRAIL})
    [(found, reason)] = told(canned(clients), "organization-trail")
    assert found == verdict
    assert words in reason
    clients.all_asked()


def test_a_trail_of_the_organization_that_a_member_may_not_look_into_leaves_it_open() -> None:
    clients = CannedClients()
    own = trail(Name="own", IsOrganizationTrail=False)
    clients.answer("cloudtrail", "describe_trails", {"trailList": [trail(), own]})
    clients.refuse("cloudtrail", "get_trail_status", "AccessDeniedException", "not yours")
    clients.answer("cloudtrail", "get_trail_status", {"IsLogging": True})
    clients.answer("cloudtrail", "get_event_selectors", ALL_EVENTS)
    [check] = look(canned(clients), "organization-trail")
    assert (check.verdict, check.subject) == (Verdict.UNKNOWN, "organization")
    assert "management account" in check.fix


def test_an_odd_answer_for_one_trail_leaves_the_others_to_serve() -> None:
    clients = CannedClients()
    other = trail(Name="audit", TrailARN=TRAIL + "-audit")
    clients.answer("cloudtrail", "describe_trails", {"trailList": [trail(), other]})
    clients.refuse("cloudtrail", "get_trail_status", "UnsupportedOperationException", "not from here")
    clients.answer("cloudtrail", "get_trail_status", {"IsLogging": True})
    clients.answer("cloudtrail", "get_event_selectors", ALL_EVENTS)
    [check] = look(canned(clients), "organization-trail")
    assert (check.verdict, check.subject) == (Verdict.OK, "audit")


def organization(clients: CannedClients, *, account: str = ACCOUNT, times: int = 1) -> None:
    for _ in range(times):
        clients.answer(
            "sts", "get_caller_identity", {"Account": account, "Arn": f"arn:aws:sts::{account}:assumed-role/Audit/me"}
        )
        clients.answer(
            "organizations",
            "describe_organization",
            {"Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": "111111111111", "FeatureSet": "ALL"}},
        )
        clients.answer(
            "organizations",
            "list_delegated_administrators",
            {"DelegatedAdministrators": [{"Id": ACCOUNT}]},
        )


def instance(account: str, region: str = REGION, **changes: Any) -> dict[str, Any]:
    return {
        "StackSetId": "scanhub-spoke:1f",
        "Account": account,
        "Region": region,
        "Status": "CURRENT",
        "StackInstanceStatus": {"DetailedStatus": "SUCCEEDED"},
        **changes,
    }


def stack(name: str, **changes: Any) -> dict[str, Any]:
    arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/1"
    return {"StackName": name, "StackId": arn, "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", **changes}


def no_own_spoke(clients: CannedClients) -> None:
    clients.refuse("cloudformation", "describe_stacks", "ValidationError", "Stack with id scanhub-spoke does not exist")


def stack_set_instances(clients: CannedClients, primary: list[Any], others: list[Any] | None = None) -> None:
    for name, summaries in (("scanhub-spoke", primary), ("scanhub-spoke-regions", others)):
        asked = {"StackSetName": name, "CallAs": "DELEGATED_ADMIN", "MaxResults": ANY}
        if summaries is None:
            clients.refuse("cloudformation", "list_stack_instances", "StackSetNotFoundException")
        else:
            clients.answer("cloudformation", "list_stack_instances", {"Summaries": summaries}, asked=asked)


def test_spokes_that_are_current_are_asked_for_once() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    stack_set_instances(
        clients, [instance("210000000001"), instance("210000000002")], [instance("210000000002", "us-east-1")]
    )
    hub = canned(clients)
    assert told(hub, "spoke-stacks") == [("ok", "2 accounts in eu-central-1, us-east-1")]
    assert spokes.targets(hub) == (("210000000001", "210000000002"), (REGION, "us-east-1"))
    clients.all_asked()


def test_a_spoke_that_is_behind_is_told_with_its_reason_also_in_the_other_regions() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    reason = "ResourceLogicalId:ForwardRule, ResourceStatusReason: explicit deny in a service control policy"
    behind = instance("210000000002", "us-east-1", Status="OUTDATED", StatusReason=reason)
    lame = instance("210000000002", "us-west-2", Status="INOPERABLE", StatusReason="User: nobody")
    stack_set_instances(clients, [instance("210000000001"), instance("210000000002")], [behind, lame])
    [check] = look(canned(clients), "spoke-stacks")
    assert (check.verdict, check.subject) == (Verdict.FAILED, "210000000002")
    assert check.reason == f"OUTDATED in us-east-1, us-west-2: {reason}"
    assert check.evidence == ("us-west-2: INOPERABLE User: nobody",)


def test_a_suspended_account_is_no_fault_and_one_under_way_a_warning() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    suspended: dict[str, Any] = {
        "Status": "OUTDATED",
        "StackInstanceStatus": {"DetailedStatus": "SKIPPED_SUSPENDED_ACCOUNT"},
    }
    stack_set_instances(clients, [instance("210000000001"), instance("210000000002", **suspended)])
    hub = canned(clients)
    assert told(hub, "spoke-stacks") == [("ok", f"2 accounts in {REGION}; 1 of them suspended")]
    assert spokes.targets(hub) == (("210000000001",), (REGION,))
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    running: dict[str, Any] = {"Status": "OUTDATED", "StackInstanceStatus": {"DetailedStatus": "RUNNING"}}
    stack_set_instances(clients, [instance("210000000001", **running)])
    assert told(canned(clients), "spoke-stacks") == [("warning", f"being deployed in {REGION}")]


def test_no_stack_set_and_one_that_may_not_be_seen() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    clients.refuse("cloudformation", "list_stack_instances", "StackSetNotFoundException")
    clients.refuse("cloudformation", "list_stack_instances", "StackSetNotFoundException")
    assert told(canned(clients), "spoke-stacks")[0][0] == "failed"
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    clients.refuse("cloudformation", "list_stack_instances", "ValidationError", "You must be a delegated admin")
    [(verdict, reason)] = told(canned(clients), "spoke-stacks")
    assert (verdict, "You must be a delegated admin" in reason) == ("unknown", True)


def test_a_single_account_needs_no_stack_set() -> None:
    clients = CannedClients()
    clients.answer("cloudformation", "describe_stacks", {"Stacks": [stack("scanhub-spoke")]})
    organization(clients)
    for _ in spokes.STACK_SETS:
        clients.refuse("cloudformation", "list_stack_instances", "StackSetNotFoundException")
    hub = canned(clients)
    [check] = look(hub, "spoke-stacks")
    assert (check.verdict, check.subject) == (Verdict.OK, "scanhub-spoke")
    assert told(hub, "spoke-accounts") == [("ok", "hub and spoke share this account; there is no StackSet")]
    assert spokes.targets(hub) == ((ACCOUNT,), (REGION,))


def test_a_single_account_that_may_not_ask_for_stack_sets_needs_none_either() -> None:
    clients = CannedClients()
    broken = stack("scanhub-spoke", StackStatus="UPDATE_ROLLBACK_FAILED", StackStatusReason="no")
    clients.answer("cloudformation", "describe_stacks", {"Stacks": [broken]})
    organization(clients)
    # What was refused is asked again, the organization is not.
    for _ in range(3):
        clients.refuse("cloudformation", "list_stack_instances", "ValidationError", "You must be a delegated admin")
    hub = canned(clients)
    assert told(hub, "spoke-stacks") == [("failed", "UPDATE_ROLLBACK_FAILED: no")]
    assert told(hub, "spoke-accounts")[0][0] == "ok"
    assert spokes.targets(hub) == ((ACCOUNT,), (REGION,))
    clients.all_asked()


def test_an_account_without_a_spoke_and_one_without_a_region() -> None:
    clients = CannedClients()
    no_own_spoke(clients)
    organization(clients)
    stack_set_instances(
        clients, [instance("210000000001"), instance("210000000004")], [instance("210000000001", "us-east-1")]
    )
    accounts = [
        {"Id": one, "Name": name, "Status": status}
        for one, name, status in (
            ("111111111111", "management", "ACTIVE"),
            ("210000000001", "shop", "ACTIVE"),
            ("210000000002", "billing", "ACTIVE"),
            ("210000000003", "closed", "SUSPENDED"),
            ("210000000004", "joined", "ACTIVE"),
        )
    ]
    clients.answer("organizations", "list_accounts", {"Accounts": accounts})
    checks = look(canned(clients), "spoke-accounts")
    assert [(check.verdict, check.subject, check.reason) for check in checks] == [
        (Verdict.WARNING, "210000000002", "billing has no spoke"),
        (Verdict.WARNING, "210000000004", "joined has no spoke in us-east-1"),
    ]


TARGET = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/scanhub/scanhub-worker",
    "ScalableDimension": "ecs:service:DesiredCount",
    "MinCapacity": 1,
    "MaxCapacity": 10,
    "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/ecs-scaling",
    "CreationTime": 0,
}
POLICY = {
    "PolicyARN": "arn:aws:autoscaling:x",
    "PolicyName": "scanhub-backlog",
    "ServiceNamespace": "ecs",
    "ResourceId": "service/scanhub/scanhub-worker",
    "ScalableDimension": "ecs:service:DesiredCount",
    "PolicyType": "TargetTrackingScaling",
    "CreationTime": 0,
}


STEPS = {**POLICY, "PolicyARN": "arn:aws:autoscaling:steps", "PolicyName": "scanhub-wait", "PolicyType": "StepScaling"}
ALARM = {"AlarmName": "scanhub-scaling", "ActionsEnabled": True, "AlarmActions": ["arn:aws:autoscaling:steps"]}


@pytest.mark.parametrize(
    ("targets", "policies", "alarms", "verdict", "words"),
    [
        ([TARGET], [POLICY, STEPS], [ALARM], "ok", "1 to 10 tasks by scanhub-backlog, scanhub-wait"),
        ([], [], None, "failed", "not registered"),
        ([TARGET], [], None, "failed", "no scaling policy scanhub-backlog nor scanhub-wait"),
        # From zero tasks on it alone adds one.
        ([TARGET], [POLICY], None, "failed", "no scaling policy scanhub-wait"),
        ([TARGET], [POLICY, STEPS], [], "failed", "there is no alarm scanhub-scaling"),
        ([TARGET], [POLICY, STEPS], [{**ALARM, "ActionsEnabled": False}], "failed", "does not call scanhub-wait"),
        ([TARGET], [POLICY, STEPS], [{**ALARM, "AlarmActions": []}], "failed", "does not call scanhub-wait"),
        (
            [{**TARGET, "SuspendedState": {"DynamicScalingOutSuspended": True}}],
            [POLICY, STEPS],
            None,
            "failed",
            "DynamicScalingOutSuspended",
        ),
    ],
)
def test_scaling(targets: list[Any], policies: list[Any], alarms: list[Any] | None, verdict: str, words: str) -> None:
    clients = CannedClients()
    clients.answer("application-autoscaling", "describe_scalable_targets", {"ScalableTargets": targets})
    clients.answer("application-autoscaling", "describe_scaling_policies", {"ScalingPolicies": policies})
    if alarms is not None:
        clients.answer("cloudwatch", "describe_alarms", {"MetricAlarms": alarms})
    [(found, reason)] = told(canned(clients), "scaling")
    assert found == verdict
    assert words in reason
    clients.all_asked()


def test_the_alarm_that_adds_tasks_goes_off_in_good_health() -> None:
    clients = CannedClients()
    found = [
        {"AlarmName": "scanhub-scaling", "StateValue": "ALARM", "StateReason": "Threshold Crossed"},
        {"AlarmName": "scanhub-oldest-change", "StateValue": "OK", "ActionsEnabled": True},
    ]
    clients.answer("cloudwatch", "describe_alarms", {"MetricAlarms": found})
    assert told(canned(clients), "alarms") == [("ok", "2 alarms, all quiet")]


TOPIC_POLICY = json.dumps(
    {"Statement": {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}}
)


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        (KEY, "ok"),
        (KEY.rsplit("/", 1)[-1], "ok"),
        ("alias/scanhub", "ok"),
        # AWS's own key: its policy lets no alarm use it, and cannot be changed.
        ("alias/aws/sns", "failed"),
        ("", "failed"),
    ],
)
def test_a_topic_under_a_key_that_alarms_may_not_use(key: str, verdict: str) -> None:
    clients = CannedClients()
    attributes = {"Policy": TOPIC_POLICY, **({"KmsMasterKeyId": key} if key else {})}
    clients.answer("sns", "get_topic_attributes", {"Attributes": attributes})
    assert told(canned(clients), "topic")[0][0] == verdict


def test_who_was_unsubscribed_a_moment_ago_hears_nothing() -> None:
    clients = CannedClients()
    gone = {"SubscriptionArn": "Deleted", "Protocol": "email", "Endpoint": "a@b.example"}
    clients.answer("sns", "list_subscriptions_by_topic", {"Subscriptions": [gone]})
    assert told(canned(clients), "subscriptions") == [("warning", "nobody is subscribed")]


@pytest.mark.parametrize(
    ("schedules", "wanted", "expected"),
    [
        ([], "", ("ok", "no schedule, as the hub was deployed (BulkScanSchedule is empty)")),
        ([], "rate(1 day)", ("failed", "the hub was deployed with the schedule rate(1 day), and there is none")),
        ([{"Name": "scanhub-sweep", "State": "ENABLED"}], "rate(1 day)", ("ok", "enabled: rate(1 day)")),
        ([{"Name": "scanhub-sweep", "State": "DISABLED"}], "rate(1 day)", ("warning", "its state is DISABLED")),
    ],
)
def test_the_sweeps_schedule(schedules: list[Any], wanted: str, expected: tuple[str, str]) -> None:
    clients = CannedClients()
    clients.answer("scheduler", "list_schedules", {"Schedules": schedules})
    hub = canned(clients)
    object.__setattr__(hub.stack, "parameters", {**hub.stack.parameters, "BulkScanSchedule": wanted})
    assert told(hub, "sweep-schedule") == [expected]


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        ('{"redrivePermission": "denyAll"}', "failed"),
        (
            '{"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:eu-central-1:123456789012:other"]}',
            "failed",
        ),
        (
            (
                '{"redrivePermission": "byQueue", '
                '"sourceQueueArns": ["arn:aws:sqs:eu-central-1:123456789012:scanhub-changes"]}'
            ),
            "ok",
        ),
        ("", "ok"),
    ],
)
def test_a_dead_letter_queue_must_take_what_is_handed_to_it(policy: str, verdict: str) -> None:
    clients = CannedClients()
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
    redrive = f'{{"deadLetterTargetArn": "{arn}:scanhub-changes-dlq", "maxReceiveCount": 1000}}'
    clients.answer("sqs", "get_queue_attributes", {"Attributes": {"RedrivePolicy": redrive}})
    clients.answer("sqs", "get_queue_attributes", {"Attributes": {"RedriveAllowPolicy": policy} if policy else {}})
    clients.answer("sqs", "get_queue_attributes", {"Attributes": {}})
    first, second = told(canned(clients), "queue-redrive")
    assert first[0] == verdict
    assert second == ("failed", "its dead-letter queue is none")


def test_the_archive_and_the_ledger_in_other_states() -> None:
    clients = CannedClients()
    clients.refuse("events", "describe_archive", "ResourceNotFoundException")
    clients.answer("events", "describe_archive", {"State": "DISABLED", "StateReason": "key", "RetentionDays": 14})
    clients.answer("events", "describe_archive", {"State": "ENABLED", "RetentionDays": 0})
    hub = canned(clients)
    assert told(hub, "bus-archive") == [("warning", "there is no archive of that name")]
    assert told(hub, "bus-archive") == [("warning", "its state is DISABLED: key")]
    assert told(hub, "bus-archive") == [("ok", "keeps all")]
    for table, words in (
        ({"TableStatus": "ARCHIVED"}, "ARCHIVED"),
        ({"TableStatus": "ACTIVE", "SSEDescription": {"KMSMasterKeyArn": "arn:aws:kms:x:1:key/other"}}, "other"),
        ({"TableStatus": "ACTIVE"}, "not one of KMS"),
    ):
        clients.answer("dynamodb", "describe_table", {"Table": table})
        [(verdict, reason)] = told(hub, "ledger")
        assert (verdict, words in reason) == ("failed", True)


def test_a_secret_that_may_not_be_read_or_is_about_to_go() -> None:
    clients = CannedClients()
    clients.answer("secretsmanager", "describe_secret", {"Name": "scanhub/qualys"})
    clients.refuse("secretsmanager", "get_secret_value", "AccessDeniedException", "not you")
    clients.answer("secretsmanager", "describe_secret", {"Name": "scanhub/qualys"})
    clients.refuse("secretsmanager", "get_secret_value", "ResourceNotFoundException", "no value AWSCURRENT")
    clients.answer("secretsmanager", "describe_secret", {"DeletedDate": 1_790_000_000})
    hub = canned(clients)
    assert told(hub, "qualys-secret")[0][0] == "unknown"
    assert told(hub, "qualys-secret") == [("failed", "it is empty")]
    assert told(hub, "qualys-secret") == [("failed", "it is scheduled for deletion")]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("UPDATE_COMPLETE", "ok"),
        ("UPDATE_IN_PROGRESS", "warning"),
        ("UPDATE_ROLLBACK_COMPLETE", "warning"),
        ("ROLLBACK_COMPLETE", "failed"),
        ("UPDATE_ROLLBACK_FAILED", "failed"),
        ("DELETE_FAILED", "failed"),
        ("DELETE_IN_PROGRESS", "failed"),
        ("ROLLBACK_IN_PROGRESS", "failed"),
    ],
)
def test_the_stack_of_the_alarms(status: str, verdict: str) -> None:
    clients = CannedClients()
    described = stack("scanhub-hub-monitoring", StackStatus=status, StackStatusReason="because")
    clients.answer("cloudformation", "describe_stacks", {"Stacks": [described]})
    [(found, reason)] = told(canned(clients), "monitoring-stack")
    assert found == verdict
    assert reason.startswith(status)
