import io
import resource
import stat
import struct
import zipfile
from contextlib import suppress

import pytest

from infra.local.qscanner.archive import read_zip, safe_path
from infra.local.qscanner.exit_codes import ExitCode, ScanFailed
from infra.local.qscanner.limits import MIB, Budget, Limits
from tests.infra.local.qscanner.recording import Recording, zipped


def show(content: bytes, *, limits: Limits | None = None, wants: bool = True) -> tuple[Recording, Budget]:
    recording, budget = Recording(wants=wants), Budget(limits or Limits())
    read_zip(io.BytesIO(content), recording, budget)
    return recording, budget


def refused(content: bytes, *, limits: Limits | None = None, wants: bool = True) -> ScanFailed:
    with pytest.raises(ScanFailed) as failure:
        show(content, limits=limits, wants=wants)
    return failure.value


def with_entry(name: str, content: bytes = b"x", *, mode: int = stat.S_IFREG | 0o644) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.create_system = 3
        entry.external_attr = mode << 16
        archive.writestr(entry, content)
    return target.getvalue()


def listed_often(content: bytes, times: int) -> bytes:
    """An overlapping bomb: one file, and a table of contents that names it again and again."""
    archive = zipped({"a": content}, zipfile.ZIP_STORED)
    end = archive.rindex(b"PK\x05\x06")
    start = struct.unpack_from("<L", archive, end + 16)[0]
    record = archive[start:end]
    tail = bytearray(archive[end:])
    struct.pack_into("<HHL", tail, 8, times, times, len(record) * times)
    return archive[:start] + record * times + bytes(tail)


def test_shows_every_file_and_goes_into_archives() -> None:
    inner = zipped({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\n"})
    recording, _ = show(zipped({"app.py": "import os\n", "lib/": "", "lib/a.JAR": inner, "lib/b.zip": inner}))
    assert recording.files == {
        "app.py": b"import os\n",
        "lib/a.JAR!/META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n",
        "lib/b.zip!/META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n",
    }
    assert recording.archives == ["", "lib/a.JAR", "lib/b.zip"]


def test_what_nobody_wants_is_not_unpacked() -> None:
    content = bytearray(zipped({"model.bin": b"weights" * 100}, zipfile.ZIP_STORED))
    content[content.index(b"weights")] ^= 0xFF
    recording, _ = show(bytes(content), wants=False)
    assert recording.files == {}
    assert refused(bytes(content)).code is ExitCode.DAMAGED


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Windows\\system32\\a.dll", "Windows/system32/a.dll"),
        ("a/./b//c", "a/b/c"),
        ("..\\..\\x", "x"),
        ("line\nbreak\x1b[31m", "line_break_[31m"),
        ("../..", ""),
        ("", ""),
    ],
)
def test_paths_cannot_lead_out(name: str, path: str) -> None:
    assert safe_path(name) == path


def test_an_entry_that_leads_out_is_shown_under_a_harmless_path() -> None:
    recording, _ = show(with_entry("../../../tmp/evil.py"))
    assert list(recording.files) == ["tmp/evil.py"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_passed_over(kind: int) -> None:
    recording, _ = show(with_entry("node_modules/x/package.json", b"/etc/passwd", mode=kind | 0o777))
    assert recording.files == {}


def test_a_link_named_like_an_archive_is_passed_over() -> None:
    recording, budget = show(with_entry("lib/a.jar", b"/etc/passwd", mode=stat.S_IFLNK | 0o777))
    assert recording.archives == [""]
    assert budget.warnings == []


def test_too_many_entries() -> None:
    failure = refused(zipped({f"{number}.txt": "" for number in range(21)}), limits=Limits(entries=20))
    assert failure.code is ExitCode.OVER_LIMIT
    assert "more than 20 entries" in failure.message


def test_the_default_of_entries_holds_for_a_real_archive() -> None:
    assert "more than 20,000 entries" in refused(listed_often(b"", 20_001), wants=False).message
    assert show(listed_often(b"", 20_000), wants=False)[0].files == {}


def test_a_huge_table_of_contents_is_refused_before_it_is_read() -> None:
    content = zipped({f"{number:0200}": "" for number in range(100)})
    failure = refused(content, limits=Limits(directory_bytes=4096))
    assert failure.code is ExitCode.OVER_LIMIT
    assert "table of contents" in failure.message


def test_too_many_bytes_in_all() -> None:
    content = zipped({f"{number}.txt": "x" * 400 for number in range(3)})
    assert "more than 1,000 bytes" in refused(content, limits=Limits(total_bytes=1000)).message


def test_bytes_of_inner_archives_count_too() -> None:
    inner = zipped({"big.txt": "x" * 900})
    content = zipped({"a.jar": inner, "b.jar": inner})
    assert "b.jar!/big.txt" in refused(content, limits=Limits(total_bytes=1000 + 2 * len(inner))).message


def test_one_file_too_large() -> None:
    assert "a file of 2,000 bytes" in refused(zipped({"a": "x" * 2000}), limits=Limits(file_bytes=1999)).message


def test_a_bomb_of_zeros_is_refused_by_its_ratio_whether_wanted_or_not() -> None:
    bomb = zipped({"zeros.txt": bytes(20 * MIB)})
    assert len(bomb) < 30_000
    assert "ratio above 200" in refused(bomb).message
    assert "ratio above 200" in refused(bomb, wants=False).message


def test_a_bomb_within_a_bomb_takes_no_memory() -> None:
    layer = zipped({f"{number}.txt": bytes(16 * MIB) for number in range(10)})
    for _ in range(2):
        layer = zipped({f"{number}.zip": layer for number in range(10)})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(layer).code is ExitCode.OVER_LIMIT
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


def test_many_entries_that_share_their_bytes_count_each() -> None:
    overlapping = listed_often(b"x" * 4000, 1000)
    assert "more than 1,048,576 bytes" in refused(overlapping, limits=Limits(total_bytes=MIB), wants=False).message


def test_archives_nested_too_deep() -> None:
    content = zipped({"leaf.txt": "leaf"})
    for _ in range(3):
        content = zipped({"inner.jar": content})
    recording, _ = show(content)
    assert list(recording.files) == ["inner.jar!/inner.jar!/inner.jar!/leaf.txt"]
    failure = refused(zipped({"inner.jar": content}))
    assert failure.code is ExitCode.OVER_LIMIT
    assert "nested deeper than 3" in failure.message


def test_a_size_that_lies_is_damage_not_a_larger_read() -> None:
    content = bytearray(zipped({"a.txt": "x" * 5000}))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", content, content.index(signature) + place, 10)
    assert refused(bytes(content)).code is ExitCode.DAMAGED


@pytest.mark.parametrize("content", [b"", b"not a zip at all", b"\x7fELF" + b"\0" * 200])
def test_no_archive_at_all(content: bytes) -> None:
    assert refused(content).code is ExitCode.NOT_AN_ARCHIVE


def test_a_truncated_archive_is_damaged() -> None:
    content = zipped({"app.py": "import os\n" * 100})
    assert refused(content[: len(content) // 2]).code is ExitCode.DAMAGED


def test_every_single_flipped_byte_is_a_clean_end() -> None:
    """Whatever zipfile raises on damage, it must come out as one of the scanner's own ends."""
    whole = zipped({"app.py": "import os\n" * 20, "lib/a.jar": zipped({"b": "c"})})
    for place in range(len(whole)):
        content = bytearray(whole)
        content[place] ^= 0xFF
        with suppress(ScanFailed):
            show(bytes(content))


def test_an_encrypted_file_that_is_wanted_cannot_be_read() -> None:
    content = bytearray(zipped({"app.py": "import os\n"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refused(bytes(content)).code is ExitCode.UNSUPPORTED
    assert show(bytes(content), wants=False)[0].files == {}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_refused(method: int) -> None:
    failure = refused(zipped({"app.py": "import os\n"}, method))
    assert failure.code is ExitCode.UNSUPPORTED
    assert f"method {method}" in failure.message


def test_an_inner_archive_that_cannot_be_read_is_a_warning() -> None:
    recording, budget = show(zipped({"lib/broken.jar": b"PK\x03\x04 broken", "lib/text.jar": b"text", "app.py": "x"}))
    assert list(recording.files) == ["app.py"]
    assert [warning.partition(":")[0] for warning in budget.warnings] == ["lib/broken.jar", "lib/text.jar"]
