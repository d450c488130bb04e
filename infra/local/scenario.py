"""A day in the organization, in short: what the demo shows and the end-to-end tests hold to account.

Every sample is published and announced by the event that AWS would send. Among them go the odd ones that every real
organization has: duplicates, a refused call, an event of another service, a record that nobody can read, a body that is
no JSON, a function that is gone before anybody looks, an event that names another account's function. And one function
is deployed of which no event tells.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from infra.local import traffic
from infra.local.deployment import Deployment
from infra.local.publication import Published, publish
from infra.local.samples import SAMPLES, ExpectedFindings, Sample

NOT_JSON = "this body is not JSON {"
UNANNOUNCED = replace(
    SAMPLES[0],
    name="orders-archive",
    account=1,
    description="deployed while no event got through: only a sweep finds it",
)
TRANSIENT = replace(SAMPLES[-1], name="nightly-cleanup", description="deleted before anybody looks")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What was published and sent.

    Attributes:
        functions: The samples by the ARN of their function.
        unannounced: Samples of which no event tells, by the ARN of their function.
        gone: The ARN of the function that was deleted before anybody could scan it.
        sent: Events and bodies sent, by what they are.
        parked: The reasons for which messages must lie in the dead-letter queue afterwards, sorted.
        deliveries: How many messages reach the queue: what the rules do not forward is not among them.
    """

    functions: Mapping[str, Sample]
    unannounced: Mapping[str, Sample]
    gone: str
    sent: Mapping[str, int]
    parked: tuple[str, ...]
    deliveries: int

    def expected(self, function: str) -> ExpectedFindings:
        """What must be found in a function."""
        return self.functions[function].expected


def publish_samples(
    deployment: Deployment, *, samples: Sequence[Sample] = SAMPLES, progress: Callable[[str], None] = print
) -> Mapping[str, tuple[Sample, Published]]:
    """Publish the samples, each in its account and region, and let their events flow as on AWS; by ARN."""
    published = {}
    for sample in samples:
        function = publish(deployment, sample)
        traffic.put(deployment, function.account, function.region, [traffic.created(function)])
        progress(f"{function.account} {function.region:<12} {sample.name}: {sample.description}")
        published[function.arn] = (sample, function)
    return published


def play(deployment: Deployment, *, progress: Callable[[str], None] = print) -> Scenario:
    """Publish the samples and send their events, the odd ones among them."""
    published = publish_samples(deployment, progress=progress)
    functions = [function for _, function in published.values()]
    events = _Events(deployment)
    for _ in functions:
        events.count("created")
    first, second, third, elsewhere, *_ = functions
    twice = traffic.code_updated(first).entry()
    events.put("duplicates", first, twice)
    events.put("duplicates", first, twice)
    events.put("duplicates", second, traffic.code_updated(second, named_by_arn=True, publish=True))
    events.put("duplicates", third, traffic.configuration_updated(third))
    events.put(
        "failed calls (not forwarded)",
        second,
        traffic.code_updated(second).failed("AccessDeniedException", "User is not authorized to perform this action"),
        forwarded=False,
    )
    tried = traffic.code_updated(first)
    tried = replace(tried, request={**tried.request, "dryRun": True})
    events.put("dry runs (not forwarded)", first, tried, forwarded=False)
    events.put("broken records", third, traffic.broken(third.account, third.region))
    events.put("of another account", first, replace(traffic.created(elsewhere), account=first.account))
    events.put("tag changes (not forwarded)", first, traffic.tagged(first, {"team": "orders"}), forwarded=False)
    events.put(
        "of other services (not forwarded)", second, traffic.foreign(second.account, second.region), forwarded=False
    )
    gone = _deleted_before_anybody_looks(deployment, events)
    quiet = publish(deployment, UNANNOUNCED)
    traffic.send_raw(deployment, NOT_JSON)
    events.count("bodies that are no JSON")
    progress(f"{sum(events.sent.values())} events sent, {events.deliveries} of them reach the queue")
    return Scenario(
        functions=MappingProxyType({arn: sample for arn, (sample, _) in published.items()}),
        unannounced=MappingProxyType({quiet.arn: UNANNOUNCED}),
        gone=gone.arn,
        sent=MappingProxyType(events.sent),
        parked=("account_mismatch", "not_json", "wrong_type"),
        deliveries=events.deliveries,
    )


def _deleted_before_anybody_looks(deployment: Deployment, events: "_Events") -> Published:
    function = publish(deployment, TRANSIENT)
    events.put("created", function, traffic.created(function))
    deployment.client("lambda", account=function.account, region=function.region).delete_function(
        FunctionName=TRANSIENT.name
    )
    events.put("deleted", function, traffic.deleted(function))
    return function


class _Events:
    """Puts events where they would appear, and counts them."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.sent: dict[str, int] = {}
        self.deliveries = 0

    def put(
        self, what: str, function: Published, call: traffic.Call | traffic.Entry, *, forwarded: bool = True
    ) -> None:
        traffic.put(self._deployment, function.account, function.region, [call])
        self.count(what, forwarded=forwarded)

    def count(self, what: str, *, forwarded: bool = True) -> None:
        self.sent[what] = self.sent.get(what, 0) + 1
        self.deliveries += forwarded
