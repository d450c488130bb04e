"""Options that several commands have: whose credentials, where, and how much is asked."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from spoke.errors import Misconfigured

# boto3 itself reads AWS_DEFAULT_REGION alone; every other tool of AWS reads AWS_REGION first.
Region = Annotated[
    str | None,
    typer.Option(envvar="AWS_REGION", help="The hub's region; by default that of the environment or profile."),
]
Profile = Annotated[str | None, typer.Option(help="A profile of the AWS configuration.")]
HubAccount = Annotated[
    str | None,
    typer.Option(
        metavar="ID", help="The hub's account: from the management account, unless one account administers StackSets."
    ),
]
ThroughRole = Annotated[str, typer.Option(metavar="NAME", help="The role by which the hub's account is entered.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be changed, and change nothing.")]


def named(option: str, values: Sequence[str] | None) -> tuple[str, ...]:
    """As `listed`, of an option without which everything is meant.

    Raises:
        Misconfigured: It was given and names nothing: an empty variable of a script must not mean everything.
    """
    found = listed(values)
    if values and not found:
        raise Misconfigured(f"{option} names nothing; leave it out to mean all")
    return found


def listed(values: Iterable[str] | None) -> tuple[str, ...]:
    """Options that may be repeated, and may hold commas."""
    return tuple(one.strip() for value in values or () for one in value.split(",") if one.strip())
