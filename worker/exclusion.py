"""Functions that are not to be scanned."""

from fnmatch import fnmatchcase

from hub.settings import Settings
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot
from spoke.tags import is_excluded


def by_name(function: FunctionArn, settings: Settings) -> str | None:
    """Why this function is excluded by its name, or None."""
    for pattern in settings.exclude_functions:
        if fnmatchcase(function.name, pattern):
            return f"the name matches {pattern}"
    return None


def by_tag(snapshot: FunctionSnapshot, settings: Settings) -> str | None:
    """Why this function is excluded by its tags, or None."""
    if is_excluded(snapshot.tags or {}, settings.exclusion_tag):
        return f"it is tagged {settings.exclusion_tag}"
    return None
