"""What a ledger promises is asked of DynamoDB (moto) and of the one in memory alike."""

from collections.abc import AsyncIterator

import pytest

from infra.local.mends import dynamodb_atomicity
from tests.conftest import REGION
from tests.ledger_rig import DynamoRig, LedgerRig, MemoryRig, create_table


@pytest.fixture(params=["memory", "dynamodb"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[LedgerRig]:
    if request.param == "memory":
        yield MemoryRig()
        return
    session = request.getfixturevalue("aws")
    async with session.create_client("dynamodb", region_name=REGION) as client:
        await create_table(client)
        with dynamodb_atomicity.mended():
            yield DynamoRig(client)
