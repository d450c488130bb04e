"""Regions as a user types them."""

from collections.abc import Iterable
from difflib import get_close_matches

from botocore.session import get_session

from scanhub.aws_options import listed
from spoke.errors import Misconfigured


def parse(values: Iterable[str] | None) -> tuple[str, ...]:
    """The regions, each once; options that hold commas are taken apart.

    Raises:
        Misconfigured: AWS, as far as this version's list of endpoints goes, has no such region for Lambda.
    """
    named = tuple(dict.fromkeys(listed(values)))
    if not named:
        return ()
    session = get_session()
    known = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("lambda", partition)
    }
    for name in named:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            raise Misconfigured(f"there is no region {name[:64]!r}" + (f"; did you mean {close[0]}?" if close else ""))
    return named
