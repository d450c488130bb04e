import pytest

from infra.rollout.sessions import Sessions
from spoke.errors import Misconfigured


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
