"""What moves while a stack is created, changed or deleted."""

from infra import stacks
from infra.calls import AwsClient
from infra.rollout.operator import Operator, Step
from infra.stacks import Stack
from infra.words import one_line
from spoke.errors import ScanhubError


class StackWatch:
    """Tells the operator each event of a stack once, beginning with those that come after it was made.

    Args:
        client: A boto3 CloudFormation client of the account and region.
        stack: The stack as it is before; None if there is none.
        operator: Who is told.
    """

    def __init__(self, client: AwsClient, stack: Stack | None, operator: Operator) -> None:
        self._client = client
        self._stack = stack
        self._operator = operator
        self._seen = {event["EventId"] for event in stacks.events(client, stack.id)} if stack is not None else set()

    def look(self) -> None:
        """Tell what is new.

        What cannot be read now is told the next time: the rollout does not fail for the want of a progress line.
        """
        if self._stack is None:
            return
        try:
            fresh = [
                event for event in stacks.events(self._client, self._stack.id) if event["EventId"] not in self._seen
            ]
        except ScanhubError:
            return
        for event in reversed(fresh):
            self._seen.add(event["EventId"])
            self._operator.moved(
                Step(
                    where=self._stack.name,
                    what=f"{event['LogicalResourceId']} ({event['ResourceType']})",
                    status=event["ResourceStatus"],
                    reason=one_line(event.get("ResourceStatusReason")),
                )
            )
