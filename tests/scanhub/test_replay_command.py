"""`scanhub replay` against moto, whose replays are over before they are answered."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from hub.archive import EventArchive, Replay, ReplayState
from spoke.errors import Misconfigured, ScanhubError
from tests.scanhub.operator_rig import Operator, document, invoke, operator

__all__ = ["operator"]


def error(*arguments: str) -> ScanhubError:
    """The user's mistake that the command told."""
    raised = invoke("replay", *arguments).exception
    assert isinstance(raised, ScanhubError), raised
    assert "\n" not in raised.text
    return raised


def test_it_begins_is_listed_and_ends(operator: Operator) -> None:
    assert operator.visible("changes") == 0
    begun = document("replay", "--from", "2h", "--to", "1h")
    assert (begun["schemaVersion"], begun["state"]) == (1, "STARTING")
    since, until = (datetime.fromisoformat(begun[key]) for key in ("from", "to"))
    assert until - since == timedelta(hours=1)
    waited = document("replay", "--from", "2h", "--wait")
    assert waited["state"] == "COMPLETED"
    listed = document("replay", "list")["replays"]
    assert {one["name"] for one in listed} == {begun["name"], waited["name"]}
    assert "COMPLETED" in invoke("replay", "list").stdout


def test_the_newest_events_may_not_be_archived_yet(operator: Operator) -> None:
    assert operator.visible("changes") == 0
    assert "up to ten minutes late" in invoke("replay", "--from", "1h").stderr
    assert invoke("replay", "--from", "1h", "--to", "11m").stderr == ""


def test_what_the_archive_keeps_no_more_is_told_before_anybody_believes_it_was_replayed(operator: Operator) -> None:
    assert operator.visible("changes") == 0
    begun = invoke("replay", "--from", "30d", "--to", "1h", "--json")
    assert (begun.exit_code, json.loads(begun.stdout)["state"]) == (0, "STARTING")
    oldest = datetime.now(UTC) - timedelta(days=14)
    assert begun.stderr.startswith(f"note: the archive keeps nothing from before {oldest:%Y-%m-%d} ")
    assert begun.stderr.endswith("Z: that is not replayed\n")
    assert invoke("replay", "--from", "14d", "--to", "1h").stderr == ""


def test_it_says_who_has_begun_it(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert operator.visible("changes") == 0
    said = []
    start = EventArchive.start

    async def noted(archive: EventArchive, since: datetime, until: datetime, *, description: str = "") -> Replay:
        said.append(description)
        return await start(archive, since, until, description=description)

    monkeypatch.setattr(EventArchive, "start", noted)
    document("replay", "--from", "2h", "--to", "1h")
    assert said[0].startswith("begun by arn:aws:sts::")


def test_one_that_fails_ends_with_1(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert operator.visible("changes") == 0

    async def failed(_: EventArchive, name: str) -> Replay:
        return Replay(name=name, state=ReplayState.FAILED, reason="the archive is disabled", until=datetime.now(UTC))

    monkeypatch.setattr(EventArchive, "describe", failed)
    ended = invoke("replay", "--from", "2h", "--to", "1h", "--wait", "--json")
    assert (ended.exit_code, json.loads(ended.stdout)["stateReason"]) == (1, "the archive is disabled")


def test_no_replay_yet(operator: Operator) -> None:
    assert operator.visible("changes") == 0
    assert invoke("replay", "list").stdout == "No replay was ever started, or AWS lists none any more.\n"
    assert document("replay", "list")["replays"] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--from is needed, like 2h"),
        (["--from", "yesterday"], "'yesterday' is no moment"),
        (["--from", "2099-01-01T00:00:00Z"], "is in the future"),
        (["--from", "1h", "--to", "2h"], "before it begins"),
        (["--from", "30d", "--to", "20d"], "keeps events for 14 days"),
    ],
)
def test_wrong_times_are_told_in_a_line(operator: Operator, arguments: list[str], words: str) -> None:
    raised = error(*arguments)
    assert isinstance(raised, Misconfigured)
    assert words in raised.text
    assert document("replay", "list")["replays"] == []
    assert operator.visible("changes") == 0


@pytest.mark.parametrize("before", [["--json"], ["--from", "2h"], ["--to", "1h"], ["--wait"]])
def test_an_option_in_the_wrong_place_is_not_passed_over(operator: Operator, before: list[str]) -> None:
    assert operator.visible("changes") == 0
    assert error(*before, "list").text == (
        "give the options of list after the word; --from, --to and --wait begin a replay"
    )


def test_what_has_ended_or_never_was_cannot_be_cancelled(operator: Operator) -> None:
    assert operator.visible("changes") == 0
    begun = document("replay", "--from", "2h", "--to", "1h")
    assert "has ended already" in error("cancel", begun["name"]).text
    assert "there is no replay nobody" in error("cancel", "nobody").text


def test_one_that_runs_is_cancelled(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert operator.visible("changes") == 0

    async def cancelled(_: EventArchive, name: str) -> Replay:
        return Replay(name=name, state=ReplayState.CANCELLING)

    monkeypatch.setattr(EventArchive, "cancel", cancelled)
    assert document("replay", "cancel", "scanhub-1") == {
        "schemaVersion": 1,
        "name": "scanhub-1",
        "state": "CANCELLING",
        "stateReason": None,
        "from": None,
        "to": None,
        "reached": None,
        "startedAt": None,
        "endedAt": None,
    }


def test_without_the_bus_nothing_can_be_replayed(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert operator.visible("changes") == 0
    monkeypatch.delenv("SCANHUB_BUS_ARN")
    assert "SCANHUB_BUS_ARN is not set" in error("list").text
