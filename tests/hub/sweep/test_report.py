from types import MappingProxyType

import pytest

from hub.sweep.report import AccountResult
from hub.sweeps import AccountOutcome, RegionOutcome

SOME, NONE = RegionOutcome(functions=7), RegionOutcome(problem="the role cannot be assumed")
UNSENT = RegionOutcome(functions=7, problem="the queue did not take 2 of 7 requests")


@pytest.mark.parametrize(
    ("outcome", "is_listed"),
    [
        (AccountOutcome(), True),
        (AccountOutcome(problem="the role cannot be assumed"), False),
        (AccountOutcome(regions=MappingProxyType({"eu-central-1": SOME, "us-east-1": NONE})), True),
        (AccountOutcome(regions=MappingProxyType({"eu-central-1": NONE, "us-east-1": NONE})), False),
        (AccountOutcome(regions=MappingProxyType({"eu-central-1": UNSENT})), True),
        (AccountOutcome(regions=MappingProxyType({"eu-central-1": RegionOutcome()})), True),
    ],
)
def test_whether_anything_of_an_account_was_listed(outcome: AccountOutcome, is_listed: bool) -> None:
    result = AccountResult.of("210000000001", outcome)
    assert result.is_listed is is_listed
    assert set(result.regions) == {region for region, found in outcome.regions.items() if found.problem}
