"""A topic in memory."""

from hub.notification import Notification
from worker.memory.hooks import OnCall, operation


class MemoryNotifier:
    """Keeps what was told, in order.

    Args:
        on_call: Awaited before and after the effect of each operation.

    Attributes:
        told: Every notification.
    """

    def __init__(self, on_call: OnCall | None = None) -> None:
        self.on_call = on_call
        self.told: list[Notification] = []

    async def notify(self, notification: Notification) -> None:
        """See `worker.ports.Notifier`."""
        async with operation("notify", self.on_call):
            self.told.append(notification)
