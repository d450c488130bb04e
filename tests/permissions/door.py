"""At the door of the embedded cloud: who asks for what, whichever process it comes from.

The worker's calls and the scanner's, which is a process of its own, pass here alike. Who asks is known by the access
key: each session that STS hands out passes here too, with the role, the name and the policy that it was asked for.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from infra.local import cloud
from infra.local.mends.code_location import StartResponse, WsgiApp
from infra.local.mends.replacement import replaced
from tests.permissions.wire import Operation, Parameters, Sent, operation

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request"
)
_ACCESS_KEY = re.compile(rb"<AccessKeyId>(\w+)</AccessKeyId>")
_MOST = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Session:
    """A role session, as it was asked for.

    Attributes:
        role: The role's ARN.
        name: `RoleSessionName`.
        policy: The session policy, as JSON; None without one.
        source_identity: None without one.
    """

    role: str
    name: str
    policy: str | None
    source_identity: str | None

    @property
    def account(self) -> str:
        """Of the role."""
        return self.role.split(":")[4]

    @property
    def arn(self) -> str:
        """As a policy and CloudTrail name it."""
        _, partition, _, _, account, role = self.role.split(":")
        return f"arn:{partition}:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        session: Who asks.
        operation: What for: service and name.
        region: Where.
        parameters: As the API names them.
        status: Of the answer (HTTP).
    """

    session: Session
    operation: Operation
    region: str
    parameters: Parameters
    status: int


class Door:
    """Writes down what passes."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.unread: list[str] = []
        """Requests that `wire` could not read: there must be none."""
        self._sessions: dict[str, Session] = {}
        self._lock = Lock()
        self._listeners: list[Callable[[Call], None]] = []

    def listen(self, listener: Callable[[Call], None]) -> None:
        """Tell it each call from now on, in the server's thread."""
        self._listeners.append(listener)

    def before(self, behind: WsgiApp) -> WsgiApp:
        """The application with this door before it."""

        def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            signed = _SIGNED.match(str(environ.get("HTTP_AUTHORIZATION", "")))
            if signed is None:
                # A package by its signed URL: no permission is asked for.
                return behind(environ, start_response)
            sent = _sent(environ, signed["service"])
            # What moto does not know makes it fail without an answer of its own.
            status, body = [500], b""

            def started(text: str, *rest: Any) -> Any:  # noqa: ANN401  # WSGI's start_response
                status.append(int(text.split(maxsplit=1)[0]))
                return start_response(text, *rest)

            try:
                body = b"".join(behind(environ, started))
                return [body]
            finally:
                self._written_down(signed, sent, status[-1], body)

        return answer

    def _written_down(self, signed: re.Match[str], sent: Sent, status: int, body: bytes) -> None:
        try:
            self._passed(signed, sent, status, body)
        except (LookupError, ValueError) as fault:
            # In the server's thread it would only be one more answer that somebody takes for an outage.
            self.unread.append(f"{sent.service} {sent.method} {sent.path}: {fault!r}")

    def _passed(self, signed: re.Match[str], sent: Sent, status: int, body: bytes) -> None:
        with self._lock:
            if sent.service != "sts" and signed["key"] not in self._sessions:
                # An administrator's own key.
                return
            what, parameters = operation(sent)
            if what == Operation("sts", "AssumeRole") and (issued := _ACCESS_KEY.search(body)):
                self._sessions[issued[1].decode()] = Session(
                    role=str(parameters["RoleArn"]),
                    name=str(parameters["RoleSessionName"]),
                    policy=parameters.get("Policy"),
                    source_identity=parameters.get("SourceIdentity"),
                )
            session = self._sessions.get(signed["key"])
            if session is None:
                return
            call = Call(session=session, operation=what, region=signed["region"], parameters=parameters, status=status)
            self.calls.append(call)
        for listener in self._listeners:
            listener(call)


def _sent(environ: dict[str, Any], service: str) -> Sent:
    headers = {name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name[:5] == "HTTP_"}
    # WSGI has this one under a name of its own.
    headers["content-type"] = str(environ.get("CONTENT_TYPE", ""))
    body = b""
    if service != "s3":
        # An object's content is of no matter here, and may come in chunks.
        body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), _MOST))
        environ["wsgi.input"] = BytesIO(body)
    query = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    return Sent(
        service=service,
        method=str(environ["REQUEST_METHOD"]),
        path=_path(environ),
        query={name: values[0] for name, values in query.items()},
        headers=headers,
        body=body,
    )


def _path(environ: Mapping[str, Any]) -> str:
    """As it was sent: WSGI's own is decoded, and an ARN's `%3A` or `%2F` would be lost."""
    return str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")[0]


@contextmanager
def standing(door: Door) -> Iterator[None]:
    """Whatever embedded cloud is started meanwhile has this door."""
    served: Any = vars(cloud)["_served"]
    with replaced(cloud, "_served", lambda host, port, app: served(host, port, door.before(app))):
        yield
