"""Functions that are not to be scanned, by account, name or tag: worker and sweep use the same rules and words."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from hub.settings import Settings
from spoke.arn import FunctionArn
from spoke.snapshot import FunctionSnapshot
from spoke.tags import is_excluded


def by_account(function: FunctionArn, settings: Settings) -> str | None:
    """Why this function is excluded by its account, or None."""
    return f"the account {function.account} is excluded" if function.account in settings.exclude_accounts else None


def by_name(function: FunctionArn, settings: Settings, *, also: Iterable[str] = ()) -> str | None:
    """Why this function is excluded by its name, or None.

    Args:
        function: Its versions have its name.
        settings: Hold the patterns for good.
        also: Further patterns, of one sweep.
    """
    for pattern in (*settings.exclude_functions, *also):
        if fnmatchcase(function.name, pattern):
            return f"the name matches {pattern}"
    return None


def by_tag(snapshot: FunctionSnapshot, settings: Settings) -> str | None:
    """Why this function is excluded by its tags, or None."""
    return tagged(settings) if is_excluded(snapshot.tags, settings.exclusion_tag) else None


def tagged(settings: Settings) -> str:
    """What is said of every function that carries the excluding tag."""
    return f"it is tagged {settings.exclusion_tag}"
