from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

from infra import roster
from infra.calls import calling
from infra.local.accounts import Accounts, spoke_accounts
from infra.local.cloud import EmbeddedCloud
from infra.local.organization import MANAGEMENT_ACCOUNT, set_up
from spoke.errors import Misconfigured
from tests.infra.doctor.looking import CannedClients


def test_named_accounts_are_sorted_and_each_counts_once() -> None:
    found = roster.of_names(["210000000002", "210000000001", "210000000002"])
    assert found == roster.Roster(accounts=("210000000001", "210000000002"))


def test_what_is_no_account_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"not an account id \(twelve digits\): 12345, prod$"):
        roster.of_names(["210000000001", "12345", "prod"])


def test_a_file_has_one_account_a_line_with_remarks(tmp_path: Path) -> None:
    path = tmp_path / "accounts.txt"
    path.write_text("# production\n210000000002  # payments\n\n 210000000001\n210000000002\n")
    assert roster.of_file(path) == roster.Roster(accounts=("210000000001", "210000000002"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "names no account"),
        (b"# nothing\n", "names no account"),
        (b"210000000001\nprod\n21000000000\n", r"twelve digits\) in line 2, line 3$"),
        (b"a\nb\nc\nd\ne\n", r"line 1, line 2, line 3 and 2 more$"),
        (b"\xff\xfe2\x001\x00", "not UTF-8 text"),
        (b"210000000001\n" * 90_000, "too large"),
    ],
)
def test_a_file_that_is_none_of_accounts_is_refused_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "accounts.txt"
    path.write_bytes(content)
    with pytest.raises(Misconfigured, match=told) as refused:
        roster.of_file(path)
    assert "\n" not in refused.value.text


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"cannot be read: No such file or directory$"):
        roster.of_file(tmp_path / "none")
    with pytest.raises(Misconfigured, match=r"cannot be read: Is a directory$"):
        roster.of_file(tmp_path)


def test_the_organizations_active_accounts_are_the_whole() -> None:
    with EmbeddedCloud() as cloud:
        accounts = Accounts(cloud.endpoint, "eu-central-1")
        organization = set_up(accounts)
        management = accounts.acting_as(MANAGEMENT_ACCOUNT)
        everything = roster.of_organization(management)
        production = roster.of_organization(management, [organization.units["workloads/production"]])
    spokes = spoke_accounts(3)
    assert everything == roster.Roster(
        accounts=tuple(sorted({MANAGEMENT_ACCOUNT, accounts.hub, *spokes})), is_whole=True
    )
    assert production == roster.Roster(accounts=(spokes[1],))


def refused(monkeypatch: pytest.MonkeyPatch, cause: Exception) -> str:
    """What is told where asking for the accounts ends like that."""

    def refuse(*_arguments: object) -> None:
        with calling("listing the accounts of the organization"):
            raise cause

    monkeypatch.setattr(roster, "active_accounts", refuse)
    with pytest.raises(Misconfigured) as told:
        roster.of_organization(Accounts.__new__(Accounts))
    return told.value.text


@pytest.mark.parametrize("code", ["AccessDeniedException", "AWSOrganizationsNotInUseException"])
def test_who_may_not_ask_is_told_what_else_there_is(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ClientError({"Error": {"Code": code, "Message": "Not for you."}}, "ListAccounts")
    assert f"{code}: Not for you.; name the accounts by --accounts or in a file" in refused(monkeypatch, answer)


@pytest.mark.parametrize(
    "cause",
    [
        NoCredentialsError(),
        NoRegionError(),
        ClientError({"Error": {"Code": "ExpiredToken", "Message": "Log in again."}}, "ListAccounts"),
    ],
)
def test_what_is_wrong_for_every_call_gets_no_advice_that_would_not_help(
    cause: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--accounts" not in refused(monkeypatch, cause)


def test_a_unit_that_does_not_exist_is_named_and_that_is_all() -> None:
    clients = CannedClients()
    # As AWS answers what is no id at all, and an id that nothing has.
    for code in ("InvalidInputException", "ParentNotFoundException"):
        clients.refuse("organizations", "list_accounts_for_parent", code)
        with pytest.raises(Misconfigured, match=r"^the organization has no unit prod: list them in AWS Organizations$"):
            roster.of_organization(clients, ["prod"])


@pytest.mark.parametrize(("ous", "told"), [([], "the organization shows"), (["ou-ab12-cdefghij"], "ou-ab12-cdefghij")])
def test_nothing_to_sweep_is_no_sweep_that_went_well(
    ous: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "active_accounts", lambda *_: ())
    with pytest.raises(Misconfigured, match=rf"{told}.* no active account; name the accounts by --accounts"):
        roster.of_organization(Accounts.__new__(Accounts), ous)
