"""Documents with anything in the place of some of their parts: what a scanner could write on its worst day."""

import copy
from typing import Any

from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
"""Any JSON value."""

_REMOVED = object()


def broken(document: object) -> st.SearchStrategy[Any]:
    """The document, one to four of its parts replaced by any JSON value, or taken out."""
    change = st.tuples(st.integers(0, 999), JSON | st.just(_REMOVED))
    return st.lists(change, min_size=1, max_size=4).map(lambda changes: _changed(document, changes))


def _changed(document: object, changes: list[tuple[int, object]]) -> object:
    holder = [copy.deepcopy(document)]
    for number, replacement in changes:
        places = list(_places(holder))
        container, key = places[number % len(places)]
        if replacement is not _REMOVED:
            container[key] = copy.deepcopy(replacement)
        elif container is not holder:
            del container[key]
    return holder[0]


def _places(container: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401  # a list or a dict, indexed alike
    """Every part of the document as (what holds it, its key or index), outermost first."""
    keys = list(container) if isinstance(container, dict) else list(range(len(container)))
    here = [(container, key) for key in keys]
    inner = [container[key] for key in keys if isinstance(container[key], dict | list)]
    return here + [place for one in inner for place in _places(one)]
