"""Who may put events on the hub's bus, and on from there into its queues."""

from dataclasses import replace

from tests.policies.evaluator import ANONYMOUS
from tests.policies.row import ALLOWED, DENIED, FORBIDDEN, Row
from tests.policies.table.stacks import (
    FORWARDER,
    FORWARDER_IN_THE_HUB,
    HUB_ADMINISTRATOR,
    SPOKE_ADMINISTRATOR,
    THE_HUB,
    THE_SPOKE,
    WORKER,
)
from tests.policies.world import (
    HUB,
    OTHER_REGION,
    REGION,
    SPOKE,
    STRANGER,
    Principal,
    Resource,
    administrator,
    resource,
    service,
)

BUS = resource(THE_HUB, "Bus")
OPEN_BUS = Resource(
    name="another bus, open to all",
    arn=f"arn:aws:events:{REGION}:{HUB}:event-bus/default",
    account=HUB,
    policy={
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"},
    },
)
RULE = replace(BUS, name="the hub's rule", arn=THE_HUB.arn("ChangesRule"))
CHANGES = resource(THE_HUB, "ChangesQueue")
UNDELIVERED = resource(THE_HUB, "UndeliveredQueue")
CHANGES_DLQ = resource(THE_HUB, "ChangesDlq")
SWEEP = resource(THE_HUB, "SweepQueue")
SWEEP_DLQ = resource(THE_HUB, "SweepDlq")
LOST_AT_SPOKE = resource(THE_SPOKE, "UndeliveredQueue")

NOBODY = Principal(name="nobody (no credentials)", arn=ANONYMOUS)
STRANGE_ADMINISTRATOR = administrator(STRANGER, "an administrator of another organization")
HUB_RULE = THE_HUB.arn("ChangesRule")
THE_RULE = service("events", "the hub's rule", source=HUB_RULE, account=HUB)
OTHER_RULE = service(
    "events", "another rule of the hub", source=f"arn:aws:events:{REGION}:{HUB}:rule/scanhub/mine", account=HUB
)
NAMESAKE = service(
    "events",
    "a rule of that name elsewhere",
    source=f"arn:aws:events:{REGION}:{STRANGER}:rule/scanhub/scanhub-changes",
    account=STRANGER,
)
LYING_NAMESAKE = service("events", "our rule for another account", source=HUB_RULE, account=STRANGER)
LYING_SPOKE_RULE = service(
    "events", "the spoke's rule for another account", source=THE_SPOKE.arn("ForwardRule"), account=STRANGER
)
SOURCELESS = service("events", "EventBridge for nobody")
SPOKE_RULE = service("events", "the spoke's rule", source=THE_SPOKE.arn("ForwardRule"), account=SPOKE)
SPOKE_RULE_ELSEWHERE = service(
    "events",
    "the spoke's rule of another region",
    source=f"arn:aws:events:{OTHER_REGION}:{SPOKE}:rule/scanhub-forward",
    account=SPOKE,
)
UNNAMED = service("events", "a rule of the hub that is not named", account=HUB)
SNS = service("sns", "an SNS topic", source=f"arn:aws:sns:{REGION}:{HUB}:scanhub-notifications", account=HUB)

PUT, SEND = "events:PutEvents", "sqs:SendMessage"
FROM_LAMBDA = {"events:source": "aws.lambda"}
FORGED_AMONG_OTHERS = {"events:source": ("aws.lambda", "scanhub")}
PLAIN = {"aws:SecureTransport": "false"}

ROWS = (
    Row(FORWARDER, PUT, BUS, ALLOWED, "what the spoke is there for", FROM_LAMBDA),
    Row(FORWARDER, PUT, BUS, DENIED, "a scan request is for the hub alone to make", {"events:source": "scanhub"}),
    Row(FORWARDER, PUT, BUS, DENIED, "other services' events are nobody's business here", {"events:source": "aws.ec2"}),
    Row(FORWARDER, PUT, BUS, DENIED, "an event without a source"),
    Row(FORWARDER_IN_THE_HUB, PUT, BUS, ALLOWED, "hub and spoke in one account", FROM_LAMBDA),
    Row(FORWARDER, PUT, OPEN_BUS, DENIED, "no other bus", FROM_LAMBDA),
    Row(FORWARDER, "events:PutRule", RULE, DENIED, "it puts events and nothing else"),
    Row(FORWARDER, "sqs:SendMessage", CHANGES, DENIED, "it never reaches the queue past the bus"),
    Row(
        SPOKE_ADMINISTRATOR, PUT, BUS, DENIED, "a forged scan request of a member account", {"events:source": "scanhub"}
    ),
    Row(STRANGE_ADMINISTRATOR, PUT, BUS, DENIED, "another organization", FROM_LAMBDA),
    Row(NOBODY, PUT, BUS, DENIED, "no organization at all", FROM_LAMBDA),
    Row(SPOKE_ADMINISTRATOR, "events:PutTargets", RULE, DENIED, "a member account turns no event away"),
    Row(SPOKE_ADMINISTRATOR, "events:DeleteEventBus", BUS, DENIED, "nor takes the bus away"),
    Row(
        SPOKE_ADMINISTRATOR,
        PUT,
        BUS,
        ALLOWED,
        "but EventBridge takes no aws.* source from a caller",
        FROM_LAMBDA,
    ),
    Row(HUB_ADMINISTRATOR, PUT, BUS, ALLOWED, "the same", FROM_LAMBDA),
    Row(FORWARDER, PUT, BUS, DENIED, "a forged event among others", FORGED_AMONG_OTHERS),
    # ---- the queues behind it
    Row(THE_RULE, SEND, CHANGES, ALLOWED, "the way of every change"),
    Row(THE_RULE, SEND, UNDELIVERED, ALLOWED, "what could not be delivered"),
    Row(THE_RULE, SEND, CHANGES, FORBIDDEN, "TLS only", PLAIN),
    Row(THE_RULE, SEND, CHANGES_DLQ, DENIED, "parked messages come from the worker alone"),
    Row(THE_RULE, SEND, SWEEP, DENIED, "the sweep's queue is no rule's"),
    Row(THE_RULE, "sqs:ReceiveMessage", CHANGES, DENIED, "it sends and nothing else"),
    Row(OTHER_RULE, SEND, CHANGES, DENIED, "only the one rule"),
    Row(NAMESAKE, SEND, CHANGES, DENIED, "another account's rule of the same name"),
    Row(LYING_NAMESAKE, SEND, CHANGES, DENIED, "source and account must both be ours"),
    Row(OTHER_RULE, SEND, UNDELIVERED, DENIED, "only the one rule"),
    Row(LYING_NAMESAKE, SEND, UNDELIVERED, DENIED, "source and account must both be ours"),
    Row(SOURCELESS, SEND, CHANGES, DENIED, "a service that does not say for whom"),
    Row(UNNAMED, SEND, CHANGES, DENIED, "nor one that does not say for which rule"),
    Row(SNS, SEND, CHANGES, DENIED, "no other service"),
    Row(SPOKE_ADMINISTRATOR, SEND, CHANGES, DENIED, "past the bus no member account gets in"),
    Row(STRANGE_ADMINISTRATOR, SEND, CHANGES, DENIED, "nor another organization"),
    Row(NOBODY, SEND, CHANGES, DENIED, "nor anybody without credentials"),
    Row(
        SPOKE_ADMINISTRATOR, "sqs:ReceiveMessage", CHANGES_DLQ, DENIED, "parked messages name every account's functions"
    ),
    Row(HUB_ADMINISTRATOR, "sqs:ReceiveMessage", CHANGES_DLQ, ALLOWED, "in the hub's account IAM decides"),
    Row(HUB_ADMINISTRATOR, "sqs:ReceiveMessage", CHANGES_DLQ, FORBIDDEN, "TLS only", PLAIN),
    Row(HUB_ADMINISTRATOR, "sqs:DeleteMessage", UNDELIVERED, FORBIDDEN, "TLS only", PLAIN),
    Row(HUB_ADMINISTRATOR, SEND, SWEEP, FORBIDDEN, "TLS only", PLAIN),
    Row(HUB_ADMINISTRATOR, SEND, SWEEP_DLQ, FORBIDDEN, "TLS only", PLAIN),
    # ---- the spoke's own dead-letter queue
    Row(SPOKE_RULE, SEND, LOST_AT_SPOKE, ALLOWED, "what the hub's bus did not take"),
    Row(SPOKE_RULE, SEND, LOST_AT_SPOKE, FORBIDDEN, "TLS only", PLAIN),
    Row(SPOKE_RULE_ELSEWHERE, SEND, LOST_AT_SPOKE, DENIED, "each region has its own"),
    Row(LYING_SPOKE_RULE, SEND, LOST_AT_SPOKE, DENIED, "source and account must both be the spoke's"),
    Row(THE_RULE, SEND, LOST_AT_SPOKE, DENIED, "the hub sends nothing back"),
    Row(WORKER, "sqs:ReceiveMessage", LOST_AT_SPOKE, DENIED, "the hub does not read it either"),
    Row(SPOKE_ADMINISTRATOR, "sqs:ReceiveMessage", LOST_AT_SPOKE, ALLOWED, "the account's own people may look"),
)
