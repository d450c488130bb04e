"""The live table of a running worker: one row a function, in the order of their first message."""

import time

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from scanhub.tables import counts, new_table
from worker.trip import EndingKind, Trip

ENDING_STYLES = {
    EndingKind.STORED: "green",
    EndingKind.COVERED: "green",
    EndingKind.PARKED: "red",
    EndingKind.LOST: "red",
    EndingKind.GIVEN_BACK: "yellow",
}
MESSAGES_WITHOUT_FUNCTION = "(no function named)"


class Progress:
    """Watches the journeys; drawn anew by `rich` as often as it likes."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Trip]] = {}
        self._spinner = Spinner("dots")

    def moved(self, trip: Trip) -> None:
        """See `worker.trip.Observer`."""
        name = str(trip.function) if trip.function is not None else MESSAGES_WITHOUT_FUNCTION
        for rows in self._rows.values():
            rows.pop(trip.message.id, None)
        self._rows.setdefault(name, {})[trip.message.id] = trip

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """One row a function."""
        table = new_table("ACCOUNT", "REGION", "FUNCTION", folded=("MESSAGES", "FOUND"))
        for name, trips in self._rows.items():
            if trips:
                self._add(table, name, list(trips.values()))
        yield table

    def _add(self, table: Table, name: str, trips: list[Trip]) -> None:
        function = trips[0].function
        place = (function.account, function.region, function.name) if function is not None else ("", "", name)
        summary = next((trip.summary for trip in trips if trip.summary is not None), None)
        found = counts(summary) if summary is not None else Text("")
        table.add_row(*place, Text(", ").join(self._state(trip) for trip in trips), found)

    def _state(self, trip: Trip) -> Text:
        if trip.ending is None:
            return Text(f"{self._frame()} {trip.stage.value}", style="cyan")
        kind = trip.ending.kind
        reason = f" ({trip.ending.reason})" if kind in {EndingKind.PARKED, EndingKind.IGNORED} else ""
        return Text(f"{kind.value}{reason}", style=ENDING_STYLES.get(kind, "dim"))

    def _frame(self) -> str:
        frame = self._spinner.render(time.monotonic())
        return frame.plain if isinstance(frame, Text) else "*"


def live(progress: Progress, console: Console) -> Live:
    """A context in which the table is kept up to date; the last state stays on the screen."""
    return Live(progress, console=console, refresh_per_second=8, transient=False)
