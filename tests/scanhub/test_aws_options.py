import pytest

from scanhub.aws_options import named
from spoke.errors import Misconfigured
from tests.scanhub.operator_rig import invoke


@pytest.mark.parametrize(("values", "found"), [(None, ()), ([], ()), (["a, b", "c"], ("a", "b", "c"))])
def test_an_option_names_what_it_was_given(values: list[str] | None, found: tuple[str, ...]) -> None:
    assert named("--accounts", values) == found


@pytest.mark.parametrize("value", ["", " ", ","])
def test_an_option_that_names_nothing_does_not_mean_everything(value: str) -> None:
    with pytest.raises(Misconfigured, match="--ou names nothing"):
        named("--ou", [value])


@pytest.mark.parametrize("option", ["--accounts", "--ou", "--regions"])
def test_a_sweep_with_an_empty_option_does_not_go_over_the_whole_organization(option: str) -> None:
    result = invoke("sweep", option, "", "--dry-run")
    assert isinstance(result.exception, Misconfigured)
    assert result.exception.text == f"{option} names nothing; leave it out to mean all"
