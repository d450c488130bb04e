"""Invariant 11: an account was last heard of when an event happened that it really sent; that is never set back."""

from tests.simulation.scene import Item, Letter, Scene, second_of


class SightingsCheck:
    """Compares what is noted with what was sent."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def written(self, sk: str, before: Item, after: Item) -> None:
        account, _, region = sk.partition("#")
        if before.get("eventAt", 0) >= after["eventAt"]:
            self._scene.violated(11, f"the last event of {sk} is set back to {after['eventAt']}")
        if not any(self._is_of(letter, account, region, after) for letter in self._scene.letters.values()):
            self._scene.violated(11, f"{sk} was heard of at {after['eventAt']}, and has sent no event then")

    def finished(self) -> None:
        """Where nothing ever went wrong, every account that was heard of is noted."""
        scene = self._scene
        if scene.plan.theme != "calm":
            return
        noted = {key.sk for key in scene.items if key.pk == "sightings"}
        known = {key.sk for key in scene.items if key.pk == "accounts"}
        for letter in scene.letters.values():
            arn = letter.function.arn
            if letter.sending.kind == "event" and f"{arn.account}#{arn.region}" not in noted:
                scene.violated(11, f"an event of {arn.account} in {arn.region} has come, and is not noted")
            if letter.sending.kind in {"event", "request"} and arn.account not in known:
                scene.violated(11, f"something has come from {arn.account}, and the account is not known")

    @staticmethod
    def _is_of(letter: Letter, account: str, region: str, item: Item) -> bool:
        """Whether the item speaks of this message; CloudTrail's times are whole seconds, SQS's milliseconds."""
        arn, happened = letter.function.arn, min(int(letter.sending.about), letter.sent_at)
        return (
            letter.sending.kind == "event"
            and (arn.account, arn.region) == (account, region)
            and abs(second_of(item["eventAt"]) - happened) < 1
            and abs(second_of(item["receivedAt"]) - letter.sent_at) < 0.01
        )
