"""Where moto differs from AWS on the main path, mended. Each module names one fault; all were seen in moto 5.2.5.

The mends work inside moto's process and only while the embedded cloud runs. The production code and the templates know
nothing of them, and another endpoint (LocalStack) does without.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from infra.local.mends import (
    abandoned_polls,
    bucket_policy,
    bus_hop,
    code_location,
    dynamodb_atomicity,
    entrance,
    function_lists,
    organizations,
    regions,
    resources,
    service_options,
    slowness,
    stack_sets,
    stacks,
    tasks,
    transactions,
)
from infra.local.mends.code_location import PackageStore


@contextmanager
def installed(packages: PackageStore) -> Iterator[None]:
    """All mends, until the context is left.

    Args:
        packages: What serves the functions' packages behind `Code.Location`.
    """
    with ExitStack() as mends:
        mends.enter_context(abandoned_polls.mended())
        mends.enter_context(bucket_policy.mended())
        mends.enter_context(bus_hop.mended())
        mends.enter_context(code_location.mended(packages))
        mends.enter_context(dynamodb_atomicity.mended())
        mends.enter_context(entrance.mended())
        mends.enter_context(function_lists.mended())
        mends.enter_context(organizations.mended())
        mends.enter_context(regions.mended())
        mends.enter_context(resources.mended())
        mends.enter_context(service_options.mended())
        mends.enter_context(slowness.mended())
        mends.enter_context(stacks.mended())
        mends.enter_context(stack_sets.mended())
        mends.enter_context(tasks.mended())
        mends.enter_context(transactions.mended())
        yield
