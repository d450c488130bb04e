"""What became of the messages of one run."""

from dataclasses import dataclass, field

from hub.service_notes import Pause
from worker.trip import Ending, EndingKind, Trip


@dataclass(slots=True)
class Tally:
    """What became of the messages of one run.

    Attributes:
        endings: How many journeys ended in which way.
        left_behind: Ids of messages given back and not received again since.
        paused: Why a drain has ended before the queues were empty, if it has.
    """

    endings: dict[EndingKind, int] = field(default_factory=dict)
    left_behind: set[str] = field(default_factory=set)
    paused: Pause | None = None

    def count(self, trip: Trip, ending: Ending) -> None:
        """One journey has ended."""
        self.endings[ending.kind] = self.endings.get(ending.kind, 0) + 1
        if ending.kind is EndingKind.GIVEN_BACK:
            self.left_behind.add(trip.message.id)
