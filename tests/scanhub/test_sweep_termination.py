"""ECS ends a task by SIGTERM: what the sweep has in hand is given up, and the exit code says so."""

import asyncio
import os
import signal

import pytest
import typer

from scanhub import sweep_command


def test_sigterm_lets_the_sweep_put_things_in_order_and_ends_with_its_own_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    in_order: list[str] = []

    async def sweeping() -> None:
        async with sweep_command._terminable():  # what is around it needs a whole hub
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.sleep(30)
            finally:
                await asyncio.sleep(0)
                in_order.append("claims given up")

    with pytest.raises(typer.Exit) as ended:
        asyncio.run(sweeping())
    assert ended.value.exit_code == 143
    assert in_order == ["claims given up"]
    assert (
        capsys.readouterr().err
        == "scanhub: terminated; the next sweep of the same scope goes on where this one ended\n"
    )
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize(
    ("is_resumed", "then"),
    [(True, "the next sweep of the same scope goes on where this one ended"), (False, "nothing was changed")],
)
async def test_who_is_cancelled_otherwise_was_interrupted(
    is_resumed: bool, then: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def sweeping() -> None:
        async with sweep_command._terminable(is_resumed=is_resumed):  # as above
            await asyncio.sleep(30)

    task = asyncio.create_task(sweeping())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert capsys.readouterr().err == f"scanhub: interrupted; {then}\n"
