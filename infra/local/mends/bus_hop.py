"""EventBridge's envelope, kept through the hop from bus to bus.

moto 5.2.5 forwards an event to another bus by a new PutEvents in the name of that bus, so that the event takes on the
hub's account and region and a new time; and what it delivers to SQS by default has no `account` at all. AWS keeps the
envelope as it was where the event arose: account and region are the spoke's, whichever bus and region it crosses.
"""

import copy
from contextlib import AbstractContextManager

from moto.events.models import Rule, events_backends
from moto.events.utils import EventMessageType
from moto.utilities.arns import parse_arn

from infra.local.mends.replacement import replaced

_SHAPED_BY = ("Input", "InputPath", "InputTransformer")


def mended() -> AbstractContextManager[None]:
    """Events keep their envelope."""
    original = Rule.send_to_targets

    def send_to_targets(rule: Rule, original_event: EventMessageType, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002  # moto's signature
        if rule.state != "ENABLED" or not rule.event_pattern.matches_event(original_event):
            return
        for target in rule.targets:
            arn = parse_arn(target["Arn"])
            event = copy.deepcopy(original_event)
            if arn.service == "events" and arn.resource_type == "event-bus":
                bus = events_backends[arn.account][arn.region].describe_event_bus(arn.resource_id)
                for next_rule in list(bus.rules.values()):
                    next_rule.send_to_targets(event)
                continue
            one_target = copy.copy(rule)
            one_target.targets = [target]
            if arn.service == "sqs" and not any(key in target for key in _SHAPED_BY):
                # moto's own mark, which is not part of what AWS delivers
                event.pop("ingestion-time", None)
                original(one_target, event, transform_input=False)
            else:
                original(one_target, event, transform_input=transform_input)

    return replaced(Rule, "send_to_targets", send_to_targets)
