"""DynamoDB's requests, one at a time.

moto 5.2.5 checks a condition and writes in two steps, with requests of other threads in between: two conditional writes
may both succeed. Its transactions put whole tables back when they fail, and other writes with them.
"""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from moto.dynamodb.responses import DynamoHandler

from infra.local.mends.replacement import replaced

_OPERATIONS = ("batch_get_item", "get_item", "put_item", "scan", "transact_write_items", "update_item")


@contextmanager
def mended() -> Iterator[None]:
    """Each request is atomic, as it is in DynamoDB."""
    lock = threading.Lock()
    with ExitStack() as mends:
        for name in _OPERATIONS:
            mends.enter_context(replaced(DynamoHandler, name, _locked(getattr(DynamoHandler, name), lock)))
        yield


def _locked(original: Callable[..., Any], lock: threading.Lock) -> Callable[..., Any]:
    @functools.wraps(original)
    def locked(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # passes through
        with lock:
            return original(*args, **kwargs)

    return locked
