"""Invariant 14: of the changes that were scanned or given up each counts once, and none is made up."""

from tests.simulation.scene import Item, Letter, Scene


class ObjectiveCheck:
    """Compares the days of the objective with the messages that were settled."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._whims = 0
        self._committed_by: set[str] = set()

    def written(self, after: Item) -> None:
        """An item of a scan key was written."""
        if "committedBy" in after:
            self._committed_by.add(after["committedBy"])

    def whim(self) -> None:
        """A message is delivered once more for no reason: another worker may count it, too."""
        self._whims += 1

    def finished(self) -> None:
        """All is quiet, and every worker has written since."""
        scene = self._scene
        days = [item for key, item in scene.items.items() if key.pk == "objective"]
        changes, within, failed = (sum(day.get(name, 0) for day in days) for name in ("changes", "within", "failed"))
        own = sum(self._is_own(letter) for letter in scene.letters.values())
        parked = sum(letter.ending == "parked" and _is_change(letter) for letter in scene.letters.values())
        if not 0 <= within <= changes - failed:
            scene.violated(14, f"of {changes} changes {within} were within the target and {failed} given up")
        if changes > own + parked + self._whims:
            scene.violated(14, f"{changes} changes count, {own} were scanned and {parked} parked")
        # A worker that dies takes a minute's counts with it; where none did, and nothing was lost, all count.
        if scene.plan.theme == "calm" and changes != own + parked:
            scene.violated(14, f"{changes} changes count, {own} were scanned and {parked} parked")

    def _is_own(self, letter: Letter) -> bool:
        """Whether a result was stored for it, which it shares with nobody."""
        return _is_change(letter) and letter.ending in {"stored", "covered"} and letter.id in self._committed_by


def _is_change(letter: Letter) -> bool:
    """Mismatches are read as changes, before they are parked."""
    return letter.sending.kind in {"event", "mismatch"}
