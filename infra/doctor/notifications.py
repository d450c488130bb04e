"""Who hears of it: the topic, its subscribers and the alarms."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hub.diagnosis import Check, Kind
from infra.doctor.asking import asking
from infra.doctor.deployed import KEY_ALIAS, DeployedHub
from infra.doctor.examination import Examination
from infra.doctor.policies import Decision, decided, statements

GROUP = "notifications"
PREFIX = "scanhub-"
WORKING = frozenset({PREFIX + "scaling"})
"""Alarms that go off in good health: this one adds tasks."""
SILENT = timedelta(days=1)
"""An alarm without data for longer is worth a look: its metric, or the task that writes it, is gone."""

TOPIC = Kind(
    name="topic",
    group=GROUP,
    asks="is the topic there, encrypted with the hub's key, and may CloudWatch's alarms publish to it?",
    wrong="Alarms go off and nobody hears of them.",
    fix="run `scanhub rollout hub`: it puts the topic and its policy back",
)
SUBSCRIBERS = Kind(
    name="subscriptions",
    group=GROUP,
    asks="is somebody subscribed to the topic?",
    wrong="Notifications and alarms go nowhere.",
    fix="subscribe somebody (`aws sns subscribe --topic-arn ... --protocol email --notification-endpoint ...`), and "
    "confirm it",
)
ALARMS = Kind(
    name="alarms",
    group=GROUP,
    asks="are the hub's alarms there, quiet and fed with data?",
    wrong="An alarm says in its description what to do. Without alarms, or without data in them, a fault goes unseen.",
    fix="do what the alarm's description says; where there is none, run `scanhub rollout hub`, which deploys them",
)


def topic(hub: DeployedHub) -> Iterator[Check]:
    """Its key and its policy."""
    arn = hub.output("TopicArn")
    with asking(f"reading the topic {arn}"):
        attributes = hub.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    alarm = {
        "aws:sourceaccount": hub.account,
        "aws:sourcearn": hub.arn("cloudwatch", f"alarm:{PREFIX}oldest-change"),
    }
    policy = statements(attributes.get("Policy"))
    key, used = hub.output("ResultsKmsKeyArn"), attributes.get("KmsMasterKeyId", "")
    decision = decided(policy, service="cloudwatch.amazonaws.com", action="sns:Publish", context=alarm)
    if not used:
        yield TOPIC.failed(arn, "it is not encrypted")
    elif used not in {key, key.rsplit("/", 1)[-1], KEY_ALIAS, hub.arn("kms", KEY_ALIAS)}:
        # `alias/aws/sns` above all: nobody can let CloudWatch use AWS's own key, and alarms are lost without a word.
        yield TOPIC.failed(arn, f"its key is {used}, not the hub's: CloudWatch may not use it")
    elif decision is Decision.REFUSED:
        yield TOPIC.failed(arn, "its policy does not let CloudWatch's alarms publish")
    elif decision is Decision.UNCLEAR:
        yield TOPIC.unknown(arn, "its policy has conditions that this check cannot judge")
    else:
        yield TOPIC.ok(arn, "encrypted with the hub's key, and alarms may publish")


def subscribers(hub: DeployedHub) -> Iterator[Check]:
    """Who has confirmed, and who has not."""
    arn = hub.output("TopicArn")
    with asking(f"listing the subscriptions of {arn}"):
        pages = hub.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
        found = [one for page in pages for one in page["Subscriptions"]]
    pending = [one for one in found if one["SubscriptionArn"] == "PendingConfirmation"]
    # One that was just unsubscribed is listed for a while (Subscription in SNS's API reference).
    gone = [one for one in found if one["SubscriptionArn"] == "Deleted"]
    confirmed = len(found) - len(pending) - len(gone)
    if not confirmed:
        waiting = f"; {len(pending)} not confirmed yet" if pending else ""
        yield SUBSCRIBERS.warning(arn, f"nobody is subscribed{waiting}")
    else:
        waiting = f", {len(pending)} more not confirmed yet" if pending else ""
        yield SUBSCRIBERS.ok(arn, f"{confirmed} subscribed{waiting}")


def alarms(hub: DeployedHub) -> Iterator[Check]:
    """One check for each alarm that is not as it should be."""
    with asking(f"listing the alarms {PREFIX}*"):
        pages = (
            hub.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=PREFIX, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        )
        found = [one for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for one in page.get(kind, [])]
    if not found:
        yield ALARMS.warning(PREFIX + "*", "there are no alarms")
        return
    odd = [check for one in found if (check := _odd(hub, one)) is not None]
    yield from odd
    if not odd:
        yield ALARMS.ok(PREFIX + "*", f"{len(found)} alarms, all quiet")


def _odd(hub: DeployedHub, alarm: dict[str, Any]) -> Check | None:
    name, state = alarm["AlarmName"], alarm["StateValue"]
    since = alarm.get("StateUpdatedTimestamp")
    if state == "ALARM" and name not in WORKING:
        what = alarm.get("AlarmDescription") or ALARMS.fix
        return ALARMS.warning(name, f"it is in alarm: {alarm.get('StateReason', 'no reason given')}", fix=what)
    if not alarm.get("ActionsEnabled", True):
        return ALARMS.warning(name, "its actions are disabled", fix=f"aws cloudwatch enable-alarm-actions {name}")
    if state == "INSUFFICIENT_DATA" and since is not None and hub.now() - since > SILENT:
        return ALARMS.warning(name, f"it has had no data since {since:%Y-%m-%d %H:%M}", fix="does the worker run?")
    return None


EXAMINATIONS = (Examination(TOPIC, topic), Examination(SUBSCRIBERS, subscribers), Examination(ALARMS, alarms))
