"""AWS answers as the JSON that they are, past botocore's parser.

The parser copies an answer value by value after the shapes of the service's model, which takes longer than all else
that is done with a page of a thousand items. The event `before-parse` hands the body over after whatever decodes and
checks it (botocore's and aiobotocore's `endpoint.py`), once a try: so retries work as ever.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from pydantic_core import from_json

from spoke.errors import Unavailable

_BODY = "ScanhubBody"
_NOTHING = b"{}"

_wanted: ContextVar[bool] = ContextVar("an answer is wanted as it came", default=False)


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
        client.meta.events.register(f"before-parse.{service}.{operation}", _keep, unique_id=f"scanhub-{operation}")


async def raw(call: Callable[..., Awaitable[Any]], **arguments: Any) -> Mapping[str, Any]:
    """The answer to one call: the JSON of its body. Errors are raised as ever.

    Args:
        call: A method of a client whose bodies are kept.
        arguments: Of the call.

    Raises:
        Unavailable: The body is no JSON: something between here and AWS has answered.
    """
    with _asked_for():
        answer: Mapping[str, Any] = await call(**arguments)
    try:
        document: Mapping[str, Any] = from_json(answer[_BODY])
    except ValueError as error:
        raise Unavailable(f"an answer that is no JSON: {error}") from error
    return document


@contextmanager
def _asked_for() -> Iterator[None]:
    before = _wanted.set(True)
    try:
        yield
    finally:
        _wanted.reset(before)


def _keep(response_dict: MutableMapping[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    # What is an error goes its way through the parser; so does what others ask of the same client.
    if _wanted.get() and response_dict["status_code"] == 200:
        customized_response_dict[_BODY] = response_dict["body"]
        response_dict["body"] = _NOTHING
