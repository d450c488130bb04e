"""The regions of an account.

moto 5.2.5 lists the regions of all partitions for every account, China's and GovCloud's too. Here DescribeRegions lists
those of the partition that it is asked in, as AWS does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.ec2.models.availability_zones_and_regions import Region, RegionsAndZonesBackend
from moto.utilities.utils import get_partition

from infra.local.mends.replacement import replaced

Describe = Callable[[Any, list[str] | None], list[Region]]


@contextmanager
def mended() -> Iterator[None]:
    """Each partition has its own."""
    with replaced(RegionsAndZonesBackend, "describe_regions", _of_partition(RegionsAndZonesBackend.describe_regions)):
        yield


def _of_partition(original: Describe) -> Describe:
    def describe_regions(
        backend: Any,  # noqa: ANN401  # its name of the region is not declared
        region_names: list[str] | None = None,
    ) -> list[Region]:
        own = get_partition(backend.region_name)
        return [one for one in original(backend, region_names) if get_partition(one.name) == own]

    return describe_regions
