"""ListFunctions by a role session, against moto."""

from aiobotocore.session import AioSession

from infra.doctor.inside.reader import function_reader
from spoke.clients import Clients
from tests.infra.doctor.inside.test_accounts import session


async def test_one_function_is_enough_to_know(aws: AioSession) -> None:
    async with Clients(session=aws) as clients:
        read = function_reader(clients)
        assert await read("eu-central-1", session("210000000001")) is False
