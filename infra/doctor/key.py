"""The hub's key: usable, rotated, and open to the services that cannot do without it."""

from collections.abc import Iterator, Mapping

from hub.diagnosis import Check, Kind
from infra.doctor.asking import asking
from infra.doctor.deployed import LOG_GROUP, DeployedHub
from infra.doctor.examination import Examination
from infra.doctor.policies import Decision, Statement, decided, statements

GROUP = "key"

STATE = Kind(
    name="key-state",
    group=GROUP,
    asks="is the hub's KMS key enabled?",
    wrong="Nothing can be read or written: queues, ledger, results and secrets all lie under it.",
    fix="enable the key again (`aws kms enable-key`), or cancel its deletion (`aws kms cancel-key-deletion`)",
)
ROTATION = Kind(
    name="key-rotation",
    group=GROUP,
    asks="is the key rotated?",
    wrong="Everything stays under the same key material for ever.",
    fix="run `scanhub rollout hub`: it turns EnableKeyRotation on",
)
GRANTS = Kind(
    name="key-grants",
    group=GROUP,
    asks="may EventBridge (for the hub's rule and archive), CloudWatch Logs and CloudWatch's alarms use the key?",
    wrong="EventBridge: every event is lost, for it cannot fill an encrypted queue. Logs: the worker cannot log, and "
    "its task does not start. Alarms: nobody hears of them.",
    fix="run `scanhub rollout hub`: it puts the key's policy back",
)


def _metadata(hub: DeployedHub) -> Mapping[str, str]:
    key = hub.output("ResultsKmsKeyArn")
    with asking(f"describing the key {key}"):
        metadata: Mapping[str, str] = hub.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    return metadata


def state(hub: DeployedHub) -> Iterator[Check]:
    """KMS's `KeyState`."""
    key, found = hub.output("ResultsKmsKeyArn"), _metadata(hub)["KeyState"]
    if found == "Enabled":
        yield STATE.ok(key, "enabled")
    else:
        yield STATE.failed(key, f"its state is {found}")


def rotation(hub: DeployedHub) -> Iterator[Check]:
    """Automatic rotation."""
    key = hub.output("ResultsKmsKeyArn")
    with asking(f"reading the rotation of the key {key}"):
        is_on = hub.client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    if is_on:
        yield ROTATION.ok(key, "rotated by KMS")
    else:
        yield ROTATION.warning(key, "automatic rotation is off")


def grants(hub: DeployedHub) -> Iterator[Check]:
    """One check for each service that the key's policy must let in."""
    key = hub.output("ResultsKmsKeyArn")
    with asking(f"reading the policy of the key {key}"):
        found = statements(hub.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    yield _granted(
        found,
        "EventBridge",
        "events.amazonaws.com",
        ("kms:Decrypt", "kms:GenerateDataKey"),
        {"aws:sourceaccount": hub.account, "aws:sourcearn": hub.rule_arn},
    )
    yield _granted(
        found,
        "EventBridge's archive",
        "events.amazonaws.com",
        ("kms:DescribeKey", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptTo"),
        {"kms:encryptioncontext:aws:events:event-bus:arn": hub.output("BusArn")},
    )
    logs = hub.arn("logs", f"log-group:{LOG_GROUP}")
    yield _granted(
        found,
        "CloudWatch Logs",
        f"logs.{hub.region}.{hub.url_suffix}",
        ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"),
        {"kms:encryptioncontext:aws:logs:arn": logs, "aws:sourceaccount": hub.account, "aws:sourcearn": logs},
    )
    yield _granted(
        found,
        "CloudWatch's alarms",
        "cloudwatch.amazonaws.com",
        ("kms:Decrypt", "kms:GenerateDataKey"),
        {
            "aws:sourceaccount": hub.account,
            "aws:sourcearn": hub.arn("cloudwatch", "alarm:scanhub-oldest-change"),
        },
    )


def _granted(
    policy: tuple[Statement, ...], who: str, service: str, actions: tuple[str, ...], context: Mapping[str, str]
) -> Check:
    said = {one: decided(policy, service=service, action=one, context=context) for one in actions}
    missing = [one for one, decision in said.items() if decision is Decision.REFUSED]
    unclear = [one for one, decision in said.items() if decision is Decision.UNCLEAR]
    if missing:
        return GRANTS.failed(who, f"{service} may not {', '.join(missing)}")
    if unclear:
        return GRANTS.unknown(
            who, f"the key's policy has conditions that this check cannot judge for {service}: {', '.join(unclear)}"
        )
    return GRANTS.ok(who, f"{service} may use it")


EXAMINATIONS = (Examination(STATE, state), Examination(ROTATION, rotation), Examination(GRANTS, grants))
