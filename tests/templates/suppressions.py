"""The suppressions that stand in a template's `Metadata`, each with its reason.

checkov reads `Metadata: checkov: skip: [{id, comment}]`; cfn-guard's registry writes `Metadata: guard: SuppressedRules:
[rule]`, whose reason is a comment: at the end of the rule's line, or on the lines right above it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.templates.findings import Place, Suppression

_COMMENT = re.compile(r"\s*#\s?(?P<text>.*)")


def read(path: Path) -> tuple[Suppression, ...]:
    """All suppressions of a template."""
    text = path.read_text("utf-8")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode), f"{path}: is no template"
    return tuple(_of_resources(path.name, root, text.splitlines()))


def _of_resources(file: str, root: yaml.MappingNode, lines: list[str]) -> Iterator[Suppression]:
    for resource, body in _pairs(_child(root, "Resources")):
        metadata = _child(body, "Metadata")
        for entry in _items(_child(_child(metadata, "checkov"), "skip")):
            fields = {key: value.value for key, value in _pairs(entry)}
            yield Suppression(Place("checkov", file, resource, fields["id"]), fields.get("comment", ""))
        for rule in _items(_child(_child(metadata, "guard"), "SuppressedRules")):
            assert isinstance(rule, yaml.ScalarNode)
            place = Place("cfn-guard", file, resource, rule.value)
            yield Suppression(place, _reason(lines, rule.start_mark.line, rule.end_mark.column))


def _reason(lines: list[str], line: int, column: int) -> str:
    beside = _COMMENT.fullmatch(lines[line][column:])
    if beside:
        return beside["text"]
    above: list[str] = []
    while comment := _COMMENT.fullmatch(lines[line - 1 - len(above)]):
        above.insert(0, comment["text"])
    return " ".join(above)


def _pairs(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, value


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return dict(_pairs(node)).get(name)


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
