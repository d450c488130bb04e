"""Task protection in memory."""

from datetime import timedelta

from worker.memory.hooks import OnCall, operation


class MemoryProtection:
    """Keeps what was asked for, in order.

    Args:
        on_call: Awaited before and after the effect of each operation.

    Attributes:
        calls: For each call the span asked for, or None where protection was given up.
    """

    def __init__(self, on_call: OnCall | None = None) -> None:
        self.on_call = on_call
        self.calls: list[timedelta | None] = []

    @property
    def is_on(self) -> bool:
        """Whether the last call that took effect asked for protection."""
        return bool(self.calls) and self.calls[-1] is not None

    async def protect(self, span: timedelta) -> None:
        """See `worker.ports.Protection`."""
        async with operation("protect", self.on_call):
            self.calls.append(span)

    async def release(self) -> None:
        """See `worker.ports.Protection`."""
        async with operation("release", self.on_call):
            self.calls.append(None)
