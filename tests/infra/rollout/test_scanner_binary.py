import hashlib
from pathlib import Path

import pytest

from infra.rollout import scanner_binary
from spoke.errors import Misconfigured
from tests.infra.rollout.programs import ARM64, S390X, X86_64, elf


@pytest.mark.parametrize(("machine", "architecture"), [(X86_64, "X86_64"), (ARM64, "ARM64")])
def test_it_tells_checksum_and_processor(tmp_path: Path, machine: int, architecture: str) -> None:
    path = elf(tmp_path / "qscanner", machine)
    read = scanner_binary.read(path)
    assert read.architecture == architecture
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read.size == path.stat().st_size


def test_a_real_program_of_this_machine_is_one() -> None:
    assert scanner_binary.read(Path("/bin/sh")).architecture in {"X86_64", "ARM64"}


def test_the_checksum_may_be_written_in_capitals(tmp_path: Path) -> None:
    path = elf(tmp_path / "qscanner")
    given = hashlib.sha256(path.read_bytes()).hexdigest().upper()
    assert scanner_binary.read(path, sha256=given).sha256 == given.lower()


def test_another_checksum_is_refused_and_both_are_named(tmp_path: Path) -> None:
    path = elf(tmp_path / "qscanner")
    with pytest.raises(
        Misconfigured, match=f"SHA-256 is {hashlib.sha256(path.read_bytes()).hexdigest()}, not {'0' * 64}"
    ):
        scanner_binary.read(path, sha256="0" * 64)


@pytest.mark.parametrize("given", ["", "latest", "0" * 63, "g" * 64])
def test_what_is_no_checksum_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(Misconfigured, match="64 hex digits"):
        scanner_binary.read(elf(tmp_path / "qscanner"), sha256=given)


def test_another_processor_than_asked_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="was built for ARM64, not for X86_64"):
        scanner_binary.read(elf(tmp_path / "qscanner", ARM64), architecture="X86_64")


def test_a_processor_that_fargate_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="ELF machine 0x16"):
        scanner_binary.read(elf(tmp_path / "qscanner", S390X))


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF", b"#!/bin/sh\nexec something-else\n", b"\x1f\x8b\x08 a gzip of it, perhaps"]
)
def test_what_is_no_linux_program_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "qscanner"
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match="no Linux program"):
        scanner_binary.read(path)


@pytest.mark.parametrize(("bits", "order"), [(1, 1), (2, 2)])
def test_32_bits_and_the_other_byte_order_are_refused(tmp_path: Path, bits: int, order: int) -> None:
    with pytest.raises(Misconfigured, match="no Linux program"):
        scanner_binary.read(elf(tmp_path / "qscanner", bits=bits, order=order))


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"cannot be read: .*: No such file"):
        scanner_binary.read(tmp_path / "qscanner")
