"""A topic in memory."""

from collections.abc import Callable

from hub.notification import Notification


class MemoryNotifier:
    """Keeps what was told, in order.

    Args:
        on_call: Called before every notification; may raise to show a fault.

    Attributes:
        told: Every notification.
    """

    def __init__(self, on_call: Callable[[str, str], None] | None = None) -> None:
        self.on_call = on_call
        self.told: list[Notification] = []

    async def notify(self, notification: Notification) -> None:
        """See `worker.ports.Notifier`."""
        if self.on_call is not None:
            self.on_call("notify", str(notification.function))
        self.told.append(notification)
