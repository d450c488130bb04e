"""How the commands write to a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

WIDE = 240
"""Characters of a line that nobody looks at on a terminal."""


class UncutConsole(Console):
    """A table that is wider than the terminal runs on in the next line. rich would cut it, ids and accounts with it."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As `Console.print`."""
        crop = not any(isinstance(one, Table) for one in objects)
        super().print(*objects, **{"crop": crop, **options})


def console(*, stderr: bool = False) -> Console:
    """A console that leaves text as it is: rich would make an emoji of the `:secret:` in an ARN."""
    return UncutConsole(stderr=stderr, highlight=False, emoji=False)


def wide(*, stderr: bool = False) -> Console:
    """The same; where there is no terminal, nothing is folded or cut to the width of one."""
    made = console(stderr=stderr)
    if not made.is_terminal:
        made.width = WIDE
    return made
