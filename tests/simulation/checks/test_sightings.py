"""Accounts that are noted as heard of, and were not."""

from dataclasses import replace
from typing import Any

import pytest

from tests.simulation.court import ARN, Court
from tests.simulation.truth import START


def heard_of(court: Court, second: float, received: float, *, region: str = ARN.region) -> None:
    started = START.timestamp()
    item = {"eventAt": int((started + second) * 1000), "receivedAt": int((started + received) * 1000)}
    court.write(f"{ARN.account}#{region}", item, pk="sightings")


def test_an_account_that_was_last_heard_of_when_it_sent_something(court: Court) -> None:
    court.passes(40)
    court.send(about=12.7)
    heard_of(court, 12, 40)
    court.passes(100)
    court.send("m2", about=130.2)
    heard_of(court, 130, 140)
    assert court.verdict == ""


def test_what_an_account_was_last_heard_of_is_not_set_back(court: Court) -> None:
    court.send(about=0.0)
    court.passes(10)
    court.send("m2", about=9.0)
    heard_of(court, 9, 10)
    assert court.verdict == ""
    heard_of(court, 0, 0)
    assert court.verdict.startswith("invariant 11: the last event of 210000000001#eu-central-1 is set back")


@pytest.mark.parametrize(
    ("sending", "region"),
    [
        ({"kind": "request"}, ARN.region),
        ({"kind": "mismatch"}, ARN.region),
        ({}, "us-east-1"),
        ({"about": -30.0}, ARN.region),
    ],
    ids=["request", "mismatch", "region", "time"],
)
def test_an_account_is_not_heard_of_when_it_sent_no_event(court: Court, sending: dict[str, Any], region: str) -> None:
    court.send(**sending)
    heard_of(court, 0, 0, region=region)
    assert court.verdict.startswith("invariant 11: 210000000001#")


def test_where_nothing_goes_wrong_no_account_is_missed(court: Court) -> None:
    court.scene.plan = replace(court.scene.plan, theme="calm")
    court.write(ARN.account, {"firstSeenAt": 0}, pk="accounts")
    court.send(kind="request")
    court.oracle.sightings.finished()
    assert court.verdict == ""
    court.send("m2")
    court.oracle.sightings.finished()
    assert court.verdict.startswith("invariant 11: an event of 210000000001 in eu-central-1 has come")


def test_where_nothing_went_wrong_every_account_is_known(court: Court) -> None:
    court.scene.plan = replace(court.scene.plan, theme="calm")
    court.send(kind="request")
    court.oracle.sightings.finished()
    assert court.verdict == "invariant 11: something has come from 210000000001, and the account is not known"
