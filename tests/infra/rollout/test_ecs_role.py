import boto3
import pytest
from botocore.stub import Stubber

from infra.calls import AwsClient
from infra.rollout.ecs_role import ROLE, SERVICE, SPREAD, ensure
from tests.infra.rollout.recording import Pauses, Recording


@pytest.fixture
def iam() -> AwsClient:
    return boto3.client("iam", region_name="eu-central-1")


def test_an_account_that_never_had_a_cluster_gets_the_role_and_time_to_know_it(iam: AwsClient) -> None:
    operator, pauses = Recording(), Pauses()
    with Stubber(iam) as told:
        told.add_client_error("get_role", "NoSuchEntity", expected_params={"RoleName": ROLE})
        told.add_response("create_service_linked_role", {}, {"AWSServiceName": SERVICE})
        ensure(iam, operator, sleep=pauses)
        told.assert_no_pending_responses()
    assert pauses == [SPREAD]
    assert ROLE in operator.lines[0]


def test_a_role_that_is_there_is_left_alone(iam: AwsClient) -> None:
    operator, pauses = Recording(), Pauses()
    role = {
        "Path": "/aws-service-role/ecs.amazonaws.com/",
        "RoleName": ROLE,
        "RoleId": "AROAEXAMPLEEXAMPLE123",
        "Arn": f"arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/{ROLE}",
        "CreateDate": "2026-11-22T00:00:00Z",
    }
    with Stubber(iam) as told:
        told.add_response("get_role", {"Role": role}, {"RoleName": ROLE})
        ensure(iam, operator, sleep=pauses)
    assert (pauses, operator.lines, operator.warnings) == ([], [], [])


@pytest.mark.parametrize(
    ("operation", "code"),
    [("get_role", "AccessDenied"), ("create_service_linked_role", "AccessDenied")],
)
def test_who_may_not_make_it_is_told_and_goes_on(iam: AwsClient, operation: str, code: str) -> None:
    operator, pauses = Recording(), Pauses()
    with Stubber(iam) as told:
        if operation != "get_role":
            told.add_client_error("get_role", "NoSuchEntity")
        told.add_client_error(operation, code, "User is not authorized to perform this", http_status_code=403)
        ensure(iam, operator, sleep=pauses)
    assert pauses == []
    [warning] = operator.warnings
    assert ROLE in warning
    assert "run this again" in warning
