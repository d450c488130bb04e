"""The packages of the extra `local`, which a worker does without."""

from collections.abc import Iterator
from contextlib import contextmanager

from spoke.errors import Misconfigured


@contextmanager
def needed() -> Iterator[None]:
    """Around imports of what the extra brings.

    Raises:
        Misconfigured: It is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise Misconfigured(
            f"the local cloud is not installed ({error.name} is missing); in a checkout: pip install '.[local]'"
        ) from error
