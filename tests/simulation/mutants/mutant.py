"""A deliberate fault."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """One deliberate fault.

    Attributes:
        name: What it does.
        path: In which file.
        find: The text to be replaced.
        put: What replaces it.
    """

    name: str
    path: str
    find: str
    put: str
