"""Where the sources are, so that child processes find them wherever the bench was started."""

from pathlib import Path

import scanhub

ROOT = Path(scanhub.__file__).parent.parent
