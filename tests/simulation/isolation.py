"""What keeps a run apart from the process around it: its chance comes from the seed, and it writes no log."""

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest import mock

import structlog


@contextmanager
def quiet() -> Iterator[None]:
    """No line of log: it would cost more than everything else."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("critical"), cache_logger_on_first_use=False
    )
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Whatever the product draws by chance comes from the seed."""
    drawn = Random(f"product {seed}")  # noqa: S311  # repeatable on purpose
    before = random.getstate()
    random.seed(f"jitter {seed}")

    def token_hex(nbytes: int | None = None) -> str:
        return drawn.randbytes(nbytes or 32).hex()

    def uuid4() -> uuid.UUID:
        return uuid.UUID(bytes=drawn.randbytes(16), version=4)

    try:
        with (
            mock.patch.object(secrets, "token_hex", token_hex),
            mock.patch.object(secrets, "token_urlsafe", token_hex),
            mock.patch.object(secrets, "token_bytes", lambda nbytes=None: drawn.randbytes(nbytes or 32)),
            mock.patch.object(uuid, "uuid4", uuid4),
        ):
            yield
    finally:
        random.setstate(before)
