from aiobotocore.session import AioSession

from hub.caller import caller_arn
from tests.conftest import HUB_ACCOUNT, REGION


async def test_the_caller_is_an_arn_of_this_account(aws: AioSession) -> None:
    async with aws.create_client("sts", region_name=REGION) as client:
        assert (await caller_arn(client)).startswith(f"arn:aws:sts::{HUB_ACCOUNT}:")
