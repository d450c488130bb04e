import base64
import hashlib
from typing import Any
from urllib.request import urlopen

import pytest

from infra.local import publication
from infra.local.deployment import Deployment
from infra.local.publication import publish
from spoke.errors import Misconfigured, Unavailable
from tests.infra.local.packages import SmallFunction


def test_a_function_is_published_with_its_package_and_again_with_another(deployment: Deployment) -> None:
    spec = SmallFunction("orders", account=1, region=1, tags={"team": "billing"})
    first = publish(deployment, spec)
    assert first.arn == "arn:aws:lambda:us-east-1:210000000002:function:orders"
    changed = SmallFunction("orders", account=1, region=1, tags={"team": "sales"}, source="print('new')\n")
    second = publish(deployment, changed)
    for published, built in ((first, spec), (second, changed)):
        assert published.arn == first.arn
        configuration = published.answer["Configuration"]
        assert configuration["CodeSha256"] == base64.b64encode(hashlib.sha256(built.build()).digest()).decode()
        assert configuration["State"] == "Active"
        assert published.answer["Tags"] == built.tags
        with urlopen(published.answer["Code"]["Location"], timeout=10) as answer:  # noqa: S310  # the embedded cloud's
            assert answer.read() == built.build()


def test_a_function_for_a_fourth_spoke_goes_to_one_that_is_there(deployment: Deployment) -> None:
    assert publish(deployment, SmallFunction("wraps", account=3, region=2)).account == deployment.spokes[0]


def test_what_lambda_refuses_is_said(deployment: Deployment) -> None:
    with pytest.raises(Misconfigured, match="publishing the function orders in 210000000001, eu-central-1"):
        publish(deployment, SmallFunction("orders", architecture="sparc"))


class Functions:
    """A Lambda client that gives these states, one a call."""

    def __init__(self, *states: dict[str, str]) -> None:
        self._states = list(states)

    def get_function(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803  # boto3's own name
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return {"Configuration": {"FunctionName": FunctionName, **state}}


def test_a_function_that_failed_to_start_is_published_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on LocalStack without Docker: its code can be read."""
    monkeypatch.setattr(publication, "SETTLE_PAUSE", 0.0)
    functions = Functions({"State": "Pending"}, {"State": "Failed", "LastUpdateStatus": "Failed"})
    assert publication._settled(functions, "orders")["Configuration"]["State"] == "Failed"


def test_a_function_that_stays_pending_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publication, "SETTLE_PATIENCE", 0.0)
    with pytest.raises(Unavailable, match="orders is still pending"):
        publication._settled(Functions({"LastUpdateStatus": "InProgress"}), "orders")
