"""Service-managed StackSets.

moto 5.2.5 knows their names, and little more: a delegated administrator's are its own, units are looked up one level
deep, the management account is deployed to, the members' stacks are hidden and never change, operations have no results
for a unit's accounts, and neither trusted access, account filters, the order of regions, failures nor automatic
deployment is heeded. Here they are as
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html has them, but for their speed:
an operation is done when its call returns. Self-managed ones are refused.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from infra.local.mends.stack_sets import api, joining


@contextmanager
def mended() -> Iterator[None]:
    """StackSets as AWS has them."""
    with ExitStack() as mends:
        mends.enter_context(api.mended())
        mends.enter_context(joining.mended())
        yield
