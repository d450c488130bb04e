"""As much of CloudWatch's metric math as our templates use, worked out for one moment.

The rules are those of the user guide ("Using math expressions with CloudWatch metrics"): arithmetic on a missing figure
is missing, and so are a division by zero and IF of a missing condition; SUM of a list passes over what is missing.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Figure = float | None

_ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISON: dict[type, Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
}


def value(queries: Sequence[Mapping[str, Any]], known: Mapping[str, Figure], parameters: Mapping[str, int]) -> Figure:
    """What the one query that returns data comes to.

    Args:
        queries: `Metrics` of an alarm or of a scaling policy.
        known: The figure of each metric by its id; None is a metric that tells nothing.
        parameters: The template's, by name.
    """
    (returned,) = [query for query in queries if query.get("ReturnData", True)]
    return _Moment(queries, known, parameters).of(returned["Id"])


class _Moment:
    def __init__(
        self, queries: Sequence[Mapping[str, Any]], known: Mapping[str, Figure], parameters: Mapping[str, int]
    ) -> None:
        self._queries = {query["Id"]: query for query in queries}
        measured = {name for name, query in self._queries.items() if "MetricStat" in query}
        assert measured == set(known), "each metric is given, and nothing else"
        self._known = known
        self._parameters = parameters

    def of(self, name: str) -> Figure:
        query = self._queries[name]
        if "Expression" not in query:
            return self._known[name]
        text = query["Expression"]
        if isinstance(text, dict):
            text = text["Fn::Sub"]
            for parameter, figure in self._parameters.items():
                text = text.replace(f"${{{parameter}}}", str(figure))
        return self._worked_out(ast.parse(text.replace(" AND ", " and "), mode="eval").body)

    def _worked_out(self, node: ast.expr) -> Figure:
        match node:
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.Name(id=name):
                return self.of(name)
            case ast.BinOp(left=left, op=sign, right=right):
                return _both(_ARITHMETIC[type(sign)], self._worked_out(left), self._worked_out(right))
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                return _both(_COMPARISON[type(sign)], self._worked_out(left), self._worked_out(right))
            case ast.BoolOp(op=ast.And(), values=parts):
                figures = [self._worked_out(part) for part in parts]
                return None if None in figures else float(all(figures))
            case ast.Call(func=ast.Name(id="SUM"), args=[ast.List(elts=parts)]):
                there = [figure for part in parts if (figure := self._worked_out(part)) is not None]
                return sum(there) if there else None
            case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
                holds = self._worked_out(condition)
                return None if holds is None else self._worked_out(then if holds else otherwise)
        raise NotImplementedError(ast.dump(node))


def _both(work: Callable[[float, float], float], left: Figure, right: Figure) -> Figure:
    if left is None or right is None:
        return None
    try:
        return float(work(left, right))
    except ZeroDivisionError:
        return None
