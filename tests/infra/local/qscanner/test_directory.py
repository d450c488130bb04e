import os
from pathlib import Path

import pytest

from infra.local.qscanner.directory import read_directory
from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.limits import Budget, Limits
from tests.infra.local.qscanner.recording import Recording, zipped


def test_shows_files_and_archives_and_follows_no_link(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "lib").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("outside")
    (root / "app.py").write_text("import os\n")
    (root / "lib" / "a.jar").write_bytes(zipped({"x.txt": "x"}))
    (root / "lib" / "broken.jar").write_bytes(b"broken")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "outside").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.txt")
    recording, budget = Recording(), Budget(Limits())
    read_directory(root, recording, budget)
    assert recording.files == {"app.py": b"import os\n", "lib/a.jar!/x.txt": b"x"}
    assert budget.warnings == ["lib/broken.jar: not a zip archive"]


def test_nothing_is_read_that_nobody_wants(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x")
    recording = Recording(wants=False)
    read_directory(tmp_path, recording, Budget(Limits()))
    assert recording.files == {}
    assert recording.archives == [""]


def test_a_file_that_vanished_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "walk", lambda *_, **__: iter([(str(tmp_path), [], ["gone.txt"])]))
    budget = Budget(Limits())
    read_directory(tmp_path, Recording(), budget)
    assert budget.warnings == ["gone.txt: No such file or directory"]


def test_limits_hold_here_too(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text("x" * 100)
    for limits in (Limits(entries=4), Limits(total_bytes=499), Limits(file_bytes=99)):
        with pytest.raises(ScanFailed) as failure:
            read_directory(tmp_path, Recording(), Budget(limits))
        assert failure.value.code is ExitCode.OVER_LIMIT


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ScanFailed, match="not a directory") as failure:
        read_directory(tmp_path / "missing", Recording(), Budget(Limits()))
    assert failure.value.code is ExitCode.NOT_AN_ARCHIVE
