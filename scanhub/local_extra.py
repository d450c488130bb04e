"""The packages of the extra `local`, which a worker does without."""

import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def stand_in() -> Path:
    """The command of the stand-in scanner.

    Raises:
        Misconfigured: It is not installed.
    """
    path = Path(sysconfig.get_path("scripts")) / "qscanner-stand-in"
    if not path.is_file():
        raise Misconfigured(
            f"{path} is missing: install scanhub with its extra `local` (in a checkout: pip install '.[local]')"
        )
    return path
