"""What the slow scanner did, as it told itself, and what is left of it."""

import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.doubles import slow_scanner


@dataclass(frozen=True, slots=True)
class Scan:
    """One run of the scanner.

    Attributes:
        function: Its target.
        pid: Of its leader.
        place: The work directory that it ran in.
        started: Monotonic seconds.
        last_alive: When it was last seen alive; within a tick of its end.
        ended: Whether it came to its end; otherwise it runs, or was killed.
    """

    function: str
    pid: int
    place: Path
    started: float
    last_alive: float
    ended: bool


class SlowScanner:
    """The executable, and the directory through which it is told what to do.

    Args:
        directory: Of this test; the work directories lie in it too.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._control = directory / "control"
        self._control.mkdir()
        self.binary = directory / "qscanner"
        self.binary.write_text(
            # Resolved: a shebang knows no spaces, and the checkout's own path may hold one.
            f"#!{Path(sys.executable).resolve()} -IBS\n"
            "import sys\n"
            f"sys.path.insert(0, {str(Path(slow_scanner.__file__).parent)!r})\n"
            "import slow_scanner\n"
            f"sys.exit(slow_scanner.main({str(self._control)!r}, sys.argv))\n",
            encoding="utf-8",
        )
        self.binary.chmod(0o755)

    def takes(self, name: str, seconds: float) -> None:
        """From now on a scan of this function that starts takes so long."""
        self._tell(f"seconds-{name}", seconds)

    def needs(self, name: str, mebibytes: int) -> None:
        """From now on a scan of this function that starts fills so much of its disk."""
        self._tell(f"scratch-{name}", mebibytes)

    def fails(self, name: str, code: int) -> None:
        """From now on a scan of this function that starts ends with this exit code; 0: it passes."""
        self._tell(f"exit-{name}", code)

    def bares_its_child(self) -> None:
        """From now on the child in the scanner's group has no environment: it can be found by its group alone."""
        (self._control / "bare").touch()

    def finish(self, scan: Scan) -> None:
        """Let it come to its end now."""
        (self._control / f"finish-{scan.pid}").touch()

    def _tell(self, what: str, value: float) -> None:
        # Whole or not at all: a scanner may start just now.
        draft = self._control / f".{what}"
        draft.write_text(str(value))
        draft.rename(self._control / what)

    def scans(self) -> list[Scan]:
        """All so far, in the order in which they started."""
        lines = [json.loads(line) for line in self._lines()]
        ends = {line["pid"]: line["at"] for line in lines if line["what"] == "end"}
        return [
            Scan(
                function=line["function"],
                pid=line["pid"],
                place=Path(line["out"]).parents[2],
                started=line["at"],
                last_alive=ends.get(line["pid"]) or max(line["at"], self._last_seen(line["pid"])),
                ended=line["pid"] in ends,
            )
            for line in lines
            if line["what"] == "start"
        ]

    def of(self, name: str) -> list[Scan]:
        """Those of one function."""
        return [scan for scan in self.scans() if scan.function.endswith(f":{name}")]

    def at(self, place: Path) -> list[Scan]:
        """Those in one work directory."""
        return [scan for scan in self.scans() if scan.place == place]

    def is_alive(self, scan: Scan) -> bool:
        """Whether its leader is."""
        return scan.pid in self.processes(scan.place)

    def processes(self, place: Path | None = None) -> list[int]:
        """The living processes of the scans in a work directory, or in all: leaders, children, strays.

        Of all processes of a test they alone have a `TMPDIR` in a work directory, or name one on their command line.
        """
        directory = place or self._directory
        mark, shown = os.fsencode(f"TMPDIR={directory}/"), os.fsencode(f"\0{directory}/")
        found = []
        for entry in Path("/proc").iterdir():
            # It may have ended since, or be another user's; what has ended and waits to be reaped has no environment.
            with suppress(OSError):
                if entry.name.isdecimal() and (
                    mark in (entry / "environ").read_bytes() or shown in (entry / "cmdline").read_bytes()
                ):
                    found.append(int(entry.name))
        return found

    def end_all(self) -> None:
        """Kill whatever lives."""
        while left := self.processes():
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _lines(self) -> list[str]:
        with suppress(FileNotFoundError):
            return (self._control / "log").read_text().splitlines()
        return []

    def _last_seen(self, pid: int) -> float:
        text = (self._control / f"alive-{pid}").read_text()
        return float(text) if text else 0.0
