"""Where in the code something is used: found in its syntax, so that a line number is never kept by hand."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class UnknownCode(ValueError):
    """Such code is not there, or there is more than one."""


@dataclass(frozen=True, slots=True)
class Use:
    """A line of code, named by what stands there.

    Attributes:
        path: From the root of the repository: `hub/queue.py`.
        function: Its qualified name: `SqsQueue.receive`.
        what: A method that is called or handed on there, or a text that stands there; empty for the function itself.
    """

    path: str
    function: str
    what: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.path, self.function, self.what)))

    @classmethod
    def parse(cls, written: str) -> "Use":
        """`hub/queue.py SqsQueue.receive receive_message`.

        Raises:
            ValueError: It has fewer than two words or more than three.
        """
        path, function, *what = written.split()
        return cls(path, function, *what)

    def line(self, root: Path = ROOT) -> int:
        """The number of its line, from 1.

        Raises:
            UnknownCode: It is not there, or stands there more than once.
        """
        path = root / self.path
        if not path.is_file():
            raise UnknownCode(f"{self}: there is no such file")
        function = _named(path, self.function)
        if function is None:
            raise UnknownCode(f"{self}: there is no such function")
        if not self.what:
            return function.lineno
        lines = sorted(
            {node.lineno for node in ast.walk(function) if isinstance(node, ast.expr) and _is(node, self.what)}
        )
        if len(lines) != 1:
            raise UnknownCode(f"{self}: stands on {len(lines)} lines of that function; one is needed")
        return lines[0]


def _is(node: ast.expr, what: str) -> bool:
    match node:
        case ast.Attribute(attr=name):
            # Called there, or handed on to be called.
            return name == what
        case ast.Constant(value=str(text)):
            return text == what
    return False


def _named(path: Path, name: str) -> _Definition | None:
    scope: ast.AST = _tree(path)
    for part in name.split("."):
        inner = [node for node in _definitions(scope) if node.name == part]
        if len(inner) != 1:
            return None
        scope = inner[0]
    return scope if isinstance(scope, _Definition) else None


def _definitions(scope: ast.AST) -> Iterator[_Definition]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, _Definition):
            yield node


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))
