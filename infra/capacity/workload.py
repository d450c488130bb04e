"""What is asked of the service, and how it is set up."""

from dataclasses import dataclass, replace

from hub.settings import Settings

DAY = 86_400.0
"""Seconds."""

IMAGE_FACTOR = 3.0
"""How many times as long an image takes as a package, where nobody says: most of it is its larger download."""


def _default(setting: str) -> int:
    value: int = Settings.model_fields[setting].default
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """An organization, and what happens in it.

    Attributes:
        functions: In all accounts and regions together, evenly spread.
        accounts: Member accounts.
        regions: In which each has functions.
        changes_per_day: Change events that reach the queue.
        busy_hours: The hours of a day in which they come, evenly; the rest of the day has none.
        new_code: The share of them that brings code without a fresh result; the rest is covered by a look-up.
        zip_share: The share of functions that are packages; the others are images.
        scan_seconds: How long the scanner takes for a package, on average.
        image_scan_seconds: The same for an image; by default three times as long.
        package_mb: What a scan moves through the NAT gateway for a package.
        image_mb: The same for an image.
    """

    functions: int
    accounts: int
    regions: int = 3
    changes_per_day: float
    busy_hours: float = 24.0
    new_code: float = 1.0
    zip_share: float = 1.0
    scan_seconds: float = 60.0
    image_scan_seconds: float | None = None
    package_mb: float = 20.0
    image_mb: float = 400.0

    @property
    def image_seconds(self) -> float:
        """How long the scanner takes for an image."""
        return self.scan_seconds * IMAGE_FACTOR if self.image_scan_seconds is None else self.image_scan_seconds

    @property
    def mean_seconds(self) -> float:
        """How long the scanner takes on average."""
        return self.zip_share * self.scan_seconds + (1 - self.zip_share) * self.image_seconds

    @property
    def mean_gb(self) -> float:
        """What a scan moves through the NAT gateway on average."""
        return (self.zip_share * self.package_mb + (1 - self.zip_share) * self.image_mb) / 1000

    @property
    def busy_rate(self) -> float:
        """Changes a second, in the hours in which there are any."""
        return self.changes_per_day / (self.busy_hours * 3600)

    @property
    def places(self) -> int:
        """Accounts and regions: what a sweep lists one by one, and what Lambda's limits hold for."""
        return self.accounts * self.regions

    def times(self, factor: int) -> "Demand":
        """The same organization, so many times as large: functions, accounts and changes."""
        return replace(
            self,
            functions=self.functions * factor,
            accounts=self.accounts * factor,
            changes_per_day=self.changes_per_day * factor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The hub's parameters and the worker's settings; the defaults are theirs (a test holds them together).

    Attributes:
        min_tasks: `MinTasks`.
        max_tasks: `MaxTasks`.
        task_cpus: `TaskCpu`, in CPUs.
        slots: Scans at once in a task (`MaxConcurrentScans`).
        slots_per_account: Of them for one account (`MaxScansPerAccount`); by default three quarters.
        backlog_per_task: `BacklogPerTask`.
        max_change_age: `MaxChangeAge`, in seconds.
        out_cooldown: `ScaleOutCooldown` of the backlog's policy, in seconds; a constant of the template.
        sweep_per_minute: `SCANHUB_SWEEP_PER_MINUTE`; 0 is without a limit.
        sweep_every: Hours between two sweeps (`BulkScanSchedule`).
        sweep_places: `SCANHUB_SWEEP_PLACES`.
        sweep_calls: `SCANHUB_SWEEP_CALLS_PER_SECOND`.
        ttl_days: `CacheTTLDays`.
        change_target: `SCANHUB_CHANGE_TARGET`, in seconds.
        worker_image_mb: Size of the worker's image, which each task pulls before it starts.
    """

    min_tasks: int = 1
    max_tasks: int = 10
    task_cpus: int = 2
    slots: int = 4
    slots_per_account: int | None = None
    backlog_per_task: int = 20
    max_change_age: int = 600
    out_cooldown: int = 240
    sweep_per_minute: int = _default("sweep_per_minute")
    sweep_every: float = 24.0
    sweep_places: int = _default("sweep_places")
    sweep_calls: int = _default("sweep_calls_per_second")
    ttl_days: int = _default("cache_ttl_days")
    change_target: int = _default("change_target")
    worker_image_mb: float = 500.0

    @property
    def account_slots(self) -> int:
        """Of a task's slots those that one account may have, as `hub.settings.Settings.scans_per_account`."""
        return self.slots_per_account or self.slots - self.slots // 4

    @property
    def sweep_slots(self) -> int:
        """Of a task's slots those that the sweep may have while no change is in sight, as `worker.room.Room`."""
        return self.slots - min(self.slots // 2, max(1, self.slots // 4))

    @property
    def sweep_slots_beside_changes(self) -> int:
        """The same while one is."""
        return self.slots - self.slots // 2

    @property
    def sweep_slots_an_account(self) -> int:
        """Of them those that may be of one account: its last is out of the sweep's reach, as `worker.places.Places`."""
        return max(1, self.account_slots - 1)
