"""How many AWS calls this process has made."""

from aiobotocore.session import AioSession


class CallCount:
    """Counts the calls of every client of a session; the retries of a call are not counted apart.

    Args:
        session: Before any client is made of it.
    """

    def __init__(self, session: AioSession) -> None:
        self._calls = 0
        session.register("before-call", self._count)

    def __call__(self) -> int:
        """So far."""
        return self._calls

    def _count(self, **_: object) -> None:
        self._calls += 1
