"""CloudFormation's stacks: how they are created, changed, rolled back and deleted.

moto 5.2.5 answers a failed resource by an error of CreateStack or UpdateStack and leaves half a stack behind. It
changes only resources that name a changed parameter by `Ref` (not those that depend on it by `Sub` or a condition),
keeps those whose condition has become false, and deletes what a template retains for its first creation alone. Its
change sets are found by their name in any stack, show no change of a parameter, and make stacks without outputs.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from infra.local.mends.stacks import change_sets, lifecycle, parameters, protection, resolution, text


@contextmanager
def mended() -> Iterator[None]:
    """Stacks and change sets as AWS has them."""
    with ExitStack() as mends:
        for part in (text, resolution, parameters, lifecycle, change_sets, protection):
            mends.enter_context(part.mended())
        yield
