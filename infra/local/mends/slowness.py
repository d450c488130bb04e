"""What moto works out anew for every call, or for every empty cloud, though it never changes.

moto 5.2.5 lists its own folder twice for each request, looks through a service's class for the names of its methods
each time, and makes 1,293 machine images for each region of each account that networks are asked of. Together that was
a quarter of the time of a deployment. Nothing here keeps what a caller has made.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

from moto import backends
from moto.core import responses, utils
from moto.ec2.models.amis import AmiBackend

from infra.local.mends.replacement import replaced


@contextmanager
def mended() -> Iterator[None]:
    """Constants are worked out once; nobody starts a machine here, so there are no images of one."""
    with ExitStack() as mends:
        folders = tuple(backends.list_of_moto_modules())
        mends.enter_context(replaced(backends, "list_of_moto_modules", lambda: folders))
        # Kept for as long as these mends: others may have given a class more methods by the next time.
        names = cache(utils.method_names_from_class)
        mends.enter_context(replaced(responses, "method_names_from_class", names))
        mends.enter_context(replaced(AmiBackend, "_load_amis", lambda _: None))
        yield
