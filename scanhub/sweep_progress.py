"""How far a sweep is, on a terminal."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from hub.sweep.progress import SweepProgress


class BarAndFigures(Progress):
    """A bar, and below it the figures: beside it they would be cut on a terminal of 80 columns."""

    def get_renderables(self) -> Iterable[RenderableType]:
        """See `rich.progress.Progress`."""
        yield from super().get_renderables()
        for task in self.tasks:
            if task.fields["figures"]:
                yield Text(task.fields["figures"])


class Bar:
    """Watches a sweep; drawn by `rich`.

    Args:
        progress: Where it is drawn.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task("", total=None, figures="")

    def progressed(self, progress: SweepProgress) -> None:
        """See `hub.sweep.progress.SweepObserver`."""
        self._progress.update(self._task, completed=progress.done, total=progress.accounts, figures=figures(progress))


@contextmanager
def bar(console: Console) -> Iterator[Bar]:
    """A bar that stays on the screen, in its last state, when the context is left."""
    columns = (
        TextColumn("accounts"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with BarAndFigures(*columns, console=console, refresh_per_second=4) as progress:
        yield Bar(progress)


def figures(progress: SweepProgress) -> str:
    """What is below the bar."""
    counts = progress.counts
    parts = [
        f"{counts.functions:,} functions",
        f"{counts.due:,} queued",
        f"{counts.fresh:,} fresh",
        f"{counts.failed:,} failed",
        f"{progress.functions_per_second:,.0f}/s",
    ]
    if progress.seconds_left is not None and progress.done < progress.accounts:
        parts.append(f"{_span(progress.seconds_left)} left")
    return ", ".join(parts)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
