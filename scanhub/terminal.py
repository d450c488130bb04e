"""How the commands write to a terminal."""

from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """A console that leaves text as it is: rich would make an emoji of the `:secret:` in an ARN."""
    return Console(stderr=stderr, highlight=False, emoji=False)
