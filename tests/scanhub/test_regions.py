import pytest

from scanhub import regions
from spoke.errors import Misconfigured


def test_regions_come_one_by_one_or_with_commas_and_count_once() -> None:
    assert regions.parse(["eu-central-1,us-east-1", "eu-central-1"]) == ("eu-central-1", "us-east-1")
    assert regions.parse(None) == ()


@pytest.mark.parametrize("name", ["us-gov-west-1", "cn-north-1", "ap-southeast-2"])
def test_every_partition_has_its_regions(name: str) -> None:
    assert regions.parse([name]) == (name,)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("eu-centrall-1", "there is no region 'eu-centrall-1'; did you mean eu-central-1?"),
        ("frankfurt", "there is no region 'frankfurt'"),
        ("x" * 500, f"there is no region '{'x' * 64}'"),
    ],
)
def test_a_region_that_does_not_exist_is_told_in_one_line(name: str, told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        regions.parse([name])
    assert refused.value.text == told
