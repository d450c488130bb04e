"""The wall clock."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's clock, which ECS keeps in time."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)
