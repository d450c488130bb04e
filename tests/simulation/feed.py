"""What becomes of the functions in their accounts, and the messages that tell of it."""

from hub.message import Source
from tests.simulation import bodies
from tests.simulation.grounds import Grounds
from tests.simulation.plan import ACCOUNTS, Change, Sending
from tests.simulation.scene import Letter
from tests.simulation.truth import EXCLUDED_TAG, Function, Version, code_hash, moment


class Feed:
    """Changes the functions of one run, and fills its queues."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds

    async def send(self, sending: Sending) -> None:
        """Put the message into its queue, and remember it as its sender knows it."""
        grounds, function = self._grounds, self._function(sending)
        queue = grounds.queues[Source(sending.queue)]
        content, body = _body(sending, function)
        await queue.send(body, group=function.arn.account)
        message_id = queue.messages[-1].id
        grounds.scene.letters[message_id] = Letter(message_id, sending, function, grounds.loop.time(), content)
        grounds.trace.note("world", "sends", sending.kind, sending.call, function.arn.name, message_id)
        grounds.trace.count(f"sent: {sending.kind} {sending.call}".rstrip())

    def change(self, change: Change) -> None:
        """Give the function new code, or none any more."""
        now, function = self._grounds.loop.time(), self._function(change)
        self._grounds.trace.note("world", change.call, function.arn.name, change.label)
        if change.call == "create":
            function.tags = {key: value for key, value in function.tags.items() if key == EXCLUDED_TAG}
        function.history.append(Version(now, change.label, moment(now), now + change.pending))

    def _function(self, happening: Sending | Change) -> Function:
        return self._grounds.organization.functions[self._grounds.plan.functions[happening.function].arn]


def _body(sending: Sending, function: Function) -> tuple[str | None, str]:
    """The fingerprint that the body tells, if it does, and the body."""
    arn, about = function.arn, moment(sending.about)
    if sending.kind == "request":
        return None, bodies.request(arn, reason="sweep" if sending.queue == "sweep" else "manual", force=sending.force)
    if sending.kind == "malformed":
        return None, bodies.MALFORMED[sending.variant % len(bodies.MALFORMED)]
    if sending.kind == "failed call":
        return None, bodies.failed_call(arn, at=about)
    if sending.kind == "tagging":
        return None, bodies.tagging(arn, at=about, own=sending.variant % 2 == 0)
    label = function.label_at(sending.about)
    if sending.kind == "mismatch":
        other = ACCOUNTS[(ACCOUNTS.index(arn.account) + 1) % len(ACCOUNTS)]
        return None, bodies.event(arn, "update", at=about, code=code_hash("foreign"), account=other)
    if label is None or sending.call == "delete":
        return None, bodies.event(arn, "delete", at=about, code=None)
    body = bodies.event(arn, sending.call, at=about, code=code_hash(label), layers=function.layers)
    return function.content(label), body
