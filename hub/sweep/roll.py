"""Which functions a list has shown, in a few bytes for each: that is kept until the whole account is done."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from spoke.arn import FunctionArn

_END = "\n"
"""Between two names: no name and no qualifier can hold one."""

_Start = tuple[str, str, str]


class Roll(Collection[FunctionArn]):
    """A set of functions, in some 30 bytes for each; a set of the same ARNs takes 200.

    Whether it has one takes some ten microseconds, of however many: its names are sorted.

    Args:
        functions: Which may be named twice.
    """

    def __init__(self, functions: Iterable[FunctionArn] = ()) -> None:
        names: defaultdict[_Start, set[str]] = defaultdict(set)
        for function in functions:
            names[_start(function)].add(_name(function))
        self._length = sum(map(len, names.values()))
        self._texts = {start: f"{_END}{_END.join(sorted(of))}{_END}" for start, of in names.items()}

    def __len__(self) -> int:
        return self._length

    def __contains__(self, function: object) -> bool:
        if not isinstance(function, FunctionArn):
            return False
        return _has(self._texts.get(_start(function), _END), _name(function))

    def __iter__(self) -> Iterator[FunctionArn]:
        for start, text in self._texts.items():
            for line in text.split(_END)[1:-1]:
                name, colon, qualifier = line.partition(":")
                yield FunctionArn(*start, name, qualifier if colon else None)


def _start(function: FunctionArn) -> _Start:
    return function.partition, function.region, function.account


def _name(function: FunctionArn) -> str:
    return function.name if function.qualifier is None else f"{function.name}:{function.qualifier}"


def _has(text: str, name: str) -> bool:
    """Whether it is among the sorted names of a text, each of which stands between two ends."""
    low, high = 0, len(text) - 1
    # Both are the place of an end; the name, if it is there, is between them.
    while low < high:
        before = text.rfind(_END, low, (low + high) // 2)
        after = text.find(_END, before + 1)
        middle = text[before + 1 : after]
        if middle == name:
            return True
        if middle < name:
            low = after
        else:
            high = before
    return False
