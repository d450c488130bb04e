"""The ledger as its AWS adapter finds it."""

from typing import TYPE_CHECKING

import pytest

from tests.ledger_rig import DynamoRig

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


@pytest.fixture
def rig(client: "DynamoDBClient") -> DynamoRig:
    return DynamoRig(client)
