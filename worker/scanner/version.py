"""Asks the binary for its version, in a scan's place of the work directory and with no more than a scan is given."""

import asyncio
from collections.abc import Mapping

from hub.redaction import Redactor
from worker.scanner import binary, environment
from worker.scanner.directories import ScanDirectory, WorkDirectory
from worker.scanner.redaction import ScanRedaction
from worker.scanner.run import Patience
from worker.scanner.waiting import completed


async def ask(
    checked: binary.Binary,
    work: WorkDirectory,
    *,
    environ: Mapping[str, str],
    redactor: Redactor,
    patience: Patience,
) -> str:
    """See `worker.scanner.binary.probe_version`.

    Args:
        checked: The binary.
        work: Prepared.
        environ: The worker's environment.
        redactor: Knows the worker's secrets.
        patience: How long it may take.

    Raises:
        Misconfigured: It cannot be started, does not answer, or fails; or the work directory cannot be used.
    """
    place, loop = ScanDirectory(work), asyncio.get_running_loop()
    try:
        await completed(loop.run_in_executor(None, place.claim))
        return await binary.probe_version(
            checked,
            environment=environment.bare_environment(environ, home=place.home, temporary=place.tmp),
            directory=place.path,
            redaction=ScanRedaction(redactor, environment.proxy_passwords(environ)),
            patience=patience,
        )
    finally:
        await completed(loop.run_in_executor(None, place.release))
