"""Trails as AWS answers for them, where the embedded cloud does not."""

from typing import Any

import pytest

from hub.diagnosis import Verdict
from tests.infra.doctor.looking import REGION, CannedClients, canned, look, told

TRAIL = f"arn:aws:cloudtrail:{REGION}:111111111111:trail/organization"
ALL_EVENTS = {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}]}


def advanced(**fields: dict[str, list[str]]) -> dict[str, Any]:
    selectors = [{"Field": name, **how} for name, how in fields.items()]
    return {"AdvancedEventSelectors": [{"Name": "management", "FieldSelectors": selectors}]}


MANAGEMENT = {"eventCategory": {"Equals": ["Management"]}}


def trail(**changes: Any) -> dict[str, Any]:
    return {
        "Name": "organization",
        "TrailARN": TRAIL,
        "HomeRegion": REGION,
        "IsMultiRegionTrail": True,
        "IsOrganizationTrail": True,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "is_logging", "selectors", "verdict", "words"),
    [
        ({}, True, ALL_EVENTS, "ok", "in all regions"),
        ({}, True, advanced(**MANAGEMENT), "ok", "in all regions"),
        ({}, True, advanced(**MANAGEMENT, readOnly={"Equals": ["false"]}), "ok", "in all regions"),
        ({}, True, advanced(**MANAGEMENT, eventSource={"NotEquals": ["kms.amazonaws.com"]}), "ok", "in all regions"),
        ({}, True, advanced(**MANAGEMENT, readOnly={"Equals": ["true"]}), "failed", "does not log management events"),
        (
            {},
            True,
            advanced(**MANAGEMENT, eventSource={"NotEquals": ["lambda.amazonaws.com"]}),
            "failed",
            "does not log management events",
        ),
        ({}, True, advanced(eventCategory={"Equals": ["Data"]}), "failed", "does not log management events"),
        ({}, True, advanced(**MANAGEMENT, eventSource={"Equals": ["iam.amazonaws.com"]}), "failed", "does not log"),
        ({}, True, advanced(**MANAGEMENT, eventSource={"NotStartsWith": ["lambda."]}), "failed", "does not log"),
        ({}, True, advanced(**MANAGEMENT, readOnly={"NotEquals": ["false"]}), "failed", "does not log"),
        ({}, True, advanced(**MANAGEMENT, eventType={"Equals": ["AwsApiCall"]}), "ok", "in all regions"),
        # As get-event-selectors answers for a trail that nobody has given any.
        ({}, True, {"EventSelectors": [{"DataResources": []}]}, "ok", "in all regions"),
        ({}, False, None, "failed", "it does not log"),
        ({"IsMultiRegionTrail": False}, None, None, "failed", "not of all regions"),
        ({"IsOrganizationTrail": False}, True, ALL_EVENTS, "warning", "this account alone"),
    ],
)
def test_a_trail(
    changes: dict[str, Any], is_logging: bool | None, selectors: dict[str, Any] | None, verdict: str, words: str
) -> None:
    clients = CannedClients()
    clients.answer(
        "cloudtrail", "describe_trails", {"trailList": [trail(**changes)]}, asked={"includeShadowTrails": True}
    )
    if is_logging is not None:
        clients.answer("cloudtrail", "get_trail_status", {"IsLogging": is_logging}, asked={"Name": TRAIL})
    if selectors is not None:
        clients.answer("cloudtrail", "get_event_selectors", selectors, asked={"TrailName": TRAIL})
    [(found, reason)] = told(canned(clients), "organization-trail")
    assert found == verdict
    assert words in reason
    clients.all_asked()


def test_a_trail_of_the_organization_that_a_member_may_not_look_into_leaves_it_open() -> None:
    clients = CannedClients()
    own = trail(Name="own", IsOrganizationTrail=False)
    clients.answer("cloudtrail", "describe_trails", {"trailList": [trail(), own]})
    clients.refuse("cloudtrail", "get_trail_status", "AccessDeniedException", "not yours")
    clients.answer("cloudtrail", "get_trail_status", {"IsLogging": True})
    clients.answer("cloudtrail", "get_event_selectors", ALL_EVENTS)
    [check] = look(canned(clients), "organization-trail")
    assert (check.verdict, check.subject) == (Verdict.UNKNOWN, "organization")
    assert "management account" in check.fix


def test_an_odd_answer_for_one_trail_leaves_the_others_to_serve() -> None:
    clients = CannedClients()
    other = trail(Name="audit", TrailARN=TRAIL + "-audit")
    clients.answer("cloudtrail", "describe_trails", {"trailList": [trail(), other]})
    clients.refuse("cloudtrail", "get_trail_status", "UnsupportedOperationException", "not from here")
    clients.answer("cloudtrail", "get_trail_status", {"IsLogging": True})
    clients.answer("cloudtrail", "get_event_selectors", ALL_EVENTS)
    [check] = look(canned(clients), "organization-trail")
    assert (check.verdict, check.subject) == (Verdict.OK, "audit")
