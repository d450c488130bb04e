"""What goes wrong: workers that die or stall, services that are away, queues that deliver again."""

import asyncio
from collections.abc import Callable, Sequence

from hub.service_notes import Pause
from tests.simulation.fleet import Worker
from tests.simulation.grounds import Grounds
from tests.simulation.plan import ACCOUNTS, REGIONS, Trouble
from tests.simulation.sweepers import Sweepers
from tests.simulation.truth import moment


class Troubles:
    """Makes the troubles of a plan happen to its world.

    Args:
        grounds: The world.
        workers: To whom some of them happen.
        sweepers: Who sweeps.
    """

    def __init__(self, grounds: Grounds, workers: Sequence[Worker], sweepers: Sweepers) -> None:
        self._grounds = grounds
        self._workers = workers
        self._sweepers = sweepers

    def befall(self, trouble: Trouble) -> None:
        """Let it begin; it ends by itself."""
        grounds, kind = self._grounds, trouble.kind
        grounds.trace.note("world", "trouble", kind, trouble.target, round(trouble.seconds, 3))
        grounds.trace.count(f"trouble: {kind}")
        worker = self._workers[trouble.target % len(self._workers)]
        if kind == "kill":
            # Not only between calls: in the middle of whatever it does.
            grounds.loop.after_turns(trouble.variant, lambda: worker.kill("from outside"))
        elif kind == "stop":
            worker.stop(signals=2 if trouble.variant == 0 else 1)
        elif kind == "stall":
            worker.stall(trouble.seconds)
        elif kind == "cut":
            worker.cut(trouble.seconds)
        elif kind in {"redeliver", "undelete"}:
            self._whim(kind)
        elif kind == "sweep":
            for number in range(trouble.variant):
                # The second one is killed, if any: the first one then has to do all.
                killed_after = trouble.seconds if number == trouble.variant - 1 else 0.0
                self._sweepers.begin(killed_after=killed_after)
        elif kind == "pause":
            self._pause(trouble.seconds)
        else:
            undo = self._bad_weather(trouble)
            grounds.loop.call_later(trouble.seconds, undo, context=grounds.world)

    def _bad_weather(self, trouble: Trouble) -> Callable[[], object]:
        """Begins at once; what is returned ends it."""
        account = ACCOUNTS[trouble.target % len(ACCOUNTS)]
        weather, organization, qualys = self._grounds.weather, self._grounds.organization, self._grounds.qualys
        outages = self._grounds.oracle.outages

        def qualys_back() -> None:
            qualys.away = False
            outages.ceased()

        def renewed() -> None:
            qualys.secret = qualys.token
            outages.ceased()

        if trouble.kind == "deny":
            organization.denied.add(account)
            return lambda: organization.denied.discard(account)
        if trouble.kind == "unlist":
            place = account, REGIONS[trouble.variant]
            organization.unlisted.add(place)
            return lambda: organization.unlisted.discard(place)
        if trouble.kind == "throttle":
            organization.throttled[account] = 0.8
            return lambda: organization.throttled.pop(account, None)
        if trouble.kind == "qualys":
            qualys.away = True
            outages.began()
            return qualys_back
        if trouble.kind == "token":
            qualys.token += 1
            outages.began()
            return renewed
        weather.away.add(trouble.kind)
        return lambda: weather.away.discard(trouble.kind)

    def _pause(self, seconds: float) -> None:
        grounds = self._grounds
        pause = Pause(by="arn:aws:iam::123456789012:user/jo", reason="a new scanner", at=moment(grounds.loop.time()))

        async def paused() -> None:
            await grounds.register.pause(pause)
            grounds.oracle.pauses.began()
            await asyncio.sleep(seconds)
            await grounds.register.resume()
            grounds.oracle.pauses.ceased()

        grounds.loop.create_task(paused())

    def _whim(self, kind: str) -> None:
        """SQS delivers at least once."""
        rng, oracle = self._grounds.rng, self._grounds.oracle
        queue = rng.choice(list(self._grounds.queues.values()))
        if kind == "redeliver" and queue.messages:
            message_id = rng.choice(sorted(one.id for one in queue.messages))
            oracle.whim(message_id)
            queue.deliver_again(message_id)
        elif kind == "undelete" and queue.deleted:
            message_id = rng.choice(queue.deleted)
            oracle.whim(message_id)
            oracle.scene.letters[message_id].ending = ""
            queue.deliver_deleted(message_id)
