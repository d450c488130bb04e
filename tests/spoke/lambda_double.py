"""Lambda's GetFunction on loopback, which checks each signature as AWS does, for tests of who a call is signed as."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from spoke.credentials import SessionCredentials


@dataclass(frozen=True, slots=True)
class Try:
    """One request that arrived: for whose function, and the access key that it was signed with."""

    account: str
    access_key_id: str


@dataclass
class LambdaDouble:
    """Answers for an account's functions to that account's session, and to no other.

    Attributes:
        sessions: By account.
        status: Of the answer to the n-th try (from 1) for a function; told before it is given.
        tries: All that arrived, in order, refused ones too.
        refused: What did not bear the signature of the function's own account.
    """

    sessions: Mapping[str, SessionCredentials]
    status: Callable[[str, int], Awaitable[int]]
    tries: list[Try] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: web.Request) -> web.Response:
        arn = unquote(request.path).rpartition("/")[2]
        account = arn.split(":")[4]
        self.tries.append(Try(account, request.headers["Authorization"].partition("Credential=")[2].partition("/")[0]))
        self._counts[arn] += 1
        if not _signed_by(request, self.sessions[account]):
            self.refused.append(arn)
            return _error(403, "InvalidSignatureException")
        status = await self.status(arn, self._counts[arn])
        if status != 200:
            return _error(status, "ServiceException" if status >= 500 else "TooManyRequestsException")
        return web.json_response({"Configuration": {"FunctionArn": arn}})

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Its endpoint, for the time of the context."""
        application = web.Application()
        application.router.add_get("/2015-03-31/functions/{arn}", self.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()


async def at_once(_arn: str, _number: int) -> int:
    return 200


def held(until: asyncio.Event, *statuses: int) -> Callable[[str, int], Awaitable[int]]:
    """The first tries are answered with those statuses, each after the event."""

    async def status(_arn: str, number: int) -> int:
        if number > len(statuses):
            return 200
        await until.wait()
        return statuses[number - 1]

    return status


def _signed_by(request: web.Request, session: SessionCredentials) -> bool:
    """Whether it is what these credentials sign (AWS Signature Version 4), and brings their token."""
    _, _, rest = request.headers["Authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    key, _, region, service, _ = parts["Credential"].split("/")
    secret, token = session.secret_access_key.get_secret_value(), session.session_token.get_secret_value()
    again = AWSRequest(
        method=request.method,
        url=f"http://{request.host}{request.raw_path}",
        headers={name: request.headers[name] for name in parts["SignedHeaders"].split(";")},
    )
    again.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials(key, secret, token), service, region)
    expected = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    return (key, parts["Signature"], request.headers["X-Amz-Security-Token"]) == (
        session.access_key_id,
        expected,
        token,
    )


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"message": code}, status=status, headers={"x-amzn-ErrorType": code})
