from pathlib import Path

import pytest

from tests.templates.findings import Place, Suppression
from tests.templates.suppressions import read

TEMPLATE = """
Resources:
  # of the bucket
  Results:
    Type: AWS::S3::Bucket
    Metadata:
      checkov:
        skip:
          - id: CKV_AWS_18
            comment: By parameter
          - {id: CKV_AWS_21}
      guard:
        SuppressedRules:
          # Nothing listens for objects:
          # the worker tells the topic.
          - s3_event_notifications_enabled_check
          - s3_bucket_object_lock_enabled_check # versioned

          - s3_bucket_logging_enabled_check
  Queue:
    Type: AWS::SQS::Queue
    Metadata:
      # It is the dead-letter queue.
      guard: {SuppressedRules: [sqs_dlq_check]}
  Plain:
    Type: AWS::SNS::Topic
    Metadata: {Note: "!Ref and # are no trouble"}
    Properties: {KmsMasterKeyId: !GetAtt Key.Arn}
"""


@pytest.fixture
def found(tmp_path: Path) -> dict[tuple[str, str], str]:
    path = tmp_path / "hub.yaml"
    path.write_text(TEMPLATE)
    suppressions = read(path)
    assert {one.place.file for one in suppressions} == {"hub.yaml"}
    return {(one.place.resource, one.place.rule): one.reason for one in suppressions}


def test_checkovs_reason_is_its_comment(found: dict[tuple[str, str], str]) -> None:
    assert found["Results", "CKV_AWS_18"] == "By parameter"
    assert found["Results", "CKV_AWS_21"] == ""


def test_guards_reason_stands_right_above_or_at_the_end_of_the_line(found: dict[tuple[str, str], str]) -> None:
    assert found["Results", "s3_event_notifications_enabled_check"] == (
        "Nothing listens for objects: the worker tells the topic."
    )
    assert found["Results", "s3_bucket_object_lock_enabled_check"] == "versioned"
    assert found["Queue", "sqs_dlq_check"] == "It is the dead-letter queue."


def test_a_reason_of_another_rule_is_none(found: dict[tuple[str, str], str]) -> None:
    assert found["Results", "s3_bucket_logging_enabled_check"] == ""
    assert len(found) == 6


def test_the_tool_is_told(tmp_path: Path) -> None:
    path = tmp_path / "spoke.yaml"
    path.write_text("Resources: {Q: {Metadata: {checkov: {skip: [{id: CKV_AWS_27, comment: why}]}}}}")
    assert read(path) == (Suppression(Place("checkov", "spoke.yaml", "Q", "CKV_AWS_27"), "why"),)
