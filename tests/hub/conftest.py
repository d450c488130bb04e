"""The ledger's table, empty, in moto's DynamoDB, and writes that are as atomic as AWS's."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from aiobotocore.session import AioSession

from infra.local.mends import dynamodb_atomicity
from tests.conftest import REGION
from tests.ledger_rig import create_table

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


@pytest.fixture
async def client(aws: AioSession) -> AsyncIterator["DynamoDBClient"]:
    async with aws.create_client("dynamodb", region_name=REGION) as one:
        await create_table(one)
        yield one


@pytest.fixture
def atomic() -> Iterator[None]:
    with dynamodb_atomicity.mended():
        yield
