"""Putting something else in the place of an attribute, or where none is yet, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def replaced(owner: type | ModuleType, name: str, new: object) -> Iterator[None]:
    """Let `owner.name` be `new` until the context is left.

    Raises:
        AttributeError: There is no such attribute: this moto is not the one that the mend was written for.
    """
    present = vars(owner)
    if name not in present:
        raise AttributeError(f"{owner.__name__} has no attribute {name} of its own: the mend needs another look")
    old = present[name]
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, old)


@contextmanager
def added(owner: type, name: str, new: object) -> Iterator[None]:
    """Let there be an `owner.name` until the context is left.

    Raises:
        AttributeError: There is one already: moto has learnt it, and the mend must go.
    """
    if hasattr(owner, name):
        raise AttributeError(f"{owner.__name__} has an attribute {name}: the mend needs another look")
    setattr(owner, name, new)
    try:
        yield
    finally:
        delattr(owner, name)
