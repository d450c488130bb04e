"""What is worked out once is what moto works out each time."""

import pytest
from moto import backends
from moto.cloudformation.models import Stack
from moto.core import responses
from moto.ecs.responses import EC2ContainerServiceResponse

from infra.local.accounts import Accounts
from infra.local.mends import slowness
from infra.local.mends.stacks import text
from infra.stacks import TEMPLATES

SHORT_FORMS = """
Resources:
  A:
    Type: AWS::SNS::Topic
    Condition: C
    Properties:
      TopicName: !Sub ["${X}-a", {X: !Ref B}]
      DisplayName: !Join ["", [!GetAtt B.Arn, !Select [0, !GetAZs ""]]]
      FifoTopic: !If [C, !Equals [1, "1"], no]
      Since: 2012-10-17
"""


@pytest.mark.parametrize("template", [*(path.name for path in sorted(TEMPLATES.glob("*.yaml"))), None])
def test_a_template_is_read_as_moto_reads_it(template: str | None) -> None:
    body = SHORT_FORMS if template is None else (TEMPLATES / template).read_text("utf-8")
    assert text.parsed(body) == Stack.parse_template(body)


def test_json_is_read_too_and_what_is_read_is_the_callers_own() -> None:
    body = '{\n\t"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}'
    first = text.parsed(body)
    first["Resources"].clear()
    assert text.parsed(body) == {"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}


def test_folders_and_methods_are_the_same_while_it_is_mended() -> None:
    folders, names = list(backends.list_of_moto_modules()), responses.method_names_from_class  # type: ignore[attr-defined]  # imported there
    expected = names(EC2ContainerServiceResponse)
    with slowness.mended():
        assert list(backends.list_of_moto_modules()) == folders
        assert responses.method_names_from_class(EC2ContainerServiceResponse) == expected  # type: ignore[attr-defined]  # same
    assert responses.method_names_from_class is names  # type: ignore[attr-defined]  # same


def test_there_are_no_images_and_clients_are_made_once(accounts: Accounts) -> None:
    ec2 = accounts.client("ec2")
    assert ec2.describe_images()["Images"] == []
    assert accounts.client("ec2", account=accounts.hub) is ec2
    assert accounts.client("ec2", region="us-east-1") is not ec2
