"""An empty ledger in moto's DynamoDB, as the AWS adapter finds it."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from aiobotocore.session import AioSession

from infra.local.mends import dynamodb_atomicity
from tests.conftest import REGION
from tests.ledger_rig import DynamoRig, create_table

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb import DynamoDBClient


@pytest.fixture
async def client(aws: AioSession) -> AsyncIterator["DynamoDBClient"]:
    async with aws.create_client("dynamodb", region_name=REGION) as one:
        await create_table(one)
        yield one


@pytest.fixture
def rig(client: "DynamoDBClient") -> DynamoRig:
    return DynamoRig(client)


@pytest.fixture
def atomic() -> Iterator[None]:
    with dynamodb_atomicity.mended():
        yield
