from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from hub.scans import Severity
from hub.settings import PREFIX, Settings, load
from spoke.errors import Misconfigured

CANARY = "canary-5f2a1c9d-external-id"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes"

REQUIRED = {
    "CHANGES_QUEUE_URL": QUEUE,
    "CHANGES_DLQ_URL": f"{QUEUE}-dlq",
    "LEDGER_TABLE": "scanhub-ledger",
    "RESULTS_BUCKET": "scanhub-results-123456789012-eu-central-1",
    "QUALYS_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub/qualys-AbCdEf",
    "EXTERNAL_ID": CANARY,
}

DOCUMENTED = """
CHANGES_QUEUE_URL SWEEP_QUEUE_URL CHANGES_DLQ_URL SWEEP_DLQ_URL LEDGER_TABLE RESULTS_BUCKET TOPIC_ARN QUALYS_SECRET_ARN
SPOKE_ROLE_NAME EXTERNAL_ID EXTERNAL_ID_SECRET_ARN QSCANNER_PATH QSCANNER_SHA256 QSCANNER_COMMAND QSCANNER_MODE
SCAN_TYPES SCAN_TIMEOUT MAX_CONCURRENT_SCANS CACHE_TTL_DAYS ENABLE_TAGGING EXCLUDE_FUNCTIONS EXCLUSION_TAG WORK_DIR
DRAIN_TIMEOUT LOG_LEVEL
"""
"""Names that users and other tools hold on to."""


@dataclass(frozen=True)
class Environment:
    """The process's environment: what is needed, until a test changes it."""

    monkeypatch: pytest.MonkeyPatch

    def set(self, **values: str) -> None:
        for name, value in values.items():
            self.monkeypatch.setenv(f"{PREFIX}{name}", value)

    def clear(self, *names: str) -> None:
        for name in names:
            self.monkeypatch.delenv(f"{PREFIX}{name}")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    one = Environment(monkeypatch)
    one.set(**REQUIRED)
    return one


def faults() -> list[str]:
    """What `load` says, line by line, without its head."""
    with pytest.raises(Misconfigured) as caught:
        load()
    head, *lines = str(caught.value).split("\n")
    assert head == f"{len(lines)} wrong setting{'s' if len(lines) > 1 else ''}:"
    return [line.strip() for line in lines]


@pytest.mark.usefixtures("environment")
class TestDefaults:
    def test_what_is_needed_is_enough(self) -> None:
        settings = load()
        assert settings.changes_queue_url == QUEUE
        assert settings.external_id == SecretStr(CANARY)
        assert settings.spoke_role_name == "scanhub-spoke"
        assert settings.spoke_role_path == "/"
        assert settings.qscanner_path == Path("/opt/qscanner")
        assert settings.qscanner_command == "lambda"
        assert settings.qscanner_mode == "get-report"
        assert settings.scan_types == ("pkg", "secret")
        assert settings.scan_timeout == 3600
        assert settings.cache_ttl_days == 30
        assert settings.enable_tagging is True
        assert settings.exclude_functions == ()
        assert settings.exclusion_tag == "QualysScanExclude"
        assert settings.drain_timeout == 110
        assert settings.log_level == "INFO"
        assert settings.notify_severity is Severity.HIGH
        assert settings.work_dir.is_absolute()
        assert settings.max_concurrent_scans >= 1
        optional = (settings.sweep_queue_url, settings.sweep_dlq_url, settings.topic_arn, settings.qscanner_sha256)
        assert optional == (None,) * 4

    def test_two_scans_a_cpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for cpus, scans in ((4, 8), (1, 2), (None, 2)):
            monkeypatch.setattr("os.cpu_count", lambda cpus=cpus: cpus)
            assert load().max_concurrent_scans == scans

    def test_the_object_is_frozen(self) -> None:
        with pytest.raises(ValidationError):
            load().scan_timeout = 5

    def test_an_empty_variable_is_one_that_is_not_set(self, environment: Environment) -> None:
        environment.set(SCAN_TIMEOUT="", TOPIC_ARN="", EXTERNAL_ID_SECRET_ARN="", SWEEP_QUEUE_URL="")
        assert load().scan_timeout == 3600


class TestNames:
    def test_every_documented_name_is_a_setting(self) -> None:
        assert set(DOCUMENTED.lower().split()) <= set(Settings.model_fields)

    def test_the_reference_describes_every_setting(self) -> None:
        properties = Settings.model_json_schema()["properties"]
        assert set(properties) == set(Settings.model_fields)
        assert all(one["description"].endswith(".") for one in properties.values())


@pytest.mark.usefixtures("environment")
class TestValues:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("checkout-*,  internal-? ,", ("checkout-*", "internal-?")),
            ("[ab]*", ("[ab]*",)),
            ('["looks","like","json"]', ('["looks"', '"like"', '"json"]')),
            ("twice,twice", ("twice",)),
        ],
    )
    def test_comma_lists(self, environment: Environment, text: str, names: tuple[str, ...]) -> None:
        environment.set(EXCLUDE_FUNCTIONS=text)
        assert load().exclude_functions == names

    def test_scan_types_keep_their_order(self, environment: Environment) -> None:
        environment.set(SCAN_TYPES="secret,pkg, sca")
        assert load().scan_types == ("secret", "pkg", "sca")

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:4566/000000000000/changes", "http://sqs.localhost:4566/000000000000/c"]
    )
    def test_queues_of_a_local_cloud(self, environment: Environment, url: str) -> None:
        environment.set(CHANGES_QUEUE_URL=url)
        assert load().changes_queue_url == url

    def test_log_level_and_truth_in_any_case(self, environment: Environment) -> None:
        environment.set(LOG_LEVEL="debug", ENABLE_TAGGING="FALSE")
        assert (load().log_level, load().enable_tagging) == ("DEBUG", False)

    def test_a_sweep_queue_with_its_dead_letter_queue(self, environment: Environment) -> None:
        environment.set(SWEEP_QUEUE_URL=QUEUE.replace("changes", "sweep"), SWEEP_DLQ_URL=f"{QUEUE}-dlq")
        assert load().sweep_dlq_url == f"{QUEUE}-dlq"

    def test_policy_tags_with_their_mode(self, environment: Environment) -> None:
        environment.set(QSCANNER_POLICY_TAGS="prod,pci", QSCANNER_MODE="evaluate-policy")
        assert load().qscanner_policy_tags == ("prod", "pci")

    def test_the_external_id_from_a_secret_instead(self, environment: Environment) -> None:
        environment.clear("EXTERNAL_ID")
        environment.set(EXTERNAL_ID_SECRET_ARN=REQUIRED["QUALYS_SECRET_ARN"])
        assert load().external_id is None


class TestFaults:
    def test_nothing_set_names_everything_that_is_needed(self) -> None:
        lines = faults()
        for name in REQUIRED.keys() - {"EXTERNAL_ID"}:
            assert f"SCANHUB_{name}: is not set" in lines
        assert "set exactly one of SCANHUB_EXTERNAL_ID and SCANHUB_EXTERNAL_ID_SECRET_ARN" in lines
        assert len(lines) == len(REQUIRED)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("CHANGES_QUEUE_URL", "scanhub-changes"),
            ("CHANGES_QUEUE_URL", f"{QUEUE}.fifo"),
            ("CHANGES_DLQ_URL", f"{QUEUE} "),
            ("LEDGER_TABLE", "a/b"),
            ("RESULTS_BUCKET", "Has_Capitals"),
            ("RESULTS_KMS_KEY_ARN", "alias/scanhub"),
            ("TOPIC_ARN", "scanhub-findings"),
            ("NOTIFY_SEVERITY", "urgent"),
            ("QUALYS_SECRET_ARN", "scanhub/qualys"),
            ("SPOKE_ROLE_NAME", "arn:aws:iam::210987654321:role/scanhub-spoke"),
            ("SPOKE_ROLE_PATH", "security"),
            ("SPOKE_ROLE_PATH", "/security"),
            ("SPOKE_ROLE_PATH", "security/"),
            ("SPOKE_ROLE_PATH", "//"),
            ("SPOKE_ROLE_PATH", "/*/"),
            ("SPOKE_ROLE_PATH", f"/{'x' * 511}/"),
            ("QSCANNER_PATH", "bin/qscanner"),
            ("QSCANNER_SHA256", "abc"),
            ("QSCANNER_COMMAND", "rootfs"),
            ("QSCANNER_IMAGE_COMMAND", "rootfs"),
            ("QSCANNER_MODE", "everything"),
            ("SCAN_TYPES", "pkg,secrets"),
            ("SCAN_TYPES", ","),
            ("SCAN_TIMEOUT", "1h"),
            ("SCAN_TIMEOUT", "59"),
            ("MAX_CONCURRENT_SCANS", "0"),
            ("CACHE_TTL_DAYS", "366"),
            ("VISIBILITY_TIMEOUT", "43201"),
            ("LEASE_DURATION", "0"),
            ("MAX_ATTEMPTS", "-1"),
            ("ENABLE_TAGGING", "perhaps"),
            ("WORK_DIR", "./work"),
            ("DRAIN_TIMEOUT", "-1"),
            ("LOG_LEVEL", "TRACE"),
            ("EXTERNAL_ID", "x"),
            ("EXTERNAL_ID", "two words"),
        ],
    )
    def test_a_wrong_value_is_named_and_not_repeated(self, environment: Environment, name: str, value: str) -> None:
        environment.set(**{name: value})
        (line,) = faults()
        assert line.startswith(f"SCANHUB_{name}: ")
        assert value not in line or len(value) < 4  # a short one may stand in a list of what is right

    def test_every_fault_at_once_also_those_between_settings(self, environment: Environment) -> None:
        environment.clear("LEDGER_TABLE")
        environment.set(
            SCAN_TIMEOUT="soon",
            LOG_LEVEL="loud",
            EXTERNAL_ID_SECRET_ARN=REQUIRED["QUALYS_SECRET_ARN"],
            SWEEP_DLQ_URL=f"{QUEUE}-dlq",
            QSCANNER_POLICY_TAGS="prod",
        )
        lines = faults()
        assert [line.split(":")[0].split(" ")[0] for line in lines] == [
            "SCANHUB_LEDGER_TABLE",
            "SCANHUB_SCAN_TIMEOUT",
            "SCANHUB_LOG_LEVEL",
            "set",
            "SCANHUB_SWEEP_QUEUE_URL",
            "SCANHUB_QSCANNER_POLICY_TAGS",
        ]

    def test_settings_that_exclude_each_other_are_refused_where_each_is_right(self, environment: Environment) -> None:
        environment.set(
            EXTERNAL_ID_SECRET_ARN=REQUIRED["QUALYS_SECRET_ARN"], SWEEP_QUEUE_URL=QUEUE, QSCANNER_POLICY_TAGS="prod"
        )
        assert faults() == [
            "set exactly one of SCANHUB_EXTERNAL_ID and SCANHUB_EXTERNAL_ID_SECRET_ARN",
            "SCANHUB_SWEEP_QUEUE_URL and SCANHUB_SWEEP_DLQ_URL go together",
            "SCANHUB_QSCANNER_POLICY_TAGS needs SCANHUB_QSCANNER_MODE=evaluate-policy",
        ]


class TestSecrets:
    def test_the_external_id_shows_nowhere(self, environment: Environment) -> None:
        settings = load()
        assert CANARY not in f"{settings!r} {settings!s} {settings.model_dump()} {settings.model_dump_json()}"
        environment.set(EXTERNAL_ID=f"{CANARY} {CANARY}", SCAN_TIMEOUT=CANARY, LOG_LEVEL=CANARY, WORK_DIR=CANARY)
        environment.set(SCAN_TYPES=f"pkg,{CANARY}", RESULTS_BUCKET=CANARY.upper(), ENABLE_TAGGING=CANARY)
        with pytest.raises(Misconfigured) as caught:
            load()
        shown = f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
        assert CANARY.lower() not in shown.lower()
        assert caught.value.__suppress_context__
