"""AWS answers as the JSON that they are, past botocore's parser, and a long request past its serializer.

The parser copies an answer value by value after the shapes of the service's model, which takes longer than all else
that is done with a page of a thousand items. The event `before-parse` hands the body over after whatever decodes and
checks it (botocore's and aiobotocore's `endpoint.py`), once a try: so retries work as ever. What is sent goes the same
way round: `before-call` comes after the check and the serializing of the arguments, which take some 25 µs a key of a
batch, and before the signature.
"""

import gc
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from pydantic_core import from_json

from spoke.errors import Unavailable

_BODY = "ScanhubBody"
_NOTHING = b"{}"

_wanted: ContextVar[bool] = ContextVar("an answer is wanted as it came", default=False)
_sent: ContextVar[bytes | None] = ContextVar("a body that is sent as it is", default=None)


class Client(Protocol):
    """Any aiobotocore client of a service that speaks JSON."""

    @property
    def meta(self) -> Any:  # noqa: ANN401  # botocore's ClientMeta; its stubs differ between clients
        """Has the client's events."""
        ...


def keep_bodies(client: Client, *operations: str) -> None:
    """Let `raw` have this client's answers to these operations; told twice it is the same as told once.

    Args:
        client: The client.
        operations: As in the service's API: `Query`.
    """
    service = client.meta.service_model.service_id.hyphenize()
    for operation in operations:
        for event, handler in (("before-parse", _keep), ("before-call", _send)):
            name = f"{event}.{service}.{operation}"
            client.meta.events.register(name, handler, unique_id=f"scanhub-{event}-{operation}")


async def raw(call: Callable[..., Awaitable[Any]], *, sent: bytes | None = None, **arguments: Any) -> Mapping[str, Any]:
    """The answer to one call: the JSON of its body. Errors are raised as ever.

    Args:
        call: A method of a client whose bodies are kept.
        sent: The body of the request, in place of what would be made of the arguments. These must be sound all the
            same, and name the same resources: botocore may choose the endpoint by them.
        arguments: Of the call.

    Raises:
        Unavailable: The body is no JSON: something between here and AWS has answered.
    """
    with _asked_for(sent):
        answer: Mapping[str, Any] = await call(**arguments)
    try:
        with _no_collections():
            document: Mapping[str, Any] = from_json(answer[_BODY])
    except ValueError as error:
        raise Unavailable(f"an answer that is no JSON: {error}") from error
    return document


@contextmanager
def _asked_for(sent: bytes | None) -> Iterator[None]:
    wanted, body = _wanted.set(True), _sent.set(sent)
    try:
        yield
    finally:
        _wanted.reset(wanted)
        _sent.reset(body)


def _send(params: MutableMapping[str, Any], **_: object) -> None:
    if (body := _sent.get()) is not None:
        params["body"] = body


@contextmanager
def _no_collections() -> Iterator[None]:
    """A page is made at once and has no cycles: to look for some, forty times, takes as long as the parsing."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _keep(response_dict: MutableMapping[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    # What is an error goes its way through the parser; so does what others ask of the same client.
    if _wanted.get() and response_dict["status_code"] == 200:
        customized_response_dict[_BODY] = response_dict["body"]
        response_dict["body"] = _NOTHING
