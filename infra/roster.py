"""Which accounts a sweep goes over: those named, those of a file, or those of the organization."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from infra.clients import Clients
from infra.organization import active_accounts
from spoke.arn import is_account
from spoke.aws_errors import DENIED, error_code
from spoke.errors import Misconfigured

MAX_BYTES = 1024 * 1024
"""Of a file of accounts: some eighty thousand lines, eight times the accounts of the largest organizations."""

_NOT_FOR_US = DENIED | {"AWSOrganizationsNotInUseException"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The accounts.

    Attributes:
        accounts: Sorted, each once.
        is_whole: Whether these are all active accounts of the organization, by its own word: whatever else the ledger
            knows is not there any more.
    """

    accounts: tuple[str, ...]
    is_whole: bool = False


def of_names(names: Sequence[str]) -> Roster:
    """The accounts that were named.

    Raises:
        Misconfigured: One is no account id.
    """
    if wrong := [name for name in names if not is_account(name)]:
        raise Misconfigured(f"not an account id (twelve digits): {', '.join(wrong)}")
    return Roster(accounts=tuple(sorted(set(names))))


def of_file(path: Path) -> Roster:
    """The accounts of a file: one id a line; what follows a `#` is a remark.

    Raises:
        Misconfigured: It cannot be read, holds something else, or nothing.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise Misconfigured(f"{path} is too large for a file of account ids")
        lines = content.decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Misconfigured(f"the file of accounts {path} cannot be read: {reason}") from error
    names = {number: line.partition("#")[0].strip() for number, line in enumerate(lines, start=1)}
    if wrong := [f"line {number}" for number, name in names.items() if name and not is_account(name)]:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise Misconfigured(f"{path}: not an account id (twelve digits) in {', '.join(wrong[:3])}{more}")
    roster = of_names([name for name in names.values() if name])
    if not roster.accounts:
        raise Misconfigured(f"{path} names no account; write one id of twelve digits a line")
    return roster


def of_organization(clients: Clients, ous: Sequence[str] = ()) -> Roster:
    """The active accounts of the organization, or of some of its units.

    Raises:
        Misconfigured: The caller may not ask (AWS lets only the management account and delegated administrators), or
            there is no active account: a sweep over nothing would look as if all were well.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    try:
        found = active_accounts(clients, ous)
    except Misconfigured as error:
        if not _may_not_ask(error):
            raise
        raise Misconfigured(
            f"{error.text}; name the accounts by --accounts or in a file (SCANHUB_ACCOUNTS_FILE), or let the hub's "
            "account ask: docs/sweep.md#the-accounts"
        ) from error
    if not found:
        where = f"the organizational units {', '.join(ous)} have" if ous else "the organization shows"
        raise Misconfigured(f"{where} no active account; name the accounts by --accounts or in a file")
    return Roster(accounts=tuple(account.id for account in found), is_whole=not ous)


def _may_not_ask(error: BaseException | None) -> bool:
    """Whether nobody with these credentials learns the organization's accounts, whatever else is asked for."""
    while error is not None:
        if isinstance(error, ClientError) and error_code(error) in _NOT_FOR_US:
            return True
        error = error.__cause__
    return False
