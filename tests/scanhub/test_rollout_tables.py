import io

import pytest
from pydantic import SecretStr
from rich.console import Console, ConsoleRenderable

from infra.organization import Account
from infra.rollout.change_set import HIDDEN, ParameterChange, ResourceChange
from infra.rollout.site import Site
from infra.rollout.spokes_plan import SetPlan, SpokesPlan, Wanted
from infra.rollout.status import SpokeStatus, StackStatus, Status, Uncovered
from infra.stack_sets import Instance
from scanhub.rollout_tables import changes_table, parameters_table, set_lines, status_document, status_lines
from tests.infra.rollout.test_site import ORGANIZATION, Scripted

CANARY = "canary0external0id0canary"


def shown(*parts: ConsoleRenderable) -> str:
    console = Console(width=200, file=io.StringIO(), record=True)
    for part in parts:
        console.print(part)
    return console.export_text()


def wanted(name: str) -> Wanted:
    return Wanted(
        name=name,
        template="",
        parameters={},
        secret=SecretStr(CANARY),
        secret_version="1",
        regions=("eu-central-1",),
        units=("r-ab12",),
    )


def test_what_is_taken_away_is_red_and_what_is_hidden_stays_hidden() -> None:
    table = changes_table(
        [
            ResourceChange(action="Modify", resource="Ledger", type="AWS::DynamoDB::Table", replaces="True"),
            ResourceChange(action="Modify", resource="Bus", type="AWS::Events::EventBus", replaces="Conditional"),
            ResourceChange(action="Add", resource="Topic", type="AWS::SNS::Topic"),
        ]
    )
    text = shown(table)
    assert [line.split()[-1] for line in text.splitlines()[1:]] == ["yes", "perhaps", "AWS::SNS::Topic"]
    red = [str(cell.style) for cell in table.columns[0].cells]  # type: ignore[union-attr]  # all cells are Text
    assert red == ["bold red", "bold red", "green"]
    parameters = shown(
        parameters_table(
            [
                ParameterChange(name="ScannerExternalId", before=None, after=HIDDEN),
                ParameterChange(name="ExcludeFunctions", before="a", after=""),
            ]
        )
    )
    assert "ScannerExternalId  -       (not shown)" in parameters
    assert 'ExcludeFunctions   a       ""' in parameters


def test_a_plan_names_the_accounts_and_every_difference_and_never_the_secret() -> None:
    accounts = tuple(Account(id=f"2100000000{number:02}", name="shop" if number == 0 else "") for number in range(25))
    failed = Instance(account="210000000001", region="eu-central-1", status="OUTDATED", reason="already exists")
    plan = SpokesPlan(
        accounts=accounts,
        sets=(
            SetPlan(
                wanted=wanted("scanhub-spoke"),
                is_new=False,
                changes=("the template",),
                units=("r-ab12",),
                regions=("eu-central-1",),
                new_units=("ou-ab12-cd34ef56",),
                new_regions=("us-east-1",),
                removed_regions=("eu-west-1",),
                retried=(failed,),
                uncovered=("210000000007",),
            ),
            SetPlan(
                wanted=wanted("none"),
                is_new=False,
                changes=(),
                units=("r-ab12",),
                regions=(),
                new_units=(),
                new_regions=(),
            ),
            SetPlan(
                wanted=wanted("new"),
                is_new=True,
                changes=(),
                units=("r-ab12",),
                regions=("a",),
                new_units=("r-ab12",),
                new_regions=("a",),
            ),
        ),
    )
    lines = [line.plain for line in set_lines(plan)]
    assert lines[0].startswith("accounts that are covered: 25: 210000000000 (shop), 210000000001, ")
    assert lines[0].endswith("210000000019 and 5 more")
    assert lines[1:] == [
        "update the stack set scanhub-spoke: r-ab12 in eu-central-1",
        "  change: the template",
        "  add: region us-east-1",
        "  add: unit ou-ab12-cd34ef56",
        "  remove: region eu-west-1",
        "  try again: 210000000001 eu-central-1: already exists",
        "  add: account 210000000007, which was left out",
        "no changes to the stack set none: r-ab12 in no region",
        "create the stack set new: r-ab12 in a",
    ]
    assert CANARY not in repr(plan) + "".join(lines)


def test_a_status_of_a_large_organization_can_be_read() -> None:
    accounts = [Account(id=f"21{number:010}", name="") for number in range(1000)]
    found = Status(
        site=Site(clients=Scripted(), organization=ORGANIZATION, hub_account="123456789012", region="eu-central-1"),
        stacks=(),
        sets=(),
        outdated_sets=(),
        spokes=tuple(
            SpokeStatus(account=one, region=region, status="MISSING", reason="r", what_to_do="w", is_well=False)
            for one in accounts
            for region in ("eu-central-1", "us-east-1")
        ),
        uncovered=tuple(Uncovered(account=one, reason="in no organizational unit") for one in accounts),
    )
    lines = shown(*status_lines(found)).splitlines()
    assert len(lines) < 140
    assert "us-east-1: 1000 accounts are not" in lines
    assert "not as they should be: 1900 more; scanhub rollout status --json names all" in lines
    assert "not covered: 980 more; scanhub rollout status --json names all" in lines
    assert len(status_document(found)["spokes"]) == 2000


@pytest.mark.parametrize("is_well", [True, False])
def test_a_status_shows_what_is_not_well_with_what_to_do(is_well: bool) -> None:
    account = Account(id="210000000001", name="shop")
    found = Status(
        site=Site(clients=Scripted(), organization=ORGANIZATION, hub_account="123456789012", region="eu-central-1"),
        stacks=(
            StackStatus(
                name="scanhub-hub",
                account="123456789012",
                region="eu-central-1",
                status="CREATE_COMPLETE",
                is_current=False,
            ),
        ),
        sets=(),
        outdated_sets=(),
        spokes=(
            SpokeStatus(
                account=account,
                region="us-east-1",
                status="CURRENT" if is_well else "OUTDATED (FAILED)",
                reason="" if is_well else "already exists",
                what_to_do="" if is_well else "delete it",
                is_well=is_well,
            ),
        ),
        uncovered=(Uncovered(account=Account(id="210000000009", name="old", state="SUSPENDED"), reason="suspended"),),
    )
    text = shown(*status_lines(found))
    assert "another" in text
    assert "not covered: 210000000009 (old): suspended" in text
    assert ("us-east-1: 1 accounts are as they should be" in text) is is_well
    assert ("already exists" in text and "delete it" in text) is not is_well
    assert text.rstrip().endswith("\ncomplete" if is_well else "\nnot complete")
    document = status_document(found)
    assert document["complete"] is is_well
    assert document["spokes"][0]["account"] == "210000000001"
    assert document["organization"] == ORGANIZATION.id
