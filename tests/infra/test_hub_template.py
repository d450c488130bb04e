"""What the hub's template must hold, whatever emulator deploys it: its settings, and what its tasks know."""

import re

import pytest

from hub.settings import PREFIX, Settings
from infra.hub_settings import output_name
from scanhub.command_line import app
from spoke.envelope import MalformedReason
from tests.infra.hub_template import DOCS, HUB, container, environment, only, task
from tests.infra.template import template
from worker.vitals import INTERVAL, STALE

# Settings that the task does not give: the image does, or the default is what is wanted.
LEFT_TO_OTHERS = {
    "accounts_file",
    "bus_arn",
    "external_id",
    "lease_duration",
    "max_attempts",
    "qscanner_command",
    "qscanner_image_command",
    "qscanner_path",
    "qscanner_sha256",
    "sweep_all_tags",
    "sweep_calls_per_second",
    "sweep_places",
    "sweep_retry_hours",
    "visibility_timeout",
}


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
        "bus_arn",
    }
    assert {output_name(name) for name in decided} <= outputs
    others = {"TaskRoleArn", "UndeliveredQueueUrl", "ClusterName", "ServiceName", "SweepScheduleName"}
    assert outputs - {output_name(name) for name in Settings.model_fields} == others


def test_outputs_of_what_may_not_be_there_are_conditional() -> None:
    conditional = {name for name, one in template(HUB)["Outputs"].items() if "Condition" in one}
    assert conditional == {"ClusterName", "ServiceName", "SweepScheduleName"}


def test_the_task_is_given_every_setting_and_none_that_is_unknown() -> None:
    named = {name.removeprefix(PREFIX).lower() for name in environment("scanhub-worker") if name.startswith(PREFIX)}
    assert named == set(Settings.model_fields) - LEFT_TO_OTHERS


def test_the_task_and_the_outputs_say_the_same() -> None:
    outputs = template(HUB)["Outputs"]
    given = environment("scanhub-worker")
    for setting in Settings.model_fields:
        # Replays are an operator's work: the tasks have no use for the bus.
        if output_name(setting) in outputs and setting not in {"topic_arn", "bus_arn"}:
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
        if group["Label"]["default"] in {"Scans", "Sweep", "What a scan leaves behind"}:
            assert set(group["Parameters"]) - {"EnableSNSNotifications", "BulkScanSchedule"} <= told


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
        "exclude_accounts",
        "sweep_regions",
        "sweep_versions",
        "sweep_per_minute",
        "change_target",
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
    assert sweep["Command"] == ["sweep", "--metrics"]
    assert sweep["Image"] == worker["Image"] == {"Ref": "ScannerImageUri"}
    assert environment("scanhub-sweep").items() <= environment("scanhub-worker").items()
    needed = {f"{PREFIX}{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    freshness = {"SCANHUB_CACHE_TTL_DAYS", "SCANHUB_QSCANNER_MODE", "SCANHUB_SCAN_TYPES", "SCANHUB_SWEEP_QUEUE_URL"}
    given = {name for name in environment("scanhub-worker") if re.match("SCANHUB_(SWEEP|EXCLU|RESULTS)", name)}
    assert len(given) == 10
    assert needed | freshness | given <= environment("scanhub-sweep").keys()
    for key in ("TaskRoleArn", "ExecutionRoleArn", "RuntimePlatform", "Volumes"):
        assert task("scanhub-sweep")[key] == task("scanhub-worker")[key]


def test_what_the_tasks_begin_with_is_a_command() -> None:
    known = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    for family in ("scanhub-worker", "scanhub-sweep"):
        assert container(family)["Command"][0] in known


def test_the_events_reference_names_every_reason_to_park_a_body() -> None:
    page = (DOCS / "events.md").read_text()
    assert not [reason for reason in MalformedReason if f"`{reason}`" not in page]
