from typing import Any

import pytest
from botocore.loaders import Loader, create_loader

from infra import stacks
from infra.rollout.sessions import Sessions
from spoke.errors import Misconfigured, Unavailable
from tests.infra.script import Script, refusal


def test_other_accounts_are_entered_through_a_role_and_clients_are_made_once(fresh_cloud: str) -> None:
    sessions = Sessions()
    assert (sessions.account, sessions.region, sessions.partition) == ("123456789012", "eu-central-1", "aws")
    other = sessions.client("sts", account="210000000001", region="us-east-1")
    identity = other.get_caller_identity()
    assert identity["Account"] == "210000000001"
    assert identity["Arn"] == "arn:aws:sts::210000000001:assumed-role/OrganizationAccountAccessRole/scanhub-rollout"
    assert other.meta.region_name == "us-east-1"
    assert sessions.client("sts", account="210000000001", region="us-east-1") is other
    own = sessions.client("sts", account="123456789012")
    assert own is sessions.client("sts")
    assert own.get_caller_identity()["Account"] == "123456789012"
    assert fresh_cloud in own.meta.endpoint_url


def test_models_are_read_once_however_many_accounts_are_entered(
    fresh_cloud: str,  # noqa: ARG001  # clients go there
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Loader] = []

    def make(*arguments: Any) -> Loader:
        made.append(create_loader(*arguments))
        return made[-1]

    monkeypatch.setattr("botocore.session.create_loader", make)
    sessions = Sessions()
    for account in ("210000000001", "210000000002"):
        assert sessions.client("sts", account=account).get_caller_identity()["Account"] == account
    assert len(made) == 1


def test_another_role_and_region_may_be_named(fresh_cloud: str) -> None:  # noqa: ARG001  # clients go there
    sessions = Sessions(region="eu-west-1", through_role="admin")
    arn = sessions.client("sts", account="210000000001").get_caller_identity()["Arn"]
    assert arn.endswith("assumed-role/admin/scanhub-rollout")
    assert sessions.client("sqs").meta.region_name == "eu-west-1"


def test_no_region_no_profile_and_no_service_are_told_in_a_line(
    fresh_cloud: str,  # noqa: ARG001  # clients go there
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(Misconfigured, match=r"opening an AWS session: .*nobody"):
        Sessions(profile="nobody")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(Misconfigured, match="name the hub's by --region or AWS_REGION"):
        Sessions()


def test_without_credentials_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(Misconfigured, match="no AWS credentials were found"):
        Sessions()


@pytest.mark.parametrize("code", ["AccessDenied", "ExpiredToken"])
def test_a_role_that_does_not_let_in_is_told_with_what_to_do(
    fresh_cloud: str,  # noqa: ARG001  # clients go there
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    sessions = Sessions()
    sts = Script("sts").on("AssumeRole", refusal(code, "User: x is not authorized"))
    monkeypatch.setattr(sessions._own, "client", lambda *_, **__: sts.client)
    words = {
        "AccessDenied": r"^the account cannot be entered by arn:aws:iam::210000000001:role/Org.* --through-role",
        "ExpiredToken": "^describing the stack a: ExpiredToken",
    }
    core = sessions._session_in("210000000001").client("cloudformation")
    with pytest.raises(Misconfigured, match=words[code]):
        stacks.describe(core, "a")


@pytest.mark.parametrize(("region", "error"), [("eu-mars-1", Misconfigured), ("eu-central-1", Unavailable)])
def test_a_region_that_does_not_answer_is_told_soon_and_doubted_if_nobody_knows_it(
    monkeypatch: pytest.MonkeyPatch, region: str, error: type[Exception]
) -> None:
    # Nothing listens there.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(error, match="no connection to") as caught:
        Sessions(region=region)
    assert ("is there a region eu-mars-1?" in str(caught.value)) is (error is Misconfigured)
