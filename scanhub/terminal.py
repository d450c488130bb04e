"""How the commands write to a terminal."""

from rich.console import Console

WIDE = 240
"""Characters of a line that nobody looks at on a terminal."""


def console(*, stderr: bool = False) -> Console:
    """A console that leaves text as it is: rich would make an emoji of the `:secret:` in an ARN."""
    return Console(stderr=stderr, highlight=False, emoji=False)


def wide(*, stderr: bool = False) -> Console:
    """The same; where there is no terminal, nothing is folded or cut to the width of one."""
    made = console(stderr=stderr)
    if not made.is_terminal:
        made.width = WIDE
    return made
