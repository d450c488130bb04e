"""A scene for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.scene import Scene, opened


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """An empty cloud with a hub and two spokes, and no worker yet."""
    with opened(tmp_path) as scene:
        yield scene
