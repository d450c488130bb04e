"""A small disk that a worker can fill, without harm to anybody else."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.workers import ROOT


class NoMount(Exception):
    """This user, or this machine, may not mount anything."""


class SmallDisk:
    """A tmpfs in a mount namespace of its own: it is seen by those who enter, and vanishes with the last of them.

    A user who may not mount gets a user namespace too, in which he may.

    Args:
        place: Where it is mounted; an existing directory.
        mebibytes: Its size. A tmpfs takes memory as it is filled.

    Raises:
        NoMount: On entering.
    """

    def __init__(self, place: Path, mebibytes: int) -> None:
        self._place = place
        self._size = mebibytes
        self._user = [] if os.geteuid() == 0 else ["--user"]
        self._holder: subprocess.Popen[bytes] | None = None

    @property
    def prefix(self) -> list[str]:
        """What a command line begins with that runs with this disk, in the project's own directory."""
        credentials = ["--preserve-credentials"] if self._user else []
        return ["nsenter", "--target", str(self._pid), "--mount", *self._user, *credentials, f"--wd={ROOT}"]

    @property
    def seen_from_outside(self) -> Path:
        """Where this process finds what lies on it."""
        return Path(f"/proc/{self._pid}/root{self._place}")

    @property
    def _pid(self) -> int:
        if self._holder is None:
            raise AssertionError("the disk is not mounted")
        return self._holder.pid

    def __enter__(self) -> Self:
        script = 'mount -t tmpfs -o "size=$1m,mode=0700" scanhub "$2" && echo mounted && exec cat'
        root = ["--map-root-user"] if self._user else []
        try:
            self._holder = subprocess.Popen(
                ["unshare", *self._user, *root, "--mount", "sh", "-c", script, "sh", str(self._size), str(self._place)],  # noqa: S607  # wherever util-linux is
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except FileNotFoundError as error:
            raise NoMount(str(error)) from error
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"mounted\n":
            _, said = self._holder.communicate()
            raise NoMount(said.decode(errors="replace").strip())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._holder is not None:
            # `cat` ends with its input.
            self._holder.communicate()
