"""Every setting of the worker, as one frozen object made at the edge and handed inwards."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, SettingsConfigDict

from hub.scans import Severity
from spoke.errors import Misconfigured

PREFIX = "SCANHUB_"
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
"""The pattern and the lengths in STS's model of AssumeRole."""

ScanMode = Literal["inventory-only", "scan-only", "get-report", "evaluate-policy"]
ScanType = Literal["pkg", "secret", "os", "sca", "malware", "fileinsight", "compliance"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

QueueUrl = Annotated[str, Field(pattern=r"^https?://[^\s]+/\d{12}/[A-Za-z0-9_-]{1,80}$")]
AccountId = Annotated[str, Field(pattern=r"^\d{12}$")]
RegionName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d$")]
SecretArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+$")]


def _scans_for_this_machine() -> int:
    """Two scans a CPU: the scanner waits for downloads and for the report more than it computes."""
    return max(1, 2 * (os.cpu_count() or 1))


class Settings(BaseSettings):
    """The environment variables of the worker; each field is one, with the prefix `SCANHUB_`.

    AWS's own variables (`AWS_REGION`, `AWS_ENDPOINT_URL`, ...) mean what they mean everywhere; they are not repeated.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    changes_queue_url: QueueUrl = Field(description="The queue that EventBridge fills.")
    sweep_queue_url: QueueUrl | None = Field(default=None, description="The queue that the sweep fills.")
    changes_dlq_url: QueueUrl = Field(description="Where messages of the changes queue are parked.")
    sweep_dlq_url: QueueUrl | None = Field(default=None, description="Where messages of the sweep queue are parked.")
    ledger_table: str = Field(
        pattern=r"^[A-Za-z0-9_.-]{3,255}$", description="The DynamoDB table of coverage and leases."
    )
    results_bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="The S3 bucket of results.")
    results_kms_key_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/.+$",
        description="The KMS key for results; without it the bucket's default encryption applies.",
    )
    topic_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$",
        description="The SNS topic for notifications; without it nobody is told.",
    )
    notify_severity: Severity = Field(
        default=Severity.HIGH, description="The least severity of a vulnerability worth a notification."
    )
    qualys_secret_arn: SecretArn = Field(description="The secret with the Qualys POD and access token (JSON).")
    spoke_role_name: str = Field(
        default="scanhub-spoke", pattern=r"^[A-Za-z0-9_+=,.@-]{1,64}$", description="The role to assume in each spoke."
    )
    spoke_role_path: str = Field(
        default="/",
        max_length=512,
        # Narrower than IAM's own: a `*` or `?` would be a pattern in the policy of the worker's role.
        pattern=r"^/([A-Za-z0-9_+=,.@-]+/)*$",
        description="The IAM path of that role, with a slash at both ends.",
    )
    external_id: SecretStr | None = Field(default=None, description="The external id that the spoke roles ask for.")
    external_id_secret_arn: SecretArn | None = Field(
        default=None, description="The secret that holds the external id, instead of `EXTERNAL_ID`."
    )
    qscanner_path: Path = Field(default=Path("/opt/qscanner"), description="The scanner binary.")
    qscanner_sha256: str | None = Field(
        default=None, pattern=r"^[0-9a-fA-F]{64}$", description="Refuse to start if the binary has another SHA-256."
    )
    qscanner_command: Literal["lambda", "function"] = Field(
        default="lambda", description="The scanner's word for scanning a function by ARN."
    )
    qscanner_image_command: Literal["lambda", "function", "image"] | None = Field(
        default=None,
        description="For image functions: `image` scans the resolved image URI; without it as `QSCANNER_COMMAND`.",
    )
    qscanner_mode: ScanMode = Field(default="get-report", description="How far the scanner goes.")
    qscanner_policy_tags: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Comma list of policy tags, with the mode `evaluate-policy`."
    )
    scan_types: Annotated[tuple[ScanType, ...], NoDecode] = Field(
        default=("pkg", "secret"), min_length=1, description="Comma list of what to scan for."
    )
    scan_timeout: int = Field(
        default=3600, ge=60, le=21_600, description="Seconds until a scan's process group is ended."
    )
    max_concurrent_scans: int = Field(
        default_factory=_scans_for_this_machine, ge=1, le=64, description="Scans at once; two a CPU if not set."
    )
    max_scans_per_account: int | None = Field(
        default=None, ge=1, le=64, description="Of them for one account; three quarters if not set."
    )
    cache_ttl_days: int = Field(default=30, ge=1, le=365, description="Days for which a result is fresh.")
    visibility_timeout: int = Field(
        default=120, ge=30, le=3600, description="Seconds by which a held message is kept invisible, again and again."
    )
    lease_duration: int = Field(
        default=180, ge=30, le=3600, description="Seconds that a lease outlives its last renewal."
    )
    max_attempts: int = Field(default=5, ge=1, le=20, description="Failed tries after which a message is parked.")
    enable_tagging: bool = Field(default=True, description="Write the `QualysScan*` tags on scanned functions.")
    exclude_functions: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Comma list of function name patterns (`*`, `?`, `[...]`) never to scan."
    )
    exclusion_tag: str = Field(
        default="QualysScanExclude",
        min_length=1,
        max_length=128,
        description="A function with this tag, whatever its value but `false`, is not scanned.",
    )
    exclude_accounts: Annotated[tuple[AccountId, ...], NoDecode] = Field(
        default=(), description="Comma list of accounts in which nothing is scanned."
    )
    sweep_regions: Annotated[tuple[RegionName, ...], NoDecode] = Field(
        default=(), description="Comma list of regions to sweep; without it all that are enabled in each account."
    )
    sweep_per_minute: int = Field(
        default=600, ge=0, le=100_000, description="Requests that a sweep queues in a minute; 0 is without a limit."
    )
    sweep_retry_hours: int = Field(
        default=20,
        ge=1,
        le=720,
        description="Hours after which a sweep queues again what failed, or was queued and has no result.",
    )
    sweep_places: int = Field(default=32, ge=1, le=256, description="Accounts and regions that a sweep lists at once.")
    sweep_calls_per_second: int = Field(
        default=5, ge=1, le=10, description="Calls of a sweep to Lambda in one account and region (AWS allows 15)."
    )
    sweep_versions: bool = Field(
        default=False,
        description="Also sweep the published versions that an alias or a provisioned concurrency points to.",
    )
    sweep_all_tags: bool = Field(
        default=False,
        description="Look for excluding tags also where a sweep finds nothing to scan: a call more a region.",
    )
    accounts_file: Path | None = Field(
        default=None, description="A file of account ids, one a line, to sweep instead of asking AWS Organizations."
    )
    change_target: int = Field(
        default=900, ge=60, le=86_400, description="Seconds within which a change is to be scanned (the objective)."
    )
    bus_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[\w.-]+$",
        description="The hub's event bus, for `scanhub replay`.",
    )
    work_dir: Path = Field(
        default_factory=lambda: Path(tempfile.gettempdir()) / "scanhub", description="Where scans have their files."
    )
    drain_timeout: int = Field(
        default=110, ge=0, le=3600, description="Seconds that running scans get after SIGTERM (ECS allows 120)."
    )
    log_level: LogLevel = Field(default="INFO", description="The least level that is logged.")

    @property
    def scans_per_account(self) -> int:
        """How many slots one account may have: by default a quarter of them is left to the others."""
        return self.max_scans_per_account or self.max_concurrent_scans - self.max_concurrent_scans // 4

    @field_validator(
        "scan_types", "exclude_functions", "qscanner_policy_tags", "exclude_accounts", "sweep_regions", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            # A doubled entry says nothing more, but would make another scan profile.
            return tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
        return value

    @field_validator("external_id")
    @classmethod
    def _as_sts_takes_it(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and _EXTERNAL_ID.fullmatch(value.get_secret_value()) is None:
            raise ValueError("must be 2 to 1224 letters, digits or any of _+=,.@:/-")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("qscanner_path", "work_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        if not value.is_absolute():
            raise ValueError("must be an absolute path")
        return value

    @model_validator(mode="after")
    def _belong_together(self) -> "Settings":
        faults = _misfits({name: value for name, value in self if value is not None})
        if faults:
            raise ValueError("; ".join(faults))
        return self


def _misfits(values: Mapping[str, object]) -> list[str]:
    """What is wrong between settings, each of which may be right; a setting that was not made is left out."""
    faults = []
    if ("external_id" in values) == ("external_id_secret_arn" in values):
        faults.append(f"set exactly one of {PREFIX}EXTERNAL_ID and {PREFIX}EXTERNAL_ID_SECRET_ARN")
    if ("sweep_queue_url" in values) != ("sweep_dlq_url" in values):
        faults.append(f"{PREFIX}SWEEP_QUEUE_URL and {PREFIX}SWEEP_DLQ_URL go together")
    if values.get("qscanner_policy_tags") and values.get("qscanner_mode") != "evaluate-policy":
        faults.append(f"{PREFIX}QSCANNER_POLICY_TAGS needs {PREFIX}QSCANNER_MODE=evaluate-policy")
    return faults


def load() -> Settings:
    """The settings from the environment.

    Raises:
        Misconfigured: With every fault in one line each, never with a value that may be a secret.
    """
    try:
        return Settings()  # type: ignore[call-arg]  # the fields come from the environment
    except ValidationError as error:
        raise Misconfigured(_faults(error)) from None


def _faults(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        message = re.sub(r"^Value error, ", "", fault["msg"])
        if fault["loc"]:
            name = f"{PREFIX}{str(fault['loc'][0]).upper()}"
            message = "is not set" if fault["type"] == "missing" else message
            lines.append(f"{name}: {message}")
    # pydantic looks at what is between fields only when each field is right; here all is to be named at once.
    lines += _misfits(EnvSettingsSource(Settings)())
    return f"{len(lines)} wrong setting{'s' if len(lines) > 1 else ''}:\n" + "\n".join(f"  {line}" for line in lines)
