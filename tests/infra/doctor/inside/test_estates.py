"""Whether an account's role lets a sweep ask for regions and tags, account by account."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest
from pydantic import SecretStr

from hub.diagnosis import Check, Verdict
from hub.settings import Settings
from infra.doctor.inside import accounts, estates
from infra.doctor.inside.accounts import Look
from spoke.arn import FunctionArn
from spoke.errors import NoAccess, Throttled
from tests import virtual_time
from tests.doubles.qscanner_rig import QUEUE, SECRET_ARN
from tests.hub.samples import SNAPSHOT
from worker.memory.estate import MemoryEstate

SETTINGS = Settings(
    changes_queue_url=f"{QUEUE}/changes",
    changes_dlq_url=f"{QUEUE}/changes-dlq",
    ledger_table="scanhub-ledger",
    results_bucket="scanhub-results",
    qualys_secret_arn=SECRET_ARN,
    external_id=SecretStr("e-x-t"),
)
FIRST, SECOND = "210000000001", "210000000002"
DENIED = "AccessDeniedException: User: x is not authorized to perform: {} because no identity-based policy allows it"


def entered(account: str, functions: Mapping[str, bool] | None = None) -> Look:
    there = {"eu-central-1": False, "eu-west-1": True} if functions is None else dict(functions)
    return Look(account, (accounts.ROLE.ok(account, "the worker gets in"),), there)


def estate() -> MemoryEstate:
    made = MemoryEstate()
    for account in (FIRST, SECOND):
        made.enable(account, "eu-central-1", "eu-west-1", "us-east-1")
        arn = FunctionArn.parse(f"arn:aws:lambda:eu-west-1:{account}:function:orders-api")
        made.put(replace(SNAPSHOT, arn=arn, tags={SETTINGS.exclusion_tag: "true"}))
    return made


async def looked(made: MemoryEstate, *looks: Look, settings: Settings = SETTINGS) -> dict[str, Check]:
    found = await estates.look(
        looks or (entered(FIRST), entered(SECOND)), estate=made, settings=settings, region="eu-central-1"
    )
    assert {check.name for check in found} <= {"account-sweep"}
    return {check.subject: check for check in found}


async def test_accounts_that_let_a_sweep_ask() -> None:
    made = estate()
    found = await looked(made)
    assert {check.verdict for check in found.values()} == {Verdict.OK}
    # Where there are functions, tags are asked for: there AWS has something to tell.
    assert found[FIRST].reason == "3 regions; in eu-west-1 1 functions with the tag QualysScanExclude"
    assert made.calls == {"regions": 2, "tagged": 2}


async def test_an_account_that_does_not_let_the_worker_in_is_told_by_its_own_check() -> None:
    shut = Look(FIRST, (accounts.ROLE.failed(FIRST, "no such role"),), {})
    assert set(await looked(estate(), shut, entered(SECOND))) == {SECOND}


async def test_where_no_region_could_be_read_the_hubs_is_asked() -> None:
    found = await looked(estate(), entered(FIRST, {}), entered(SECOND, {"us-east-1": False}))
    assert "in eu-central-1 0 functions" in found[FIRST].reason
    assert "in us-east-1 0 functions" in found[SECOND].reason


async def test_without_its_regions_an_account_is_left_out() -> None:
    made = estate()
    made.fail("regions", NoAccess(DENIED.format("ec2:DescribeRegions")), account=FIRST)
    found = await looked(made)
    assert (found[FIRST].verdict, found[SECOND].verdict) == (Verdict.FAILED, Verdict.OK)
    assert "the spoke role lacks the permission" in found[FIRST].reason
    assert "ec2:DescribeRegions" in found[FIRST].reason
    assert "scanhub rollout spokes" in found[FIRST].fix


async def test_nobody_asks_for_regions_that_the_settings_name() -> None:
    made = estate()
    made.deny(FIRST, call="regions")
    named = SETTINGS.model_copy(update={"sweep_regions": ("eu-west-1",)})
    found = await looked(made, entered(FIRST), settings=named)
    assert found[FIRST].verdict is Verdict.OK
    assert found[FIRST].reason.startswith("1 regions are named; ")
    assert "regions" not in made.calls


@pytest.mark.parametrize(
    ("words", "means", "fix"),
    [
        (DENIED.format("tag:GetResources"), "the spoke role lacks the permission", "scanhub rollout spokes"),
        ("AccessDeniedException with an explicit deny in a service control policy", "of the organization", "exempt"),
        ("AccessDeniedException: no", "AccessDeniedException: no", "scanhub rollout spokes"),
    ],
)
async def test_without_tags_a_sweep_goes_on(words: str, means: str, fix: str) -> None:
    made = estate()
    made.fail("tagged", NoAccess(words), account=FIRST)
    found = await looked(made)
    assert (found[FIRST].verdict, found[SECOND].verdict) == (Verdict.WARNING, Verdict.OK)
    assert means in found[FIRST].reason
    assert fix in found[FIRST].fix


async def test_a_question_that_is_not_answered_has_failed() -> None:
    made = estate()
    made.fail("tagged", Throttled("asking for functions: ThrottledException"), account=FIRST)
    made.fail("regions", KeyError("Regions"), account=SECOND)
    found = await looked(made)
    assert (found[FIRST].verdict, found[SECOND].verdict) == (Verdict.FAILED, Verdict.UNKNOWN)
    assert "ThrottledException" in found[FIRST].reason
    assert "KeyError" in found[SECOND].reason


def test_one_that_hangs_delays_no_other() -> None:
    names = [f"{210_000_000_000 + number}" for number in range(60)]
    most = 0

    async def scene() -> tuple[dict[str, Check], float]:
        nonlocal most
        made, at_once = MemoryEstate(), 0

        async def on_call(operation: str, account: str, region: str, *, after: bool) -> None:  # noqa: ARG001  # the port's
            nonlocal most, at_once
            if after:
                at_once -= 1
                return
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(1)
            if account == names[0]:
                await asyncio.Event().wait()

        made.on_call = on_call
        found = await looked(made, *(entered(name) for name in names))
        return found, asyncio.get_running_loop().time()

    found, seconds = virtual_time.run(scene())
    assert list(found) == names
    assert (found[names[0]].verdict, found[names[0]].reason) == (Verdict.FAILED, "no answer within 20 s")
    assert sum(check.verdict is Verdict.OK for check in found.values()) == 59
    assert most == accounts.AT_ONCE
    assert seconds == pytest.approx(20, abs=1)
