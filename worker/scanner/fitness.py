"""Whether this machine can scan: the binary and the work directory, asked one by one."""

import asyncio
from collections.abc import Iterator, Mapping

from hub.diagnosis import Kind
from hub.inquiry import Inquiry
from hub.redaction import Redactor
from hub.settings import Settings
from spoke.errors import HostFault
from worker.scanner import binary, disk, version
from worker.scanner.directories import WorkDirectory
from worker.scanner.run import Patience

GROUP = "scanner"

BINARY = Kind(
    name="scanner-binary",
    group=GROUP,
    asks="is the scanner's binary there, executable, and the one whose SHA-256 the settings name?",
    wrong="The worker does not start.",
    fix="build the image again with the licensed binary: `scanhub rollout image`",
)
VERSION = Kind(
    name="scanner-version",
    group=GROUP,
    asks="does the binary run, and which version is it?",
    wrong="The worker does not start.",
    fix="take the binary for the image's CPU architecture, and try it there: "
    "`docker run --entrypoint /opt/qscanner IMAGE --version`",
)
DIRECTORY = Kind(
    name="work-directory",
    group=GROUP,
    asks="is the work directory writable, with room for the largest scan?",
    wrong="The worker does not start, or takes no scan that may not fit.",
    fix="run `scanhub rollout hub` with a larger TaskDiskGiB; the directory must belong to the worker's user",
)
KINDS = (BINARY, VERSION, DIRECTORY)


def inquiries(settings: Settings, *, redactor: Redactor, environ: Mapping[str, str]) -> Iterator[Inquiry]:
    """The questions, in this order: the version is asked in the work directory.

    Args:
        settings: The worker's.
        redactor: Knows the worker's secrets.
        environ: The worker's environment.
    """
    path = str(settings.qscanner_path)

    async def whole() -> str:
        checked = await asyncio.to_thread(binary.check, settings.qscanner_path, settings.qscanner_sha256)
        meant = "as the settings say" if settings.qscanner_sha256 else "the settings name none"
        return f"SHA-256 {checked.sha256}, {meant}"

    async def room() -> str:
        work = WorkDirectory(settings.work_dir)
        await asyncio.to_thread(work.prepare)
        free = await asyncio.to_thread(disk.free, work.scans)
        if free < disk.IMAGE + disk.FLOOR:
            raise HostFault(
                f"{free / disk.GIBIBYTE:.1f} GiB are free: less than a large image function may need "
                f"({(disk.IMAGE + disk.FLOOR) / disk.GIBIBYTE:.1f} GiB)"
            )
        return f"{free / disk.GIBIBYTE:.1f} GiB are free"

    async def runs() -> str:
        checked = await asyncio.to_thread(binary.check, settings.qscanner_path, settings.qscanner_sha256)
        work = WorkDirectory(settings.work_dir)
        await asyncio.to_thread(work.prepare)
        # Within the patience of an inquiry.
        patience = Patience(version=20.0)
        told = await version.ask(checked, work, environ=environ, redactor=redactor, patience=patience)
        return f"it runs: {told}"

    yield Inquiry(BINARY, path, whole)
    yield Inquiry(DIRECTORY, str(settings.work_dir), room)
    yield Inquiry(VERSION, path, runs)
