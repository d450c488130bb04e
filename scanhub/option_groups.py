"""Options that several commands have alike: declared once, and handed to each command as one object."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def taking(**groups: Callable[..., object]) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Make a typer command, or a larger group, of a function that takes groups of options as one argument each.

    Args:
        groups: By the name of the function's argument: what makes it. Its parameters become options of the command, in
            the place of the argument.
    """

    def decorate(command: Callable[..., Result]) -> Callable[..., Result]:
        own = inspect.signature(command)
        options = {name: inspect.signature(make).parameters for name, make in groups.items()}

        @functools.wraps(command)
        def told(**values: Any) -> Result:  # as the command line gives them
            made = {name: make(**{one: values.pop(one) for one in options[name]}) for name, make in groups.items()}
            return command(**values, **made)

        parameters = [
            one.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in own.parameters.items()
            for one in (options[name].values() if name in options else (parameter,))
        ]
        told.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # typer reads it
        return told

    return decorate
