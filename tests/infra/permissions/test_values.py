from typing import Any

import pytest

from infra.permissions.values import choices, text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("sqs:SendMessage", "sqs:SendMessage"),
        ({"Ref": "AWS::AccountId"}, "${AWS::AccountId}"),
        ({"Fn::GetAtt": "Ledger.Arn"}, "${Ledger.Arn}"),
        ({"Fn::GetAtt": ["Ledger", "Arn"]}, "${Ledger.Arn}"),
        ({"Fn::Sub": "${Results.Arn}/scans/*"}, "${Results.Arn}/scans/*"),
        ({"Fn::Join": ["", [{"Fn::GetAtt": "Results.Arn"}, "/*"]]}, "${Results.Arn}/*"),
        (True, "true"),
        (3600, "3600"),
    ],
)
def test_values_are_written_as_sub_writes_them(value: object, written: str) -> None:
    assert text(value) == written


def test_a_function_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="ImportValue"):
        text({"Fn::ImportValue": "elsewhere"})


def test_choices_carry_the_conditions_that_they_are_made_by() -> None:
    nothing = {"Ref": "AWS::NoValue"}
    value: list[Any] = [
        "always",
        {"Fn::If": ["Given", {"Ref": "Given"}, "made"]},
        {"Fn::If": ["Tags", {"Fn::If": ["Both", ["one", "two"], nothing]}, nothing]},
    ]
    assert list(choices(value)) == [
        ("always", ()),
        ({"Ref": "Given"}, ("Given",)),
        ("made", ("not Given",)),
        ("one", ("Tags", "Both")),
        ("two", ("Tags", "Both")),
    ]
