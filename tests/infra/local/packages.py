"""A small function to publish."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SmallFunction:
    name: str
    account: int = 0
    region: int = 0
    runtime: str = "python3.13"
    handler: str = "app.handler"
    architecture: str = "arm64"
    tags: Mapping[str, str] = field(default_factory=dict)
    source: str = "def handler(event, context):\n    return event\n"

    def build(self) -> bytes:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr(zipfile.ZipInfo("app.py"), self.source)
        return package.getvalue()
