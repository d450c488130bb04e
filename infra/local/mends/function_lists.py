"""Lists of functions in pages, aliases of a function by its ARN, and provisioned concurrency.

moto 5.2.5 gives every function of ListFunctions on one page, where Lambda gives fifty; it lists a function's aliases by
its bare name only; and it knows no provisioned concurrency. Of that there is what configures it and what lists it;
nothing is provisioned.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import unquote

from moto.awslambda import urls
from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend
from moto.awslambda.responses import LambdaResponse
from moto.core.common_types import TYPE_RESPONSE

from infra.local.mends.replacement import added, replaced

PAGE = 50
"""Entries of one page, the most that Lambda gives (its API reference of ListFunctions)."""

_PATH = "{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\\w_:%-]+)/provisioned-concurrency/?$"
_KEPT = "scanhub_provisioned"

Entry = dict[str, Any]


@contextmanager
def mended() -> Iterator[None]:
    """All three are there. A server takes up the new path if it is asked for Lambda the first time while this holds."""
    with ExitStack() as mends:
        mends.enter_context(replaced(LambdaResponse, "list_functions", _paged(LambdaResponse.list_functions)))
        mends.enter_context(replaced(LambdaResponse, "list_aliases", _list_aliases))
        mends.enter_context(added(LambdaResponse, "put_provisioned_concurrency_config", _put))
        mends.enter_context(added(LambdaResponse, "list_provisioned_concurrency_configs", _list))
        mends.enter_context(replaced(urls, "url_paths", {**urls.url_paths, _PATH: LambdaResponse.dispatch}))
        yield


def _paged(original: Callable[[LambdaResponse], str]) -> Callable[[LambdaResponse], str]:
    def list_functions(response: LambdaResponse) -> str:
        entries: list[Entry] = json.loads(original(response))["Functions"]
        return json.dumps(_page(response, "Functions", entries, by="FunctionArn"))

    return list_functions


def _page(response: LambdaResponse, name: str, entries: list[Entry], *, by: str) -> dict[str, Any]:
    """The entries after the marker's, by ARN: so none is missed where another is deleted between two pages."""
    query = response.querystring
    size = min(PAGE, int(query.get("MaxItems", [PAGE])[0]))
    last = _decoded(query["Marker"][0]) if "Marker" in query else ""
    left = sorted((one for one in entries if one[by] > last), key=lambda one: str(one[by]))
    page: dict[str, Any] = {name: left[:size]}
    if len(left) > size:
        page["NextMarker"] = base64.urlsafe_b64encode(left[size - 1][by].encode()).decode()
    return page


def _decoded(marker: str) -> str:
    try:
        return base64.urlsafe_b64decode(marker).decode()
    except ValueError:
        raise InvalidParameterValueException("Invalid marker") from None


def _list_aliases(response: LambdaResponse) -> TYPE_RESPONSE:
    function = response.backend.get_function(_name(response))
    entries = [alias.to_json() for alias in response.backend.list_aliases(function.function_name)]
    return 200, {}, json.dumps(_page(response, "Aliases", entries, by="AliasArn"))


def _put(response: LambdaResponse) -> TYPE_RESPONSE:
    function = response.backend.get_function(_name(response))
    qualifier = response.querystring["Qualifier"][0]
    if qualifier == "$LATEST":
        raise InvalidParameterValueException("Provisioned Concurrency Configs cannot be applied to unpublished version")
    # Of what does not exist this raises.
    response.backend.get_function(function.function_name, qualifier)
    asked = response.json_body["ProvisionedConcurrentExecutions"]
    config = {
        "RequestedProvisionedConcurrentExecutions": asked,
        "AvailableProvisionedConcurrentExecutions": asked,
        "AllocatedProvisionedConcurrentExecutions": asked,
        "Status": "READY",
        "LastModified": function.last_modified,
    }
    _kept(response.backend).setdefault(function.function_arn, {})[qualifier] = config
    return 202, {}, json.dumps(config)


def _list(response: LambdaResponse) -> TYPE_RESPONSE:
    arn = response.backend.get_function(_name(response)).function_arn
    entries = [
        {"FunctionArn": f"{arn}:{qualifier}", **config}
        for qualifier, config in _kept(response.backend).get(arn, {}).items()
    ]
    return 200, {}, json.dumps(_page(response, "ProvisionedConcurrencyConfigs", entries, by="FunctionArn"))


def _name(response: LambdaResponse) -> str:
    return unquote(response.path.rstrip("/").split("/")[-2])


def _kept(backend: LambdaBackend) -> dict[str, dict[str, Entry]]:
    """By function and qualifier; moto forgets it with all else when it is reset."""
    kept: dict[str, dict[str, Entry]] = vars(backend).setdefault(_KEPT, {})
    return kept
