"""Scaling as AWS answers for it, where the embedded cloud does not."""

from typing import Any

import pytest

from tests.infra.doctor.looking import ACCOUNT, CannedClients, canned, told

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
