"""Who may take on the hub's roles, and what those beside the worker's may do."""

from dataclasses import replace

from tests.policies.row import ALLOWED, DENIED, Row
from tests.policies.table.stacks import (
    EXECUTION,
    HUB_ADMINISTRATOR,
    SCHEDULER,
    SPOKE_ADMINISTRATOR,
    THE_HUB,
    WORKER,
)
from tests.policies.table.worker import ITS_TASK, NEW_ROLE, of_the_hub
from tests.policies.world import HUB, OTHER_SPOKE, REGION, STRANGER, Resource, role, service

ASSUME = "sts:AssumeRole"
TASK_ROLE, EXECUTION_ROLE, SCHEDULER_ROLE = (
    role(THE_HUB, name) for name in ("TaskRole", "ExecutionRole", "SchedulerRole")
)


def tasks(account: str) -> str:
    """What ECS names as the source of a task's role."""
    return f"arn:aws:ecs:{REGION}:{account}:*"


ECS = service("ecs-tasks", "ECS for our tasks", source=tasks(HUB), account=HUB)
ECS_FOR_STRANGERS = service("ecs-tasks", "ECS for another account", source=tasks(STRANGER), account=STRANGER)
LYING_ECS = service("ecs-tasks", "ECS for our tasks of another account", source=tasks(HUB), account=STRANGER)
CONFUSED_ECS = service("ecs-tasks", "ECS for another account's tasks of ours", source=tasks(STRANGER), account=HUB)
EC2 = service("ec2", "an EC2 instance of the hub", source=f"arn:aws:ec2:{REGION}:{HUB}:instance/i-0", account=HUB)
GROUP = f"arn:aws:scheduler:{REGION}:{HUB}:schedule-group/scanhub"
SCHEDULES = service("scheduler", "our schedule", source=GROUP, account=HUB)
OTHER_SCHEDULES = service(
    "scheduler", "another schedule of the hub", source=GROUP.replace("scanhub", "default"), account=HUB
)
LYING_SCHEDULES = service("scheduler", "our schedule for another account", source=GROUP, account=STRANGER)
STRANGE_SCHEDULES = service(
    "scheduler", "another account's schedule", source=GROUP.replace(HUB, STRANGER), account=STRANGER
)

IMAGE = of_the_hub(f"arn:aws:ecr:{REGION}:{HUB}:repository/scanhub", "the worker's image")
OTHER_IMAGE = of_the_hub(f"arn:aws:ecr:{REGION}:{HUB}:repository/payroll", "another image")
SHARED = Resource(
    name="the worker's image in an account of the organization",
    arn=f"arn:aws:ecr:{REGION}:{OTHER_SPOKE}:repository/scanhub",
    account=OTHER_SPOKE,
    policy={
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "ecr:*"},
    },
)
STRANGE_IMAGE = replace(
    SHARED,
    name="an image of that name elsewhere",
    arn=SHARED.arn.replace(OTHER_SPOKE, STRANGER),
    account=STRANGER,
)
NO_RESOURCE = of_the_hub("*", "-")
LOG = of_the_hub(
    f"arn:aws:logs:{REGION}:{HUB}:log-group:/scanhub/worker:log-stream:worker/worker/1", "the worker's log"
)
OTHER_LOG = of_the_hub(f"arn:aws:logs:{REGION}:{HUB}:log-group:/payroll:log-stream:1", "another log")
SWEEP_TASK = of_the_hub(f"arn:aws:ecs:{REGION}:{HUB}:task-definition/scanhub-sweep:3", "the sweep's task")
OTHER_TASK = of_the_hub(f"arn:aws:ecs:{REGION}:{HUB}:task-definition/miner:1", "another task")
OURS = {"ecs:cluster": f"arn:aws:ecs:{REGION}:{HUB}:cluster/scanhub"}
NOT_OURS = {"ecs:cluster": f"arn:aws:ecs:{REGION}:{HUB}:cluster/shop"}
TO_ECS = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
TO_LAMBDA = {"iam:PassedToService": "lambda.amazonaws.com"}

ROWS = (
    Row(ECS, ASSUME, TASK_ROLE, ALLOWED, "the task"),
    Row(ECS, ASSUME, EXECUTION_ROLE, ALLOWED, "the task's start"),
    Row(ECS_FOR_STRANGERS, ASSUME, TASK_ROLE, DENIED, "no confused deputy"),
    Row(ECS_FOR_STRANGERS, ASSUME, EXECUTION_ROLE, DENIED, "no confused deputy"),
    Row(LYING_ECS, ASSUME, TASK_ROLE, DENIED, "source and account must both be ours"),
    Row(CONFUSED_ECS, ASSUME, TASK_ROLE, DENIED, "source and account must both be ours"),
    Row(EC2, ASSUME, TASK_ROLE, DENIED, "no other service"),
    Row(HUB_ADMINISTRATOR, ASSUME, TASK_ROLE, DENIED, "not even the account's own people"),
    Row(SPOKE_ADMINISTRATOR, ASSUME, TASK_ROLE, DENIED, "least of all a member account"),
    Row(EXECUTION, ASSUME, TASK_ROLE, DENIED, "nor the role beside it"),
    Row(SCHEDULES, ASSUME, SCHEDULER_ROLE, ALLOWED, "the sweep"),
    Row(OTHER_SCHEDULES, ASSUME, SCHEDULER_ROLE, DENIED, "our group of schedules only"),
    Row(LYING_SCHEDULES, ASSUME, SCHEDULER_ROLE, DENIED, "source and account must both be ours"),
    Row(STRANGE_SCHEDULES, ASSUME, SCHEDULER_ROLE, DENIED, "no confused deputy"),
    Row(WORKER, ASSUME, SCHEDULER_ROLE, DENIED, "the worker starts no tasks"),
    # ---- the execution role
    Row(EXECUTION, "ecr:GetAuthorizationToken", NO_RESOURCE, ALLOWED, "signs in to ECR"),
    Row(EXECUTION, "ecr:BatchGetImage", IMAGE, ALLOWED, "pulls the image"),
    Row(EXECUTION, "ecr:GetDownloadUrlForLayer", SHARED, ALLOWED, "also from an account of the organization"),
    Row(EXECUTION, "ecr:BatchGetImage", STRANGE_IMAGE, DENIED, "no code from outside the organization"),
    Row(EXECUTION, "ecr:BatchGetImage", OTHER_IMAGE, DENIED, "no other image"),
    Row(EXECUTION, "ecr:PutImage", IMAGE, DENIED, "it cannot replace what it runs"),
    Row(EXECUTION, "logs:PutLogEvents", LOG, ALLOWED, "writes the log"),
    Row(EXECUTION, "logs:PutLogEvents", OTHER_LOG, DENIED, "no other log"),
    Row(EXECUTION, "logs:DeleteLogStream", LOG, DENIED, "and deletes nothing"),
    Row(EXECUTION, "secretsmanager:GetSecretValue", of_the_hub(THE_HUB.ref("QualysSecret"), "the token"), DENIED, "no"),
    # ---- the scheduler's role
    Row(SCHEDULER, "ecs:RunTask", SWEEP_TASK, ALLOWED, "starts the sweep", OURS),
    Row(SCHEDULER, "ecs:RunTask", SWEEP_TASK, DENIED, "in our cluster only", NOT_OURS),
    Row(SCHEDULER, "ecs:RunTask", OTHER_TASK, DENIED, "no other task", OURS),
    Row(SCHEDULER, "iam:PassRole", TASK_ROLE, ALLOWED, "the sweep's task runs with it", TO_ECS),
    Row(SCHEDULER, "iam:PassRole", EXECUTION_ROLE, ALLOWED, "and starts with it", TO_ECS),
    Row(SCHEDULER, "iam:PassRole", TASK_ROLE, DENIED, "to ECS only", TO_LAMBDA),
    Row(SCHEDULER, "iam:PassRole", NEW_ROLE, DENIED, "no other role", TO_ECS),
    Row(SCHEDULER, "ecs:StopTask", ITS_TASK, DENIED, "it starts and nothing else"),
)
