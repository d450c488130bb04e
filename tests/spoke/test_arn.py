import json
import re
import string
from dataclasses import replace
from pathlib import Path

import botocore
import botocore.session
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from spoke.arn import (
    MAX_NAME,
    MAX_QUALIFIER,
    MAX_TEXT,
    FunctionArn,
    InvalidArn,
    is_account,
    is_region,
    partition_of,
)

MODEL = botocore.session.get_session().get_service_model("lambda")
# Lambda's patterns mean ASCII; Python's `\d` would take the digits of every script.
FULL = re.compile(MODEL.shape_for("FunctionArn").metadata["pattern"], re.ASCII)
PARTIAL = re.compile(MODEL.shape_for("FunctionName").metadata["pattern"], re.ASCII)
HOME = {"account": "210987654321", "region": "eu-central-1"}

full_arns = st.from_regex(FULL, fullmatch=True)
partial_arns = st.from_regex(PARTIAL, fullmatch=True)
ALPHABET = string.ascii_letters + string.digits + ":-_$.*\n é٣"


@st.composite
def mutated(draw: st.DrawFn, source: st.SearchStrategy[str]) -> str:
    text = draw(source)
    position = draw(st.integers(0, len(text)))
    removed = draw(st.integers(0, 3))
    return text[:position] + draw(st.text(ALPHABET, max_size=3)) + text[position + removed :]


def within_lengths(arn_pattern: re.Pattern[str], text: str) -> bool:
    """Lambda's documented lengths, told from the pattern's own groups and not from the parser."""
    match = arn_pattern.fullmatch(text)
    if match is None or len(text) > 256:
        return False
    words = text.split(":")
    return all(len(word) <= 64 for word in words)


def complete(text: str) -> FunctionArn:
    return FunctionArn.complete(text, **HOME)


@given(full_arns)
def test_what_the_model_admits_as_an_arn_is_parsed_and_written_back(text: str) -> None:
    assume(within_lengths(FULL, text))
    arn = FunctionArn.parse(text)
    assert str(arn) == (text if not text.startswith("arn::") else f"arn:{partition_of(arn.region)}:{text[5:]}")
    assert FunctionArn.parse(str(arn)) == arn


@given(partial_arns)
def test_what_the_model_admits_as_a_name_is_completed_to_an_arn(text: str) -> None:
    assume(within_lengths(PARTIAL, text))
    arn = complete(text)
    assert FULL.fullmatch(str(arn))
    assert FunctionArn.parse(str(arn)) == arn
    assert complete(str(arn)) == arn


@given(st.one_of(mutated(full_arns), partial_arns, st.text(), st.text(ALPHABET, max_size=80)))
@example("arn:aws:lambda:eu-central-1:210987654321:function:orders-api\n")
@example("arn:aws:lambda:eu-central-1:21098765432٣:function:orders-api")
@example("arn:aws:s3:eu-central-1:210987654321:function:orders-api")
@example("arn:aws:lambda:eu-central-1:210987654321:function:orders-api:$latest")
@example("")
def test_what_the_model_refuses_as_an_arn_is_refused(text: str) -> None:
    if FULL.fullmatch(text) is None:
        with pytest.raises(InvalidArn):
            FunctionArn.parse(text)
    elif within_lengths(FULL, text):
        assert FunctionArn.parse(text).name in text


@given(st.one_of(mutated(partial_arns), mutated(full_arns), st.text(), st.text(ALPHABET, max_size=80)))
@example("orders api")
@example("orders-api:")
@example(":orders-api")
@example("orders-api:live:live")
@example("orders.api")
@example("")
def test_what_the_model_refuses_as_a_name_is_refused(text: str) -> None:
    if PARTIAL.fullmatch(text) is None:
        with pytest.raises(InvalidArn):
            complete(text)
    elif within_lengths(PARTIAL, text):
        assert complete(text).name in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the three documented forms, each with and without a version or an alias
        ("my-function", "arn:aws:lambda:eu-central-1:210987654321:function:my-function"),
        ("my-function:v1", "arn:aws:lambda:eu-central-1:210987654321:function:my-function:v1"),
        ("123456789012:function:my-function", "arn:aws:lambda:eu-central-1:123456789012:function:my-function"),
        ("123456789012:function:my-function:7", "arn:aws:lambda:eu-central-1:123456789012:function:my-function:7"),
        (
            "arn:aws:lambda:us-west-2:123456789012:function:my-function:$LATEST",
            "arn:aws:lambda:us-west-2:123456789012:function:my-function:$LATEST",
        ),
        # where the pattern leaves a choice, what comes first is read first
        ("function:my-function", "arn:aws:lambda:eu-central-1:210987654321:function:my-function"),
        ("function:my-function:live", "arn:aws:lambda:eu-central-1:210987654321:function:my-function:live"),
        ("123456789012:my-function", "arn:aws:lambda:eu-central-1:123456789012:function:my-function"),
        ("us-west-2:my-function", "arn:aws:lambda:us-west-2:210987654321:function:my-function"),
        ("us-west-2:123456789012:my-function:2", "arn:aws:lambda:us-west-2:123456789012:function:my-function:2"),
        ("arn:aws-cn:lambda:my-function", "arn:aws-cn:lambda:eu-central-1:210987654321:function:my-function"),
        # a word that stands alone is the name, whatever it looks like
        ("function", "arn:aws:lambda:eu-central-1:210987654321:function:function"),
        ("123456789012", "arn:aws:lambda:eu-central-1:210987654321:function:123456789012"),
        ("us-west-2", "arn:aws:lambda:eu-central-1:210987654321:function:us-west-2"),
        ("function:function", "arn:aws:lambda:eu-central-1:210987654321:function:function"),
        ("123456789012:function", "arn:aws:lambda:eu-central-1:123456789012:function:function"),
    ],
)
def test_names_are_completed_as_lambda_documents_them(text: str, expected: str) -> None:
    assert str(complete(text)) == expected


def test_an_ambiguous_name_is_read_as_the_model_s_own_pattern_reads_it() -> None:
    for text in ["function:x", "123456789012:x", "us-west-2:x", "function:x:y", "123456789012:function", "x:y"]:
        match = PARTIAL.fullmatch(text)
        assert match is not None
        assert complete(text).name == match[11], text


@given(st.sampled_from(["name", "qualifier", "text"]), st.integers(-3, 3))
def test_lambda_s_lengths_are_held(what: str, over: int) -> None:
    name = "n" * (MAX_NAME + over if what == "name" else 10)
    qualifier = "q" * (MAX_QUALIFIER + over if what == "qualifier" else 10)
    rest = len("arn:aws:lambda:us--1:210987654321:function:") + len(name) + len(qualifier) + 1
    region = f"us-{'a' * (MAX_TEXT + over - rest)}-1" if what == "text" else "us-east-1"
    text = f"arn:aws:lambda:{region}:210987654321:function:{name}:{qualifier}"
    assert what != "text" or len(text) == MAX_TEXT + over
    for read in (FunctionArn.parse, complete):
        if over > 0:
            with pytest.raises(InvalidArn):
                read(text)
        else:
            assert str(read(text)) == text


def test_the_lengths_are_the_model_s() -> None:
    get_function = MODEL.operation_model("GetFunction").input_shape
    assert get_function is not None
    function_name = get_function.members["FunctionName"]
    assert function_name.metadata["max"] == MAX_TEXT
    assert f"limited to {MAX_NAME} characters" in function_name.documentation
    assert MODEL.shape_for("Alias").metadata["max"] == MAX_QUALIFIER


def partitions() -> list[dict[str, object]]:
    return list(botocore.session.get_session().get_data("partitions")["partitions"])


@pytest.mark.parametrize("partition", partitions(), ids=lambda partition: str(partition["id"]))
def test_the_partition_of_every_region_that_botocore_knows(partition: dict[str, object]) -> None:
    known = partition["regions"]
    assert isinstance(known, dict)
    regions = [name for name in known if not name.endswith("-global")]
    assert regions
    for region in regions:
        assert partition_of(region) == partition["id"]
        assert is_region(region)
        text = f"arn:{partition['id']}:lambda:{region}:210987654321:function:orders-api"
        assert str(FunctionArn.parse(text)) == text
        assert str(FunctionArn.complete("orders-api", account="210987654321", region=region)) == text
        assert str(FunctionArn.parse(text.replace(str(partition["id"]), "", 1))) == text


@pytest.mark.parametrize("partition", partitions(), ids=lambda partition: str(partition["id"]))
@settings(max_examples=30)
@given(st.data())
def test_the_partition_of_regions_still_to_come(partition: dict[str, object], data: st.DataObject) -> None:
    region = data.draw(st.from_regex(re.compile(str(partition["regionRegex"]).rstrip("$"), re.ASCII), fullmatch=True))
    assert partition_of(region) == partition["id"]


def test_the_endpoint_data_agrees() -> None:
    endpoints = json.loads((Path(botocore.__file__).parent / "data" / "endpoints.json").read_text())
    for partition in endpoints["partitions"]:
        for region in partition["regions"]:
            assert partition_of(region) == partition["partition"], region


def test_a_given_partition_outranks_the_region_s_and_the_text_s_outranks_both() -> None:
    arn = FunctionArn.complete("orders-api", account="210987654321", region="cn-north-1", partition="aws-test")
    assert arn.partition == "aws-test"
    assert FunctionArn.complete(str(arn), account="1" * 12, region="eu-west-1", partition="aws").partition == "aws-test"


@pytest.mark.parametrize("text", ["", "12345678901", "1234567890123", "12345678901a", "12345678901٣", "123456789012\n"])
def test_no_account(text: str) -> None:
    assert not is_account(text)
    assert is_account("123456789012")


@pytest.mark.parametrize("text", ["", "eu-central", "eu-central-1\n", "EU-central-1", "mars", f"us-{'a' * 99}-1"])
def test_no_region(text: str) -> None:
    assert not is_region(text)


def test_unqualified() -> None:
    arn = complete("orders-api:live")
    assert arn.unqualified == complete("orders-api")
    assert arn.unqualified.unqualified == arn.unqualified


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("orders-api", "orders-api"),
        ("orders-api:7", "orders-api:7"),
        ("orders-api:1024", "orders-api:1024"),
        ("orders-api:live", "orders-api"),
        ("orders-api:$LATEST", "orders-api"),
        ("orders-api:7live", "orders-api"),
        ("orders-api:v7", "orders-api"),
        ("orders-api:7_1", "orders-api"),
    ],
)
def test_a_version_has_code_of_its_own_and_an_alias_has_none(text: str, content: str) -> None:
    arn = complete(text)
    assert arn.content == complete(content)
    assert arn.is_version == (arn.content.qualifier is not None)


def test_only_plain_digits_are_a_version() -> None:
    for digit in ("٣", "²", ""):
        assert not replace(complete("orders-api"), qualifier=digit).is_version


@given(full_arns)
@example("arn:aws:lambda:eu-central-1:123456789012:function:orders-api:7")
@example("arn:aws:lambda:eu-central-1:123456789012:function:orders-api:live")
def test_content_is_the_function_or_one_version_and_stays_so(text: str) -> None:
    assume(within_lengths(FULL, text))
    arn = FunctionArn.parse(text)
    content = arn.content
    assert content.content == content
    assert content.unqualified == arn.unqualified
    assert FunctionArn.parse(str(content)) == content
    assert content in {arn, arn.unqualified}
    assert (content.qualifier or "0").isdigit()


def test_a_function_sorts_before_its_versions() -> None:
    arns = [complete(text) for text in ("b", "a:2", "a", "a:1")]
    assert [str(arn).rpartition("function:")[2] for arn in sorted(arns)] == ["a", "a:1", "a:2", "b"]


def test_an_error_shows_little_of_a_long_text() -> None:
    with pytest.raises(InvalidArn) as caught:
        FunctionArn.parse("x" * 100_000)
    assert len(str(caught.value)) < 300
