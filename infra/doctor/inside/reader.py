"""Reads whether a region of an account has functions, at the least cost: one item of ListFunctions."""

from infra.doctor.inside.accounts import Reader
from spoke.aws_errors import translated
from spoke.clients import Clients
from spoke.credentials import SessionCredentials
from spoke.errors import Gone, NoAccess, SessionRefused


def function_reader(clients: Clients) -> Reader:
    """What `infra.doctor.inside.accounts.look` reads with.

    Args:
        clients: Open for as long as it is used.
    """

    async def read(region: str, session: SessionCredentials) -> bool:
        async with clients.borrow("lambda", region=region, credentials=session) as client:
            with translated(f"listing functions in {region}", denied=NoAccess, absent=Gone, refused=SessionRefused):
                answer = await client.list_functions(MaxItems=1)
        return bool(answer["Functions"])

    return read
