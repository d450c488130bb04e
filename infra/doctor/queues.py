"""The queues: who fills them, where their messages end, and what lies there."""

import json
from collections.abc import Iterator, Mapping

from hub.diagnosis import Check, Kind
from infra.doctor.asking import asking
from infra.doctor.deployed import KEY_ALIAS, DeployedHub
from infra.doctor.examination import Examination
from infra.doctor.policies import Decision, Statement, decided, is_about, is_of_account, principals, statements

GROUP = "queues"
EVENTS = "events.amazonaws.com"
SEND = "sqs:SendMessage"

REDRIVE = Kind(
    name="queue-redrive",
    group=GROUP,
    asks="do both queues hand what they cannot get rid of to their dead-letter queues, and do those take it?",
    wrong="SQS drops or repeats for ever what no worker can finish, and nobody sees it.",
    fix="run `scanhub rollout hub`: it puts RedrivePolicy and RedriveAllowPolicy back",
)
POLICY = Kind(
    name="queue-policy",
    group=GROUP,
    asks="may the hub's rule, and nobody from outside, send to the changes queue and to the queue of the undelivered?",
    wrong="EventBridge cannot deliver: changes are lost until the sweep finds them. Or strangers can fill the queue.",
    fix="run `scanhub rollout hub`: it puts the queue's policy back",
)
ENCRYPTION = Kind(
    name="queue-encryption",
    group=GROUP,
    asks="is each queue encrypted with the hub's key?",
    wrong="Messages lie there under another key, for which no grants are checked, or under none.",
    fix="run `scanhub rollout hub`: it sets KmsMasterKeyId",
)
DEAD_LETTERS = Kind(
    name="dead-letters",
    group=GROUP,
    asks="are the dead-letter queues empty?",
    wrong="A worker gave these messages up; each says why in its attributes `reason` and `detail`.",
    fix="see why by `scanhub dlq list`, mend it, then `scanhub dlq redrive`, or `scanhub dlq drop` what is of no use",
)
UNDELIVERED = Kind(
    name="undelivered",
    group=GROUP,
    asks="did EventBridge deliver everything to the changes queue?",
    wrong="These changes were not scanned. The message attributes ERROR_CODE and ERROR_MESSAGE say why.",
    fix="mend what `queue-policy` and `key-grants` name, replay the archive from before the first of them, then purge "
    "this queue",
)

FILLED_BY_RULE = ("ChangesQueueUrl", "UndeliveredQueueUrl")
WITH_DLQ = (("ChangesQueueUrl", "ChangesDlqUrl"), ("SweepQueueUrl", "SweepDlqUrl"))
ALL = (*(url for pair in WITH_DLQ for url in pair), "UndeliveredQueueUrl")


def _attributes(hub: DeployedHub, output: str) -> Mapping[str, str]:
    url = hub.output(output)
    with asking(f"reading the attributes of the queue {url}"):
        attributes: Mapping[str, str] = hub.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
            "Attributes"
        ]
    return attributes


def _name(hub: DeployedHub, output: str) -> str:
    return hub.output(output).rsplit("/", 1)[-1]


def redrive(hub: DeployedHub) -> Iterator[Check]:
    """Both directions: the queue names its dead-letter queue, and that one takes it."""
    for queue, dlq in WITH_DLQ:
        name, wanted = _name(hub, queue), hub.queue_arn(dlq)
        policy = json.loads(_attributes(hub, queue).get("RedrivePolicy") or "{}")
        if policy.get("deadLetterTargetArn") != wanted:
            yield REDRIVE.failed(name, f"its dead-letter queue is {policy.get('deadLetterTargetArn') or 'none'}")
            continue
        admits = json.loads(_attributes(hub, dlq).get("RedriveAllowPolicy") or "{}")
        permission = admits.get("redrivePermission", "allowAll")
        if permission == "denyAll" or (
            permission == "byQueue" and hub.queue_arn(queue) not in admits.get("sourceQueueArns", [])
        ):
            yield REDRIVE.failed(name, f"{_name(hub, dlq)} does not take its messages (RedriveAllowPolicy)")
            continue
        yield REDRIVE.ok(name, f"to {_name(hub, dlq)} after {policy.get('maxReceiveCount')} receives")


def policy(hub: DeployedHub) -> Iterator[Check]:
    """What the queue's own policy says of EventBridge and of everybody else."""
    rule = {"aws:sourcearn": hub.rule_arn, "aws:sourceaccount": hub.account}
    another = {"aws:sourcearn": hub.rule_arn.replace(hub.account, "999999999999"), "aws:sourceaccount": "999999999999"}
    for output in FILLED_BY_RULE:
        name = _name(hub, output)
        found = statements(_attributes(hub, output).get("Policy"))
        decision = decided(found, service=EVENTS, action=SEND, context=rule)
        strangers = sorted({one for statement in found for one in _strangers(hub, statement, another)})
        if decision is Decision.REFUSED:
            yield POLICY.failed(name, f"it does not let EventBridge send for the rule {hub.rule_arn}")
        elif decided(found, service=EVENTS, action=SEND, context=another) is Decision.ALLOWED:
            yield POLICY.failed(name, "it lets EventBridge send for rules of any account")
        elif strangers:
            yield POLICY.failed(name, f"it lets {', '.join(strangers)} send")
        elif decision is Decision.UNCLEAR:
            yield POLICY.unknown(name, "it has conditions that this check cannot judge")
        else:
            yield POLICY.ok(name, f"EventBridge may send for the rule {hub.rule_arn} alone")


def _strangers(hub: DeployedHub, statement: Statement, another: Mapping[str, str]) -> Iterator[str]:
    """Whom from outside it lets send. What is said of EventBridge is judged as a whole."""
    if statement.get("Effect") != "Allow" or not is_about(statement, SEND):
        return
    for one in principals(statement):
        if one == "*":
            # Everybody, but for what its conditions say of the source.
            if decided((statement,), service="*", action=SEND, context=another) is not Decision.REFUSED:
                yield "anybody"
        elif one != EVENTS and not is_of_account(one, hub.account):
            yield one


def encryption(hub: DeployedHub) -> Iterator[Check]:
    """By the key's ARN, id or alias, however it was given."""
    key = hub.output("ResultsKmsKeyArn")
    for output in ALL:
        name, used = _name(hub, output), _attributes(hub, output).get("KmsMasterKeyId", "")
        if used in {key, key.rsplit("/", 1)[-1], KEY_ALIAS, hub.arn("kms", KEY_ALIAS)}:
            yield ENCRYPTION.ok(name, "under the hub's key")
        else:
            yield ENCRYPTION.failed(name, f"its key is {used or 'none of KMS'}, not the hub's")


def dead_letters(hub: DeployedHub) -> Iterator[Check]:
    """How many messages were parked."""
    for _, output in WITH_DLQ:
        name, count = _name(hub, output), _depth(hub, output)
        if count:
            yield DEAD_LETTERS.warning(name, f"about {count} message{'s' if count > 1 else ''} parked")
        else:
            yield DEAD_LETTERS.ok(name, "empty")


def undelivered(hub: DeployedHub) -> Iterator[Check]:
    """How many events EventBridge gave up."""
    name, count = _name(hub, "UndeliveredQueueUrl"), _depth(hub, "UndeliveredQueueUrl")
    if count:
        yield UNDELIVERED.failed(name, f"about {count} event{'s' if count > 1 else ''} could not be delivered")
    else:
        yield UNDELIVERED.ok(name, "empty")


def _depth(hub: DeployedHub, output: str) -> int:
    attributes = _attributes(hub, output)
    return int(attributes["ApproximateNumberOfMessages"]) + int(attributes["ApproximateNumberOfMessagesNotVisible"])


EXAMINATIONS = (
    Examination(REDRIVE, redrive),
    Examination(POLICY, policy),
    Examination(ENCRYPTION, encryption),
    Examination(DEAD_LETTERS, dead_letters),
    Examination(UNDELIVERED, undelivered),
)
