"""A function's real package behind `Code.Location`.

moto 5.2.5 names a host that does not exist, and keeps the package where no request can reach it. AWS gives a presigned
URL that is good for ten minutes; so does this mend, on the host by which the caller reached the server, so that a
container is given an address that it can reach as well.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from flask import has_request_context, request
from moto.awslambda.models import LambdaFunction
from werkzeug import Request, Response

from infra.local.mends.replacement import replaced

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_PREFIX = "/__function-packages/"
_LIFETIME = 600
_DIGEST = re.compile(r"[0-9a-f]{64}")


class PackageStore:
    """A WSGI application in front of moto's that serves packages by signed URLs, and hands on all else.

    Args:
        behind: moto's application.
        now: Seconds since the epoch.
    """

    def __init__(self, behind: WsgiApp, *, now: Callable[[], float] = time.time) -> None:
        self._behind = behind
        self._now = now
        self._key = secrets.token_bytes(32)
        self._packages: dict[str, bytes] = {}

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        if not str(environ.get("PATH_INFO", "")).startswith(_PREFIX):
            return self._behind(environ, start_response)
        return self._answer(Request(environ))(environ, start_response)

    def path_of(self, package: bytes) -> str:
        """The signed path and query of a package, good for ten minutes."""
        digest = hashlib.sha256(package).hexdigest()
        self._packages[digest] = package
        expires = str(int(self._now()) + _LIFETIME)
        query = urlencode({"Expires": expires, "Signature": self._signature(digest, expires)})
        return f"{_PREFIX}{digest}?{query}"

    def _signature(self, digest: str, expires: str) -> str:
        return hmac.new(self._key, f"{digest}\n{expires}".encode(), hashlib.sha256).hexdigest()

    def _answer(self, asked: Request) -> Response:
        digest = asked.path.removeprefix(_PREFIX)
        expires = asked.args.get("Expires", "")
        given = asked.args.get("Signature", "")
        if _DIGEST.fullmatch(digest) is None or not hmac.compare_digest(
            self._signature(digest, expires).encode(), given.encode()
        ):
            return _refusal("SignatureDoesNotMatch", 403)
        if self._now() > int(expires):
            return _refusal("AccessDenied: Request has expired", 403)
        package = self._packages.get(digest)
        if package is None:
            return _refusal("NoSuchKey", 404)
        return Response(package, mimetype="application/zip")


def _refusal(text: str, status: int) -> Response:
    return Response(f"<Error><Code>{text}</Code></Error>", status=status, mimetype="application/xml")


@contextmanager
def mended(packages: PackageStore) -> Iterator[None]:
    """`GetFunction` names where the package really is."""
    original = LambdaFunction.get_code

    def get_code(function: LambdaFunction) -> dict[str, Any]:
        answer = original(function)
        code = answer.get("Code", {})
        if "Location" in code and has_request_context():
            code["Location"] = request.host_url.rstrip("/") + packages.path_of(function.code_bytes)
        return answer

    with replaced(LambdaFunction, "get_code", get_code):
        yield
