"""The role by which ECS itself acts in an account, made before the first cluster needs it."""

from collections.abc import Callable

from botocore.exceptions import ClientError

from infra.calls import AwsClient, calling
from infra.rollout.operator import Operator
from spoke.aws_errors import error_code
from spoke.errors import Misconfigured

SERVICE = "ecs.amazonaws.com"
ROLE = "AWSServiceRoleForECS"

SPREAD = 10.0
"""Seconds until IAM has told all of AWS about a new role: it is eventually consistent (IAM user guide)."""


def ensure(iam: AwsClient, operator: Operator, *, sleep: Callable[[float], None]) -> None:
    """Make the role, unless the account has it.

    ECS makes it by itself at the first cluster of an account, and uses it at once: a stack that asks for cluster and
    service together often fails then. A template cannot make it, for that fails where it is there already.

    Args:
        iam: A boto3 client of the hub's account.
        operator: Is told.
        sleep: How to pause.

    Raises:
        Throttled, Unavailable: IAM cannot be asked now.
    """
    try:
        with calling(f"looking for the role {ROLE}"):
            if _is_there(iam):
                return
        with calling(f"making the role {ROLE}"):
            iam.create_service_linked_role(AWSServiceName=SERVICE)
    except Misconfigured as error:
        # ECS still may make it by itself.
        operator.warn(f"{error.text}; if the stack fails at its cluster or service, run this again")
        return
    operator.tell(f"the role {ROLE} is made, which ECS wants in each account")
    sleep(SPREAD)


def _is_there(iam: AwsClient) -> bool:
    try:
        iam.get_role(RoleName=ROLE)
    except ClientError as error:
        if error_code(error) == "NoSuchEntity":
            return False
        raise
    return True
