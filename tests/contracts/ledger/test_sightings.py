"""What a ledger promises of sightings, asked of DynamoDB (moto) and of the one in memory alike."""

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.coverage import Coverage
from hub.ledger_schema import Key, milliseconds
from hub.sightings import Sighting
from spoke.errors import Misconfigured
from tests.ledger_rig import LedgerRig
from tests.ledger_samples import MINUTE, NOW, SECOND, coverage

SEEN = Sighting(
    account="210987654321", region="eu-central-1", event_at=NOW.replace(microsecond=0), received_at=NOW + 38 * SECOND
)
LATER = replace(SEEN, event_at=SEEN.event_at + 90 * MINUTE, received_at=SEEN.received_at + 91 * MINUTE)


async def listed(rig: LedgerRig) -> list[Sighting]:
    return [one async for one in rig.ledger.sightings()]


async def test_nothing_was_seen_at_first(rig: LedgerRig) -> None:
    assert await listed(rig) == []


async def test_what_was_seen_is_told_with_both_times(rig: LedgerRig) -> None:
    assert await rig.ledger.sight(SEEN)
    assert await listed(rig) == [SEEN]


async def test_a_newer_event_replaces_an_older_one(rig: LedgerRig) -> None:
    assert await rig.ledger.sight(SEEN)
    assert await rig.ledger.sight(LATER)
    assert await listed(rig) == [LATER]


async def test_an_event_that_comes_late_sets_nothing_back_whenever_it_was_received(rig: LedgerRig) -> None:
    await rig.ledger.sight(LATER)
    late = replace(SEEN, received_at=LATER.received_at + timedelta(hours=9))
    assert not await rig.ledger.sight(late)
    assert await listed(rig) == [LATER]


async def test_the_same_event_once_more_changes_nothing(rig: LedgerRig) -> None:
    """It was given back, and received again hours later."""
    await rig.ledger.sight(SEEN)
    assert not await rig.ledger.sight(replace(SEEN, received_at=SEEN.received_at + timedelta(hours=2)))
    assert await listed(rig) == [SEEN]


async def test_of_workers_that_write_at_once_the_newest_event_stands(rig: LedgerRig) -> None:
    many = [replace(SEEN, event_at=SEEN.event_at + number * SECOND) for number in range(6)]
    for order in itertools.islice(itertools.permutations(many), 0, None, 97):
        await asyncio.gather(*(rig.ledger.sight(one) for one in order))
        assert await listed(rig) == [many[-1]]


async def test_accounts_and_regions_are_told_apart_and_come_in_order(rig: LedgerRig) -> None:
    places = [
        ("210987654321", "eu-central-1"),
        ("210987654321", "us-gov-west-1"),
        ("310987654322", "eu-central-1"),
        ("003141592653", "ap-southeast-2"),
    ]
    for account, region in places:
        assert await rig.ledger.sight(replace(SEEN, account=account, region=region))
    assert [(one.account, one.region) for one in await listed(rig)] == sorted(places)


async def test_moments_are_kept_in_whole_milliseconds(rig: LedgerRig) -> None:
    await rig.ledger.sight(replace(SEEN, received_at=SEEN.received_at + timedelta(microseconds=777)))
    assert await listed(rig) == [SEEN]
    assert not await rig.ledger.sight(replace(SEEN, event_at=SEEN.event_at + timedelta(microseconds=999)))


async def test_a_sighting_is_no_function_and_a_function_no_sighting(rig: LedgerRig) -> None:
    await rig.ledger.sight(SEEN)
    await rig.ledger.record(coverage())
    coverages: list[Coverage] = [one async for one in rig.ledger.coverages()]
    assert coverages == [coverage()]
    assert await listed(rig) == [SEEN]


async def test_the_item_is_that_of_the_reference(rig: LedgerRig) -> None:
    await rig.ledger.sight(SEEN)
    assert await rig.items() == {
        Key("sightings", "210987654321#eu-central-1"): {
            "pk": "sightings",
            "sk": "210987654321#eu-central-1",
            "schema": 1,
            "eventAt": milliseconds(SEEN.event_at),
            "receivedAt": milliseconds(SEEN.received_at),
            "expiresAt": int((SEEN.received_at + timedelta(days=400)).timestamp()),
        }
    }


async def test_unknown_attributes_are_ignored_on_read_and_kept_on_write(rig: LedgerRig) -> None:
    await rig.ledger.sight(SEEN)
    [item] = (await rig.items()).values()
    await rig.put(item | {"ticket": "SEC-4711"})
    await rig.ledger.sight(LATER)
    [item] = (await rig.items()).values()
    assert item["ticket"] == "SEC-4711"
    assert await listed(rig) == [LATER]


async def test_what_a_newer_version_wrote_is_refused_and_left_alone(rig: LedgerRig) -> None:
    await rig.ledger.sight(SEEN)
    [item] = (await rig.items()).values()
    await rig.put(item | {"schema": 2})
    before = await rig.items()
    for attempt in (rig.ledger.sight(LATER), listed(rig)):
        with pytest.raises(Misconfigured, match="has schema 2, this scanhub knows 1"):
            await attempt
    assert await rig.items() == before


async def test_a_broken_item_is_named(rig: LedgerRig) -> None:
    await rig.put({"pk": "sightings", "sk": "210987654321", "schema": 1, "eventAt": 1, "receivedAt": 1})
    with pytest.raises(Misconfigured, match="sightings 210987654321 cannot be read"):
        await listed(rig)
