"""Which of the parked messages somebody means."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from hub.dead_letters.message import ParkedMessage
from spoke.errors import Misconfigured, ScanhubError

SHORTEST_ID = 8
"""Characters of an id that are shown at the least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is wanted; what is not said does not matter.

    Attributes:
        reasons: Any of these.
        accounts: Of any of these; a message whose account is not known is of none.
        function: Of this function: its ARN (without a qualifier: each version too), or a pattern of names
            (`*`, `?`, `[...]`).
        before: Parked earlier than that (aware).
        after: Parked later than that (aware).
        ids: These, by the beginnings of their ids. Each must be there, whatever else is wanted.
    """

    reasons: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    function: str = ""
    before: datetime | None = None
    after: datetime | None = None
    ids: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing was said."""
        return self == Selection()

    def of(self, messages: Iterable[ParkedMessage]) -> list[ParkedMessage]:
        """Those that are wanted, the oldest first.

        Raises:
            ScanhubError: No message has one of the ids.
            Misconfigured: Several have it.
        """
        ordered = sorted(messages, key=lambda one: one.order)
        named = {the_one(prefix, ordered).id for prefix in self.ids}
        return [one for one in ordered if (not named or one.id in named) and self._wants(one)]

    def _wants(self, one: ParkedMessage) -> bool:
        return (
            (not self.reasons or one.reason in self.reasons)
            and (not self.accounts or one.account in self.accounts)
            and (not self.function or self._is_of(one))
            and (self.before is None or one.at < self.before)
            and (self.after is None or one.at > self.after)
        )

    def _is_of(self, one: ParkedMessage) -> bool:
        if one.function is None:
            return False
        if ":" in self.function:
            return self.function in {str(one.function), str(one.function.unqualified)}
        return fnmatchcase(one.function.name, self.function)


def the_one(prefix: str, messages: Sequence[ParkedMessage]) -> ParkedMessage:
    """The message whose id begins so.

    Raises:
        ScanhubError: There is none.
        Misconfigured: There are several, or the prefix is empty.
    """
    if not prefix:
        raise Misconfigured("an empty id names no message; see: scanhub dlq list")
    found = [one for one in messages if one.id.startswith(prefix)]
    if not found:
        raise ScanhubError(f"no parked message has an id that begins with {prefix!r}; see: scanhub dlq list")
    if len(found) > 1:
        begun = ", ".join(one.id for one in found[:3])
        raise Misconfigured(f"{len(found)} parked messages have an id that begins with {prefix!r}: {begun}")
    return found[0]


def short_ids(messages: Sequence[ParkedMessage]) -> dict[str, str]:
    """By id: as much of its beginning as tells all of them apart."""
    length = SHORTEST_ID
    ids = {one.id for one in messages}
    while len({one[:length] for one in ids}) < len(ids):
        length += 1
    return {one: one[:length] for one in ids}
