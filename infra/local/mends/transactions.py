"""DynamoDB's transactions, at the cost of what they write.

moto 5.2.5 copies the whole table before a transaction, once for each write in it, so as to put it back if one is
refused: of a ledger with 250 functions 60 ms a commit, four tenths of what a worker and the cloud need for a scan.
"""

import copy
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

from infra.local.mends.replacement import replaced

Writes = list[dict[str, Any]]


@contextmanager
def mended() -> Iterator[None]:
    """What is put back is the same; only the items that the transaction writes are copied for it."""
    under_way = threading.local()
    original = DynamoDBBackend.transact_write_items

    def transact_write_items(backend: DynamoDBBackend, transact_items: Writes) -> None:
        under_way.writes = transact_items
        try:
            original(backend, transact_items)
        finally:
            under_way.writes = []

    class Copies:
        """`copy`, as moto's module of backends asks for it: of a table only at the beginning of a transaction."""

        @staticmethod
        def deepcopy(value: Any) -> Any:  # noqa: ANN401  # as the standard library's
            # A stream has a copy of its own for each table; our templates have none.
            if isinstance(value, Table) and value.stream_shard is None:
                return _before(value, under_way.writes)
            return copy.deepcopy(value)

    with ExitStack() as mends:
        mends.enter_context(replaced(DynamoDBBackend, "transact_write_items", transact_write_items))
        mends.enter_context(replaced(models, "copy", Copies))
        yield


def _before(table: Table, writes: Writes) -> Table:
    """The table as it is now, whatever those writes do to it afterwards."""
    kept = copy.copy(table)
    kept.items = table.items.copy()
    for write in writes:
        for request in write.values():
            key = request.get("Key") or request.get("Item") or {}
            if request.get("TableName") == table.name and table.hash_key_attr in key:
                _keep(kept, key)
    return kept


def _keep(kept: Table, key: Mapping[str, Any]) -> None:
    of_hash = DynamoType(key[kept.hash_key_attr])
    if of_hash not in kept.items:
        return
    if kept.range_key_attr is None:
        kept.items[of_hash] = copy.deepcopy(kept.items[of_hash])
    elif kept.range_key_attr in key:
        of_range = DynamoType(key[kept.range_key_attr])
        items = dict(kept.items[of_hash])
        if of_range in items:
            items[of_range] = copy.deepcopy(items[of_range])
        kept.items[of_hash] = items
