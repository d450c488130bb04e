"""A Terraform module as plain data: what python-hcl2 reads, without its quotes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2

TERRAFORM = Path(__file__).parents[3] / "infra" / "terraform"


@dataclass(frozen=True)
class Block:
    """A resource or data source.

    Attributes:
        kind: Such as `aws_cloudformation_stack`.
        name: In the module.
        body: Its arguments and blocks.
    """

    kind: str
    name: str
    body: dict[str, Any]


class Module:
    """All `.tf` files of a folder."""

    def __init__(self, name: str) -> None:
        self.folder = TERRAFORM / name
        self._files = [_plain(hcl2.loads(path.read_text("utf-8"))) for path in sorted(self.folder.glob("*.tf"))]

    def _named(self, kind: str) -> dict[str, dict[str, Any]]:
        found = [entry for file in self._files for entry in file.get(kind, [])]
        return {name: body for entry in found for name, body in entry.items()}

    @property
    def variables(self) -> dict[str, dict[str, Any]]:
        return self._named("variable")

    @property
    def outputs(self) -> dict[str, dict[str, Any]]:
        return self._named("output")

    @property
    def calls(self) -> dict[str, dict[str, Any]]:
        """The modules that it calls."""
        return self._named("module")

    @property
    def locals(self) -> dict[str, Any]:
        found = [entry for file in self._files for entry in file.get("locals", [])]
        return {name: value for entry in found for name, value in entry.items()}

    @property
    def blocks(self) -> list[Block]:
        """Resources and data sources."""
        return [
            Block(kind, name, body)
            for family in ("resource", "data")
            for kind, named in [pair for file in self._files for one in file.get(family, []) for pair in one.items()]
            for name, body in named.items()
        ]

    @property
    def settings(self) -> dict[str, Any]:
        """The `terraform` block."""
        [block] = [entry for file in self._files for entry in file.get("terraform", [])]
        plain: dict[str, Any] = block
        return plain


def _plain(value: Any) -> Any:  # noqa: ANN401  # HCL as python-hcl2 gives it
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items() if key not in {"__is_block__", "__comments__"}}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value
