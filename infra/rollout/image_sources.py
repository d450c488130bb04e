"""What a worker image is built from: the Dockerfile's sources and the binary, as one folder for the engine."""

import hashlib
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from infra.rollout.scanner_binary import ScannerBinary
from spoke.errors import HostFault, Misconfigured

BINARY = "qscanner"
"""The binary's name in the folder (the Dockerfile's build argument `QSCANNER`)."""

_IGNORE_FILE = ".dockerignore"


@dataclass(frozen=True)
class ImageSources:
    """A checkout of the project.

    Attributes:
        root: Where the Dockerfile lies.
        version: Of `pyproject.toml`.
        names: Files and folders at the root that the ignore file lets pass.
        junk: Patterns of names that it keeps out wherever they are.
    """

    root: Path
    version: str
    names: tuple[str, ...]
    junk: tuple[str, ...]

    def files(self) -> Iterator[Path]:
        """Every file that goes to the engine, relative to the root, in a fixed order."""
        for name in sorted((*self.names, "Dockerfile", _IGNORE_FILE)):
            top = self.root / name
            found = sorted(top.rglob("*")) if top.is_dir() else [top]
            for path in found:
                relative = path.relative_to(self.root)
                if path.is_file() and not self._is_junk(relative):
                    yield relative

    def digest(self) -> str:
        """The SHA-256 of all names and contents."""
        whole = hashlib.sha256()
        for relative in self.files():
            content = hashlib.sha256((self.root / relative).read_bytes()).hexdigest()
            whole.update(f"{relative.as_posix()}\0{content}\n".encode())
        return whole.hexdigest()

    @contextmanager
    def assembled(self, binary: ScannerBinary) -> Iterator[Path]:
        """A temporary folder with the sources and the binary; the checkout itself is not written to.

        Raises:
            HostFault: It cannot be written.
        """
        try:
            with tempfile.TemporaryDirectory(prefix="scanhub-image-") as name:
                folder = Path(name)
                for relative in self.files():
                    target = folder / relative
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(self.root / relative, target)
                shutil.copyfile(binary.path, folder / BINARY)
                yield folder
        except OSError as error:
            raise HostFault(f"what the image is built from cannot be laid out: {error}") from error

    def _is_junk(self, relative: Path) -> bool:
        return any(fnmatch(part, pattern) for part in relative.parts for pattern in self.junk)


def find(root: Path | None = None) -> ImageSources:
    """The checkout to build from.

    Args:
        root: None looks where this code lies, and then in the current directory.

    Raises:
        Misconfigured: There is none. An installed package has no Dockerfile and no locked requirements.
    """
    tried = [root] if root else [Path(__file__).resolve().parents[2], Path.cwd()]
    for place in tried:
        if (place / "Dockerfile").is_file() and (place / "pyproject.toml").is_file():
            project = tomllib.loads((place / "pyproject.toml").read_text("utf-8"))["project"]
            if project["name"] == "scanhub":
                return _read(place, project["version"])
    raise Misconfigured(
        "an image is built from a checkout of scanhub, with its Dockerfile and locked requirements; none is in "
        f"{' or '.join(str(place) for place in tried)}: clone the repository, and name it by --source"
    )


def _read(root: Path, version: str) -> ImageSources:
    lines = [line.strip() for line in (root / _IGNORE_FILE).read_text("utf-8").splitlines()]
    passed = tuple(line[1:] for line in lines if line.startswith("!") and "*" not in line)
    junk = tuple(line.removeprefix("**/") for line in lines if line.startswith("**/"))
    return ImageSources(root, version, passed, junk)
