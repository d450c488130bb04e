"""Lists of functions, aliases and provisioned concurrency, held against what Lambda documents."""

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

from infra.calls import AwsClient
from infra.local.accounts import Accounts
from tests.conftest import HUB_ACCOUNT, REGION

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}
PREFIX = f"arn:aws:lambda:{REGION}:{HUB_ACCOUNT}:function:"


def package() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'ok'\n")
    return buffer.getvalue()


@pytest.fixture
def functions(accounts: Accounts) -> AwsClient:
    """Lambda, with a role that functions may have."""
    accounts.client("iam").create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(TRUST))
    return accounts.client("lambda")


def create(functions: AwsClient, *names: str) -> None:
    for name in names:
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=f"arn:aws:iam::{HUB_ACCOUNT}:role/execution",
            Handler="app.handler",
            Code={"ZipFile": package()},
        )


def test_functions_come_in_pages_of_fifty_at_the_most(functions: AwsClient) -> None:
    names = [f"job-{number:02}" for number in range(53)]
    create(functions, *names)
    pages = list(functions.get_paginator("list_functions").paginate(MaxItems=60))
    assert [len(page["Functions"]) for page in pages] == [50, 3]
    assert [one["FunctionName"] for page in pages for one in page["Functions"]] == names
    assert len(functions.list_functions(MaxItems=7)["Functions"]) == 7


def test_no_function_is_missed_where_another_is_deleted_between_two_pages(functions: AwsClient) -> None:
    create(functions, "a", "b", "c", "d")
    first = functions.list_functions(MaxItems=2)
    functions.delete_function(FunctionName="a")
    second = functions.list_functions(MaxItems=2, Marker=first["NextMarker"])
    assert [one["FunctionName"] for one in second["Functions"]] == ["c", "d"]
    assert "NextMarker" not in second


def test_a_marker_that_lambda_did_not_give(functions: AwsClient) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        functions.list_functions(Marker="€")


def test_aliases_by_name_and_by_arn(functions: AwsClient) -> None:
    create(functions, "orders-api")
    functions.publish_version(FunctionName="orders-api")
    functions.create_alias(FunctionName="orders-api", Name="live", FunctionVersion="1")
    for name in ("orders-api", f"{PREFIX}orders-api"):
        (alias,) = functions.list_aliases(FunctionName=name)["Aliases"]
        assert (alias["Name"], alias["FunctionVersion"]) == ("live", "1")
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.list_aliases(FunctionName=f"{PREFIX}billing")


def test_provisioned_concurrency_is_configured_and_listed(functions: AwsClient) -> None:
    create(functions, "orders-api", "billing")
    functions.publish_version(FunctionName="orders-api")
    functions.create_alias(FunctionName="orders-api", Name="live", FunctionVersion="1")
    for qualifier in ("1", "live"):
        functions.put_provisioned_concurrency_config(
            FunctionName="orders-api", Qualifier=qualifier, ProvisionedConcurrentExecutions=2
        )
    for name in ("orders-api", f"{PREFIX}orders-api"):
        listed = functions.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
        assert [one["FunctionArn"] for one in listed] == [f"{PREFIX}orders-api:1", f"{PREFIX}orders-api:live"]
        assert {one["RequestedProvisionedConcurrentExecutions"] for one in listed} == {2}
    assert functions.list_provisioned_concurrency_configs(FunctionName="billing")["ProvisionedConcurrencyConfigs"] == []


def test_provisioned_concurrency_of_what_is_not_there(functions: AwsClient) -> None:
    create(functions, "orders-api")
    for name, qualifier, code in (
        ("billing", "1", "ResourceNotFound"),
        ("orders-api", "7", "ResourceNotFound"),
        ("orders-api", "$LATEST", "InvalidParameterValue"),
    ):
        with pytest.raises(ClientError, match=code):
            functions.put_provisioned_concurrency_config(
                FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=1
            )
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.list_provisioned_concurrency_configs(FunctionName="billing")
