"""What CloudFormation says of the hub's stacks, and what the secrets hold."""

from collections.abc import Iterator

from hub.diagnosis import Check, Kind
from hub.qualys import parse
from infra import stacks
from infra.doctor.asking import asking
from infra.doctor.deployed import MONITORING_STACK, DeployedHub
from infra.doctor.examination import Examination
from infra.doctor.kinds import QUALYS_SECRET as QUALYS
from spoke.errors import Gone, Misconfigured, NoAccess

HUB = Kind(
    name="hub-stack",
    group="stacks",
    asks="is the hub's stack there and complete?",
    wrong="Nothing was deployed here, or a deployment stopped half-way: nothing else can be relied on.",
    fix="run `scanhub rollout hub` in the security account and the hub's region",
)
MONITORING = Kind(
    name="monitoring-stack",
    group="stacks",
    asks="is the stack of scaling, alarms and dashboard there and complete?",
    wrong="Nobody is told when something goes wrong, and the number of tasks does not follow the work.",
    fix="run `scanhub rollout hub`: it deploys that stack too",
)


def hub(deployed: DeployedHub) -> Iterator[Check]:
    """The stack's status."""
    yield judged(HUB, deployed.stack)


def monitoring(deployed: DeployedHub) -> Iterator[Check]:
    """A stack of its own."""
    found = deployed.monitoring
    if found is None:
        yield MONITORING.warning(MONITORING_STACK, "there is no such stack")
    else:
        yield judged(MONITORING, found)


def judged(kind: Kind, stack: stacks.Stack) -> Check:
    """A stack, by its status."""
    why = f": {stack.reason}" if stack.reason else ""
    if stack.status in stacks.DONE:
        return kind.ok(stack.name, stack.status)
    is_on_its_way = stack.is_in_progress and not stack.status.startswith(("DELETE_", "ROLLBACK_"))
    if is_on_its_way or stack.status.startswith("UPDATE_ROLLBACK_COMPLETE"):
        return kind.warning(stack.name, f"{stack.status}{why}")
    return kind.failed(stack.name, f"{stack.status}{why}")


def qualys(deployed: DeployedHub) -> Iterator[Check]:
    """Its form; whether Qualys takes the token shows at the first scan."""
    arn, secrets = deployed.output("QualysSecretArn"), deployed.client("secretsmanager")
    with asking(f"describing the secret {arn}"):
        described = secrets.describe_secret(SecretId=arn)
    if described.get("DeletedDate") is not None:
        yield QUALYS.failed(
            arn, "it is scheduled for deletion", fix="aws secretsmanager restore-secret --secret-id " + arn
        )
        return
    try:
        with asking(f"reading the secret {arn}"):
            text = secrets.get_secret_value(SecretId=arn).get("SecretString", "")
    except NoAccess as error:
        # As it should be for an engineer; the worker's own half reads it.
        yield QUALYS.unknown(arn, f"you may not read it, which is as it should be: {error.text}")
        return
    except Gone:
        yield QUALYS.failed(arn, "it is empty")
        return
    try:
        found = parse(text, where=arn)
    except Misconfigured as error:
        yield QUALYS.failed(arn, error.text)
    else:
        yield QUALYS.ok(arn, f"for {found.pod or found.gateway_url}")


EXAMINATIONS = (Examination(HUB, hub), Examination(MONITORING, monitoring), Examination(QUALYS, qualys))
