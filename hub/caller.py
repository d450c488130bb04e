"""Who runs this process, as AWS knows it."""

from typing import TYPE_CHECKING

from spoke.aws_errors import translated

if TYPE_CHECKING:
    from types_aiobotocore_sts import STSClient


async def caller_arn(client: "STSClient") -> str:
    """The ARN of the user or role session whose credentials are in use. Needs no permission (STS API reference).

    Raises:
        Misconfigured: There are no credentials, or they are refused.
        Throttled, Unavailable: After botocore's own retries.
    """
    with translated("asking STS who is calling"):
        return (await client.get_caller_identity())["Arn"]
