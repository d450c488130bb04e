"""What a register promises is asked of DynamoDB (moto) and of the one in memory alike."""

from collections.abc import AsyncIterator

import pytest

from infra.local.mends import dynamodb_atomicity
from tests.conftest import REGION
from tests.ledger_rig import create_table
from tests.register_rig import DynamoRegisterRig, MemoryRegisterRig, RegisterRig


@pytest.fixture(params=["memory", "dynamodb"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[RegisterRig]:
    if request.param == "memory":
        yield MemoryRegisterRig()
        return
    session = request.getfixturevalue("aws")
    async with session.create_client("dynamodb", region_name=REGION) as client:
        await create_table(client)
        with dynamodb_atomicity.mended():
            yield DynamoRegisterRig(client)
