"""Every account by itself: whatever one does, the others are asked too."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from hub.diagnosis import Check, Verdict
from infra.doctor.inside import accounts, sightings
from infra.doctor.inside.accounts import Look
from spoke.credentials import SessionCredentials
from spoke.errors import Misconfigured, NoAccess, SessionRefused, Unavailable
from tests import virtual_time

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HUB = "arn:aws:sts::123456789012:assumed-role/scanhub-worker/4f0c"
ROLE = "arn:aws:iam::{}:role/scanhub-spoke"
ASSUME = "assuming the role {role} in account {account}: AccessDenied: User: {hub} is not authorized to perform: {said}"


def refused(account: str, suffix: str = "", action: str = "sts:AssumeRole") -> NoAccess:
    """STS's words, as it says them."""
    role = ROLE.format(account)
    said = f"{action} on resource: {role}{suffix}"
    return NoAccess(ASSUME.format(role=role, account=account, hub=HUB, said=said))


def session(account: str) -> SessionCredentials:
    return SessionCredentials(
        access_key_id=f"ASIA{account}",
        secret_access_key=SecretStr("s3cr3t"),
        session_token=SecretStr("t0k3n"),
        expires_at=NOW + timedelta(hours=1),
    )


class Roles:
    """Lets in whom no fault is known of; who has None hangs."""

    def __init__(self, faults: Mapping[str, Exception | None]) -> None:
        self.faults = faults
        self.at_once = self.most = 0

    async def worker_session(self, account: str, partition: str = "aws") -> SessionCredentials:
        assert partition == "aws-us-gov"
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(1)
            if account in self.faults:
                fault = self.faults[account]
                if fault is None:
                    await asyncio.Event().wait()
                raise fault or AssertionError
            return session(account)
        finally:
            self.at_once -= 1


def looked(
    found: Mapping[str, Exception | None],
    readings: Mapping[tuple[str, str], Exception | bool | None] | None = None,
    *,
    names: tuple[str, ...] = ("210000000001", "210000000002"),
    regions: tuple[str, ...] = ("eu-central-1", "us-east-1"),
    at_once: int = 16,
) -> tuple[tuple[Look, ...], float, Roles]:
    roles = Roles(found)

    async def read(region: str, credentials: SessionCredentials) -> bool:
        answer = (readings or {}).get((credentials.access_key_id[4:], region), True)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    async def scene() -> tuple[tuple[Look, ...], float]:
        looks = await accounts.look(
            names, regions, roles=roles, read=read, partition="aws-us-gov", at_once=at_once, patience=20
        )
        return looks, asyncio.get_running_loop().time()

    looks, seconds = virtual_time.run(scene())
    return looks, seconds, roles


def checks(looks: tuple[Look, ...]) -> dict[tuple[str, str], Check]:
    return {(check.name, check.subject): check for look in looks for check in look.checks}


def test_accounts_that_let_the_worker_in() -> None:
    looks, _, _ = looked({}, {("210000000002", "us-east-1"): False})
    found = checks(looks)
    assert {check.verdict for check in found.values()} == {Verdict.OK}
    assert set(found) == {
        *(("account-role", account) for account in ("210000000001", "210000000002")),
        *(
            ("account-read", f"{account} {region}")
            for account in ("210000000001", "210000000002")
            for region in ("eu-central-1", "us-east-1")
        ),
    }
    assert found["account-read", "210000000002 us-east-1"].reason == "readable; there are no functions"
    assert looks[1].functions == {"eu-central-1": True, "us-east-1": False}


def test_one_that_hangs_delays_no_other_and_ends_after_its_time() -> None:
    names = tuple(f"{210_000_000_000 + number}" for number in range(100))
    looks, seconds, roles = looked({names[0]: None}, names=names, regions=("eu-central-1",), at_once=10)
    assert len(looks) == 100
    assert [look.account for look in looks] == list(names)
    found = checks(looks)
    assert (found["account-role", names[0]].verdict, found["account-role", names[0]].reason) == (
        Verdict.FAILED,
        "no answer within 20 s",
    )
    assert sum(check.verdict is Verdict.OK for check in found.values()) == 2 * 99
    assert roles.most == 10
    assert seconds == pytest.approx(20, abs=1)


def test_a_region_that_hangs_leaves_the_others_of_its_account() -> None:
    looks, seconds, _ = looked({}, {("210000000001", "us-east-1"): None})
    found = checks(looks)
    assert found["account-read", "210000000001 us-east-1"].reason == "no answer within 20 s"
    assert found["account-read", "210000000001 eu-central-1"].verdict is Verdict.OK
    assert looks[0].functions == {"eu-central-1": True}
    assert seconds == pytest.approx(21, abs=1)


@pytest.mark.parametrize(
    ("fault", "words", "fix"),
    [
        (refused("210000000001"), "no such role, or it expects another external id", "scanhub rollout spokes"),
        (
            refused("210000000001", " because no role trust policy allows the sts:AssumeRole action"),
            "trust policy does not admit the worker",
            "hands on the external id",
        ),
        (
            refused("210000000001", " because no resource-based policy allows the sts:AssumeRole action"),
            "trust policy does not admit the worker",
            "hands on the external id",
        ),
        (
            refused("210000000001", " with an explicit deny in a service control policy"),
            "service control policy",
            "exempt",
        ),
        (
            refused("210000000001", " with an explicit deny in a resource control policy"),
            "resource control policy",
            "exempt",
        ),
        (
            refused("210000000001", " because no identity-based policy allows the sts:AssumeRole action"),
            "the hub's task role may not assume it",
            "SpokeRoleName",
        ),
        (
            refused("210000000001", action="sts:SetSourceIdentity"),
            "lacks sts:SetSourceIdentity",
            "scanhub rollout spokes",
        ),
        (
            Misconfigured("assuming the role: ExpiredToken: The security token included in the request is expired"),
            "expired",
            "its role again",
        ),
        (
            Misconfigured(
                "assuming the role: InvalidClientTokenId: The security token included in the request is invalid"
            ),
            "InvalidClientTokenId",
            "its own credentials are refused",
        ),
        (Unavailable("assuming the role: no connection to https://sts"), "no way to it", "NAT"),
    ],
)
def test_why_a_role_does_not_let_the_worker_in(fault: Exception, words: str, fix: str) -> None:
    looks, _, _ = looked({"210000000001": fault})
    check = checks(looks)["account-role", "210000000001"]
    assert check.verdict is Verdict.FAILED
    assert words in check.reason
    assert fix in check.fix
    assert looks[0].functions == {}
    assert checks(looks)["account-role", "210000000002"].verdict is Verdict.OK


DENIED = (
    "listing functions in us-east-1: AccessDeniedException: User: x is not authorized to perform: lambda:ListFunctions"
)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (NoAccess(DENIED + " because no identity-based policy allows it"), "the spoke role lacks the permission"),
        (NoAccess(DENIED + " because no permissions boundary allows it"), "permissions boundary"),
        (NoAccess(DENIED + " with an explicit deny in a service control policy"), "service control policy"),
        (
            SessionRefused("listing functions: UnrecognizedClientException: The security token ... is invalid"),
            "not enabled in this account",
        ),
        (
            Unavailable("listing functions: no connection to https://lambda.xx-nowhere-1.amazonaws.com"),
            "no such region",
        ),
        (NoAccess("listing functions: AccessDeniedException: no"), "AccessDeniedException: no"),
    ],
)
def test_why_a_region_cannot_be_read(fault: Exception, words: str) -> None:
    looks, _, _ = looked({}, {("210000000001", "us-east-1"): fault})
    check = checks(looks)["account-read", "210000000001 us-east-1"]
    assert check.verdict is Verdict.FAILED
    assert words in check.reason
    assert check.fix


def test_a_mistake_is_told_as_one() -> None:
    looks, _, _ = looked({"210000000001": KeyError("Credentials")})
    check = checks(looks)["account-role", "210000000001"]
    assert (check.verdict, "KeyError" in check.reason) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize(
    ("days", "functions", "verdict", "words"),
    [
        (1, True, Verdict.OK, "2026-11-21 12:00"),
        (14, True, Verdict.OK, "2026-11-08 12:00"),
        (15, True, Verdict.WARNING, "though there are functions"),
        (15, False, Verdict.OK, "there are no functions"),
        (15, None, Verdict.UNKNOWN, "could not be read"),
        (None, True, Verdict.WARNING, "no event was ever seen, though there are functions"),
        (None, False, Verdict.OK, "no event was ever seen, and there are no functions"),
        (None, None, Verdict.UNKNOWN, "could not be read"),
    ],
)
def test_when_the_last_event_was_seen(days: int | None, functions: bool | None, verdict: Verdict, words: str) -> None:
    place = ("210000000001", "eu-central-1")
    look = Look(place[0], (), {} if functions is None else {place[1]: functions})
    seen = {} if days is None else {place: NOW - timedelta(days=days)}
    [check] = sightings.judged([look], [place[1]], seen, now=NOW, quiet=timedelta(days=14))
    assert (check.verdict, check.subject) == (verdict, "210000000001 eu-central-1")
    assert words in check.reason
