import pytest

from hub import exclusion
from spoke.arn import FunctionArn
from tests.worker.worlds import function, settings, snapshot


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("thumbnails-dev", "the name matches *-dev"),
        ("aws-controltower-NotificationForwarder", "the name matches aws-controltower-*"),
        ("Thumbnails-DEV", None),
        ("thumbnails-device", None),
    ],
)
def test_patterns_of_names_are_matched_whole_and_by_case(name: str, reason: str | None) -> None:
    rules = settings(exclude_functions="aws-controltower-*,*-dev")
    assert exclusion.by_name(function(name), rules) == reason


def test_a_version_has_its_functions_name() -> None:
    version = FunctionArn("aws", "eu-central-1", "210000000001", "orders-dev", "7")
    assert exclusion.by_name(version, settings(exclude_functions="orders-dev")) == "the name matches orders-dev"


def test_further_patterns_are_those_of_one_sweep() -> None:
    assert exclusion.by_name(function("orders"), settings(), also=("ord*",)) == "the name matches ord*"
    assert exclusion.by_name(function("orders"), settings()) is None


def test_an_account_is_excluded_by_its_number() -> None:
    rules = settings(exclude_accounts="210000000002,210000000003")
    assert exclusion.by_account(function(account="210000000003"), rules) == "the account 210000000003 is excluded"
    assert exclusion.by_account(function(account="210000000001"), rules) is None


@pytest.mark.parametrize(
    ("tags", "is_excluded"),
    [
        ({"QualysScanExclude": "true"}, True),
        ({"QualysScanExclude": ""}, True),
        ({"QualysScanExclude": "False"}, False),
        ({"team": "payments"}, False),
        (None, False),
    ],
)
def test_a_tag_excludes_with_any_value_but_false(tags: dict[str, str] | None, is_excluded: bool) -> None:
    why = exclusion.by_tag(snapshot(tags=tags), settings())
    assert why == ("it is tagged QualysScanExclude" if is_excluded else None)


def test_sweep_and_worker_say_the_same_of_a_tag() -> None:
    rules = settings(exclusion_tag="no-scan")
    assert exclusion.by_tag(snapshot(tags={"no-scan": "1"}), rules) == exclusion.tagged(rules) == "it is tagged no-scan"
