"""The model beside the real worker over its AWS adapters: queues, ledger, bucket and functions of the embedded cloud.

No clock is compared. The worker's scans are held and let go round by round; a round stands for the seconds that every
scan of the model takes.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import pytest

from hub.settings import Settings, load
from infra.capacity.durations import Lognormal
from infra.capacity.model import run as model
from infra.local.cloud import EmbeddedCloud
from infra.local.crowd import Member, publish_crowd
from infra.local.deployment import deploy
from spoke.arn import FunctionArn
from tests.conftest import forget_aws
from tests.infra.capacity.rounds import Rounds, Sent, rounds
from tests.infra.capacity.scenarios import fixed, scenario

HOUR = 3600.0

SECONDS = HOUR + 1
"""Of each scan in the model: so what begins in an hour, and is done in the next one, is one round."""

SPOKES = 2

NUMBER = 5
"""Functions of each spoke and case."""
CASES = ("one-swept", "one-changed", "shared-swept", "shared-changed", "swept", "changed", "amid-swept", "amid-changed")


@dataclass(frozen=True)
class Crowd:
    """What there is.

    Attributes:
        environment: Of a worker.
        functions: By case and spoke.
    """

    environment: Mapping[str, str]
    functions: dict[tuple[str, int], list[FunctionArn]]

    def of(self, case: str, *, accounts: int, count: int) -> Sequence[FunctionArn]:
        """So many functions of a case, of the accounts in turn."""
        in_turn = chain.from_iterable(zip(*(self.functions[case, spoke] for spoke in range(accounts)), strict=True))
        return list(in_turn)[:count]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    with pytest.MonkeyPatch.context() as monkeypatch, EmbeddedCloud() as cloud:
        forget_aws(monkeypatch)
        deployment = deploy(cloud.endpoint, spokes=SPOKES, regions=("eu-central-1",))
        environment = {
            **deployment.settings,
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_REGION": deployment.hub_region,
            "SCANHUB_WORK_DIR": str(tmp_path_factory.mktemp("work")),
            "SCANHUB_MAX_CONCURRENT_SCANS": "4",
            "SCANHUB_ENABLE_TAGGING": "false",
            "SCANHUB_LOG_LEVEL": "WARNING",
        }
        names = [(case, spoke, number) for case in CASES for spoke in range(SPOKES) for number in range(NUMBER)]
        members = [
            Member(name=f"{case}-{number}", account=spoke, region=0, code=index)
            for index, (case, spoke, number) in enumerate(names)
        ]
        there = Crowd(environment, {})
        arns = list(publish_crowd(deployment, members))
        for (case, spoke, _), arn in zip(names, arns, strict=True):
            there.functions.setdefault((case, spoke), []).append(FunctionArn.parse(arn))
        yield there


@pytest.fixture(autouse=True)
def _of_a_worker(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in crowd.environment.items():
        monkeypatch.setenv(name, value)


def worker(sent: Sent, **changes: int) -> Rounds:
    """What it scanned together."""
    settings: Settings = load().model_copy(update=changes)
    return asyncio.run(rounds(settings, sent))


def counts(seen: Rounds) -> list[tuple[int, int]]:
    """Changes and swept functions of each round."""
    kinds = [Counter("swept" in arn.name for arn in one) for one in seen]
    return [(kind[False], kind[True]) for kind in kinds]


def expected(
    *, accounts: int, due: int = 0, changes: tuple[int, ...] = (), slots_per_account: int = 3
) -> list[tuple[int, int]]:
    """The same by the model; `changes`: how many come in each round, once all of it has begun."""
    arrivals = tuple(number * HOUR + 300 * (number + 1) for number, count in enumerate(changes) for _ in range(count))
    record = model(
        scenario(
            fixed(1, slots_per_account=slots_per_account),
            accounts=accounts,
            due=due,
            arrivals=arrivals,
            durations=Lognormal(SECONDS, 0.0),
            mean_seconds=SECONDS,
        ),
        seed=1,
    )
    assert record.swept == due
    hours = range(int(record.seconds // HOUR) - 1)
    begun = [sum(one.started for one in record.minutes[hour * 60 : (hour + 1) * 60]) for hour in hours]
    swept = [record.swept_by_hour.get(hour + 1, 0) for hour in hours]
    return [(all_ - of_sweep, of_sweep) for all_, of_sweep in zip(begun, swept, strict=True) if all_]


def most_of_an_account(seen: Rounds) -> int:
    return max(max(Counter(arn.account for arn in one).values()) for one in seen)


def assert_in_order(seen: Rounds, sent: Sequence[FunctionArn]) -> None:
    """Each round has what came first of what was left in the queue."""
    left = list(sent)
    for one in seen:
        mine = [arn for arn in one if arn in sent]
        assert set(mine) == set(left[: len(mine)])
        del left[: len(mine)]
    assert not left


def test_a_sweep_of_one_account_leaves_its_last_place(crowd: Crowd) -> None:
    swept = crowd.of("one-swept", accounts=1, count=5)
    seen = worker(Sent(swept=swept))
    assert counts(seen) == expected(accounts=1, due=5) == [(0, 2), (0, 2), (0, 1)]
    assert_in_order(seen, swept)


def test_changes_of_one_account_have_its_share(crowd: Crowd) -> None:
    changes = crowd.of("one-changed", accounts=1, count=5)
    seen = worker(Sent(changes={0: changes}))
    assert counts(seen) == expected(accounts=1, changes=(5,)) == [(3, 0), (2, 0)]
    assert_in_order(seen, changes)


def test_a_sweep_of_several_accounts_with_a_share_of_one_scan(crowd: Crowd) -> None:
    swept = crowd.of("shared-swept", accounts=2, count=5)
    seen = worker(Sent(swept=swept), max_scans_per_account=1)
    assert counts(seen) == expected(accounts=2, due=5, slots_per_account=1) == [(0, 2), (0, 2), (0, 1)]
    assert most_of_an_account(seen) == 1


def test_changes_of_several_accounts_with_a_share_of_one_scan(crowd: Crowd) -> None:
    changes = crowd.of("shared-changed", accounts=2, count=5)
    seen = worker(Sent(changes={0: changes}), max_scans_per_account=1)
    assert counts(seen) == expected(accounts=2, changes=(5,), slots_per_account=1) == [(2, 0), (2, 0), (1, 0)]
    assert most_of_an_account(seen) == 1


def test_a_sweep_has_three_of_four_slots_and_changes_have_all_four(crowd: Crowd) -> None:
    swept = crowd.of("swept", accounts=2, count=5)
    seen = worker(Sent(swept=swept))
    assert counts(seen) == expected(accounts=2, due=5) == [(0, 3), (0, 2)]
    assert_in_order(seen, swept)
    changes = crowd.of("changed", accounts=2, count=5)
    seen = worker(Sent(changes={0: changes}))
    assert counts(seen) == expected(accounts=2, changes=(5,)) == [(4, 0), (1, 0)]
    assert_in_order(seen, changes)


def test_changes_amid_a_sweep_come_first_and_the_sweep_has_its_half_meanwhile(crowd: Crowd) -> None:
    swept = crowd.of("amid-swept", accounts=2, count=9)
    changes = crowd.of("amid-changed", accounts=2, count=8)
    seen = worker(Sent(swept=swept, changes={0: changes[:3], 2: changes[3:]}))
    assert counts(seen) == expected(accounts=2, due=9, changes=(3, 0, 5)) == [(1, 3), (2, 2), (1, 3), (4, 0), (0, 1)]
    assert_in_order(seen, swept)
    assert_in_order(seen, changes)
