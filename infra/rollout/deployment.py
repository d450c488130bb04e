"""One stack, from the state that it is in to the one that it shall have: shown, agreed to, run, watched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import sleep as _sleep

from infra import stacks
from infra.calls import AwsClient, calling
from infra.rollout import change_set as change_sets
from infra.rollout import parameters
from infra.rollout.hints import with_hint
from infra.rollout.operator import Operator, confirm
from infra.rollout.progress import StackWatch
from infra.stacks import DONE, Stack
from spoke.errors import Misconfigured, ScanhubError, Throttled, Unavailable

PAUSE = 3.0
PATIENCE = 3 * 3600.0
"""Seconds between two looks at a stack, and in all: CloudFormation itself gives a service three hours."""

_CHANGEABLE = DONE | {change_sets.SHELL, "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "IMPORT_ROLLBACK_COMPLETE"}
"""States from which a stack can be updated; it fails in place where somebody has switched the rollback off."""

_FAILED_AT_CREATION = frozenset({"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"})


class StackFailed(ScanhubError):
    """CloudFormation could not do it, and rolled back. The text has the first reason and, if known, what to do."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """How stacks are deployed.

    Attributes:
        operator: Who is told, shown and asked.
        dry_run: Whether to show what would change and stop there.
        sleep: How to pause.
    """

    operator: Operator
    dry_run: bool = False
    sleep: Callable[[float], None] = field(default=_sleep, repr=False)

    def stack(
        self, client: AwsClient, name: str, template: str, given: Mapping[str, str], *, protect: bool = False
    ) -> Stack | None:
        """Bring the stack to what the template and the parameters say.

        Args:
            client: A boto3 CloudFormation client of the account and region.
            name: The stack's.
            template: A file name in `infra.stacks.TEMPLATES`.
            given: Values of parameters; those not named keep theirs, or take their default.
            protect: Whether the stack shall refuse to be deleted.

        Returns:
            The stack as it is afterwards: after a dry run, as it was; None if there is none.

        Raises:
            Declined: The operator did not agree.
            StackFailed: CloudFormation could not do it.
            Misconfigured: It is refused, or the stack is in a state that a person must mend.
            Throttled, Unavailable: AWS cannot be asked now, or it takes too long.
        """
        text = stacks.template_text(template)
        before = self._ready(client, name)
        known = parameters.declared(client, text)
        proposed = change_sets.propose(
            client, name=name, template=text, declared=known, given=given, before=before, sleep=self.sleep
        )
        if proposed is None:
            self.operator.tell(f"stack {name}: no changes")
        else:
            self.operator.show(proposed)
            if self.dry_run:
                change_sets.discard(client, proposed)
                return before
            self._agree(client, proposed)
            before = self._run(client, proposed)
        if protect and before is not None and not before.is_protected and not self.dry_run:
            with calling(f"protecting the stack {name} from deletion"):
                client.update_termination_protection(StackName=name, EnableTerminationProtection=True)
        return before

    def delete(self, client: AwsClient, stack: Stack) -> None:
        """Delete the stack and wait until it is gone; its resources that are retained stay.

        Raises:
            StackFailed: CloudFormation could not delete it.
            Misconfigured: It is refused.
            Throttled, Unavailable: AWS cannot be asked now, or it takes too long.
        """
        watch = StackWatch(client, stack, self.operator)
        with calling(f"deleting the stack {stack.name}"):
            client.delete_stack(StackName=stack.id)
        after = self._finished(client, stack.id, watch)
        if after is not None and after.status != "DELETE_COMPLETE":
            raise self._failure(client, after)

    def _ready(self, client: AwsClient, name: str) -> Stack | None:
        """The stack, once it can be changed."""
        stack = stacks.describe(client, name)
        if stack is not None and stack.is_in_progress:
            self.operator.tell(f"stack {name}: {stack.status}; waiting until that has ended")
            stack = self._finished(client, name, StackWatch(client, stack, self.operator))
        if stack is None or stack.status in _CHANGEABLE:
            return stack
        if stack.status == "UPDATE_ROLLBACK_FAILED":
            raise Misconfigured(
                f"the stack {name} is stuck ({_why(client, stack)}): mend that, then run: aws cloudformation "
                f"continue-update-rollback --stack-name {name} --region {client.meta.region_name}"
            )
        if stack.status not in _FAILED_AT_CREATION:
            raise Misconfigured(
                f"the stack {name} is in the state {stack.status} ({_why(client, stack)}): take it away with "
                "scanhub rollout remove, and begin anew"
            )
        self.operator.warn(
            f"stack {name}: an earlier creation failed ({_why(client, stack)}); it must be deleted first"
        )
        if self.dry_run:
            raise Misconfigured(
                f"the stack {name} has to be deleted before anything can be shown; run without --dry-run"
            )
        confirm(self.operator, f"Delete what is left of the stack {name}?")
        self.delete(client, stack)
        return None

    def _agree(self, client: AwsClient, proposed: change_sets.ChangeSet) -> None:
        what = "Create" if proposed.is_new else "Update"
        try:
            confirm(self.operator, f"{what} the stack {proposed.stack} in {proposed.account}, {proposed.region}?")
        except (ScanhubError, KeyboardInterrupt):
            change_sets.discard(client, proposed)
            raise

    def _run(self, client: AwsClient, proposed: change_sets.ChangeSet) -> Stack:
        before = stacks.describe(client, proposed.stack_id)
        watch = StackWatch(client, before, self.operator)
        change_sets.execute(client, proposed)
        after = self._finished(client, proposed.stack_id, watch)
        if after is None:
            raise Misconfigured(f"the stack {proposed.stack} was deleted while it was deployed")
        if after.status not in DONE:
            raise self._failure(client, after)
        self.operator.tell(f"stack {proposed.stack}: {after.status}")
        return after

    def _finished(self, client: AwsClient, name: str, watch: StackWatch) -> Stack | None:
        return stacks.finished(
            client,
            name,
            patience=PATIENCE,
            pause=PAUSE,
            sleep=self.sleep,
            progress=watch.look,
            # CloudFormation goes on while it, or the way to it, is out of reach: so does the waiting.
            outlasting=(Throttled, Unavailable),
        )

    @staticmethod
    def _failure(client: AwsClient, stack: Stack) -> StackFailed:
        return StackFailed(f"the stack {stack.name} ended as {stack.status}: {with_hint(_why(client, stack))}")


def _why(client: AwsClient, stack: Stack) -> str:
    first = stacks.first_failure(client, stack.id)
    return str(first) if first is not None else stack.reason or "no reason was given"
