"""A request to AWS on the wire -> the operation that it asks for, and its parameters, by AWS's own service models."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from botocore.loaders import create_loader
from botocore.model import OperationModel, ServiceModel

# Of its own: a client for S3 takes the bucket out of the paths in the models that it was given.
_MODELS = create_loader()

Parameters = Mapping[str, Any]


class Operation(NamedTuple):
    """An operation of an API.

    Attributes:
        service: As IAM prefixes its actions, which is the name that requests are signed for: `sqs`.
        name: `SendMessage`.
    """

    service: str
    name: str

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request.

    Attributes:
        service: That it is signed for.
        method: Of HTTP.
        path: As it was sent, encoded.
        query: Decoded.
        headers: By lower-case name.
        body: Empty where nobody needs to know.
    """

    service: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


def operation(sent: Sent) -> tuple[Operation, Parameters]:
    """What is asked for.

    Raises:
        LookupError: The service's model knows no such request, or more than one.
    """
    if target := sent.headers.get("x-amz-target"):
        return Operation(sent.service, target.rpartition(".")[2]), json.loads(sent.body or b"{}")
    if sent.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(sent.body.decode()))
        return Operation(sent.service, form.pop("Action")), form
    fitting = [(rule.weight, rule, parameters) for rule in _rules(sent.service) for parameters in rule.fits(sent)]
    best = [(rule, parameters) for weight, rule, parameters in fitting if weight == max(fitting, key=_weight)[0]]
    if len(best) != 1:
        raise LookupError(f"{sent.service} {sent.method} {sent.path}: {[rule.name for rule, _ in best]}")
    [(rule, parameters)] = best
    body = json.loads(sent.body) if sent.body[:1] == b"{" else {}
    return Operation(sent.service, rule.name), {**body, **parameters}


def _weight(fitting: tuple[int, "_Rule", Parameters]) -> int:
    return fitting[0]


@dataclass(frozen=True)
class _Rule:
    """How one operation of a REST protocol is asked for."""

    name: str
    method: str
    path: re.Pattern[str]
    literals: Mapping[str, str]
    in_query: Mapping[str, str]
    in_headers: Mapping[str, str]
    needed: frozenset[str]
    needed_headers: frozenset[str]
    weight: int

    def fits(self, sent: Sent) -> Iterator[Parameters]:
        """The parameters in path and query, if the request asks for this operation."""
        match = self.path.fullmatch(sent.path)
        if match is None or sent.method != self.method or not self.needed_headers <= set(sent.headers):
            return
        if not self.literals.items() <= sent.query.items() or not self.needed <= set(sent.query):
            return
        named = {self.in_query[name]: value for name, value in sent.query.items() if name in self.in_query}
        named |= {self.in_headers[name]: value for name, value in sent.headers.items() if name in self.in_headers}
        yield {**{name: unquote(value) for name, value in match.groupdict().items()}, **named}


@cache
def _rules(service: str) -> tuple[_Rule, ...]:
    model = ServiceModel(_MODELS.load_service_model(service, "service-2"))
    return tuple(_rule(model.operation_model(name)) for name in model.operation_names)


def _rule(model: OperationModel) -> _Rule:
    path, _, query = str(model.http["requestUri"]).partition("?")
    literals = dict(parse_qsl(query, keep_blank_values=True))
    shape = model.input_shape
    members = shape.members if shape is not None else {}
    required = set(shape.required_members) if shape is not None else set()

    def of(location: str) -> dict[str, str]:
        found = ((name, member.serialization) for name, member in members.items())
        return {of["name"]: name for name, of in found if of.get("location") == location}

    needed = frozenset(name for name, member in of("querystring").items() if member in required)
    needed_headers = frozenset(name.lower() for name, member in of("header").items() if member in required)
    pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", re.escape(path))
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
    fixed = len(re.sub(r"\{[^}]*\}", "", path))
    weight = 1000 * (len(literals) + len(needed) + len(needed_headers)) + fixed
    return _Rule(
        name=model.name,
        method=str(model.http["method"]),
        path=re.compile(pattern + "/?"),
        literals=literals,
        in_query=of("querystring"),
        in_headers={name.lower(): member for name, member in of("header").items()},
        needed=needed,
        needed_headers=needed_headers,
        weight=weight,
    )
