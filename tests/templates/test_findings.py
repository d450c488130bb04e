from tests.templates.findings import Finding, Place, Suppression, judge

QUEUE = Place("cfn-guard", "hub.yaml", "UndeliveredQueue", "sqs_dlq_check")
BUCKET = Place("checkov", "hub.yaml", "Results", "CKV_AWS_18")


def test_nothing_found_and_nothing_suppressed_is_clean() -> None:
    assert judge([], []).complaints == ()


def test_a_finding_is_a_complaint() -> None:
    [complaint] = judge([Finding(QUEUE, "no dead-letter queue")], []).complaints
    assert complaint == "hub.yaml: UndeliveredQueue: cfn-guard sqs_dlq_check: no dead-letter queue"


def test_a_finding_with_a_reason_is_none() -> None:
    verdict = judge([Finding(QUEUE, "no dead-letter queue")], [Suppression(QUEUE, "it is one")])
    assert (verdict.complaints, verdict.suppressed) == ((), 1)


def test_a_suppression_without_a_reason_is_a_complaint() -> None:
    for reason in ("", "   "):
        [complaint] = judge([Finding(QUEUE, "no dead-letter queue")], [Suppression(QUEUE, reason)]).complaints
        assert complaint.endswith("is suppressed without a reason")


def test_a_suppression_that_nothing_needs_any_more_is_a_complaint() -> None:
    [complaint] = judge([], [Suppression(QUEUE, "it is one")]).complaints
    assert complaint.endswith("nothing is found there")


def test_a_suppression_counts_for_its_own_resource_rule_and_tool_alone() -> None:
    complaints = judge([Finding(BUCKET, "no access log")], [Suppression(QUEUE, "it is one")]).complaints
    assert len(complaints) == 2
