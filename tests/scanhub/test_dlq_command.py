"""`scanhub dlq` against moto: what it prints as JSON and to people, what it changes, and how it ends."""

import signal
import subprocess
from datetime import timedelta
from typing import Any

import pytest
import typer

from hub.dead_letters.holding import Holding, hold
from scanhub import dlq_drop_command
from scanhub.exit_codes import after
from spoke.arn import FunctionArn
from spoke.errors import Misconfigured, ScanhubError
from spoke.own_requests import scan_request
from tests.conftest import HUB_ACCOUNT
from tests.dead_letters_rig import ACCOUNT, FUNCTION, change
from tests.scanhub.operator_rig import Operator, document, invoke, operator
from tests.scanhub.processes import SCANHUB, environment

__all__ = ["operator"]

OTHER = "111111111111"
HOUR = timedelta(hours=1)


def ids(messages: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in messages]


def error(*arguments: str) -> ScanhubError:
    """The user's mistake that the command told."""
    raised = invoke(*arguments).exception
    assert isinstance(raised, ScanhubError), raised
    assert "\n" not in raised.text
    return raised


class TestList:
    def test_both_queues_the_oldest_first(self, operator: Operator) -> None:
        late = operator.park(ago=HOUR)
        early = operator.park("no_access", ago=2 * HOUR, queue="sweep")
        listed = document("dlq", "list")
        assert ids(listed["messages"]) == [early, late]
        assert (listed["schemaVersion"], listed["heldElsewhere"], listed["isWhole"]) == (1, 0, True)
        first = listed["messages"][0]
        assert first["queue"] == "sweep"
        assert (first["reason"], first["account"], first["function"]) == ("no_access", ACCOUNT, FUNCTION)
        assert (first["attempts"], first["detail"]) == (2, "exit 2\nthe end")
        assert [tried["reason"] for tried in first["history"]] == ["scanner_crashed"]
        assert "body" not in first
        assert (operator.visible("changes-dlq"), operator.visible("sweep-dlq")) == (1, 1)

    def test_the_options_select(self, operator: Operator) -> None:
        crashed = operator.park(ago=3 * HOUR)
        denied = operator.park("no_access", body=change("orders", OTHER), function=FUNCTION.replace(ACCOUNT, OTHER))
        broken = operator.park("not_json", body="{", function="", queue="sweep")
        for options, expected in (
            (["--reason", "no_access,not_json"], {denied, broken}),
            (["--account", OTHER], {denied}),
            (["--function", "check*"], {crashed, denied}),
            (["--function", FUNCTION], {crashed}),
            (["--older-than", "2h"], {crashed}),
            (["--newer-than", "2h"], {denied, broken}),
            (["--queue", "sweep"], {broken}),
        ):
            assert set(ids(document("dlq", "list", *options)["messages"])) == expected, options

    def test_the_summary_counts(self, operator: Operator) -> None:
        for _ in range(3):
            operator.park()
        operator.park("not_json", body="{", function="")
        groups = document("dlq", "list", "--summary")["groups"]
        assert [(one["count"], one["reason"], one["account"]) for one in groups] == [
            (3, "scanner_crashed", ACCOUNT),
            (1, "not_json", None),
        ]
        table = invoke("dlq", "list", "--summary").stdout
        assert [line[:7] for line in table.splitlines()] == ["COUNT  ", "    3  ", "    1  "]
        assert "scanner_crashed" in table

    def test_the_table_has_the_first_line_of_the_detail(self, operator: Operator) -> None:
        identity = operator.park()
        lines = [line.split() for line in invoke("dlq", "list").stdout.splitlines()]
        assert lines[0] == ["ID", "PARKED", "QUEUE", "REASON", "TRIES", "ACCOUNT", "FUNCTION", "DETAIL"]
        assert lines[1][0] == identity[:8]
        assert lines[1][3:] == ["changes", "scanner_crashed", "2", ACCOUNT, "checkout-api", "exit", "2"]

    def test_nothing_parked_and_nothing_like_that_are_told_apart(self, operator: Operator) -> None:
        assert invoke("dlq", "list").stdout == "Nothing is parked.\n"
        operator.park()
        assert invoke("dlq", "list", "--reason", "gone").stdout == "No parked message is like that.\n"

    def test_what_somebody_else_looks_at_is_told(self, operator: Operator) -> None:
        operator.park()
        operator.sqs.receive_message(QueueUrl=operator.urls["changes-dlq"], VisibilityTimeout=60)
        assert "Somebody else looks at 1 message at the moment" in invoke("dlq", "list").stderr
        assert document("dlq", "list")["heldElsewhere"] == 1

    def test_wrong_options_are_told_in_a_line(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        assert operator.visible("changes-dlq") == 0
        for options, words in (
            (["--reason", "crashed"], "no message is parked for the reason 'crashed'"),
            (["--account", "12"], "not an account id (twelve digits): 12"),
            (["--older-than", "soon"], "'soon' is no moment"),
            (["--older-than", "2h", "--newer-than", "1h"], "nothing is older than 2h and newer than 1h"),
            (["--function", FUNCTION.replace(ACCOUNT, "12")], "not a function ARN"),
            (["--function", "checkout-api:live"], "not a function ARN"),
            (["--function", ""], "--function names nothing"),
            (["--account", ""], "--account names nothing"),
            (["--reason", " , "], "--reason names nothing"),
        ):
            raised = error("dlq", "list", *options)
            assert isinstance(raised, Misconfigured)
            assert words in raised.text
        monkeypatch.delenv("SCANHUB_SWEEP_QUEUE_URL")
        monkeypatch.delenv("SCANHUB_SWEEP_DLQ_URL")
        assert "there is no sweep queue" in error("dlq", "list", "--queue", "sweep").text
        assert document("dlq", "list")["messages"] == []


class TestShow:
    def test_everything_and_what_to_do(self, operator: Operator) -> None:
        identity = operator.park("effects_owed")
        shown = document("dlq", "show", identity[:8])
        assert (shown["id"], shown["reason"], shown["body"]) == (identity, "effects_owed", change())
        assert shown["advice"]["redrive"] == "force"
        assert "the result is stored" in shown["advice"]["means"]
        told = invoke("dlq", "show", identity).stdout
        for words in ("sends a request for a forced scan in its place", "          the end", '"eventSource"', "TRY"):
            assert words in told

    def test_a_body_of_any_kind_is_shown_without_its_terminal_codes(self, operator: Operator) -> None:
        operator.park("not_json", body="{ \x7f\u202ered", function="", detail="")
        [identity] = ids(document("dlq", "list")["messages"])
        told = invoke("dlq", "show", identity).stdout
        assert "{   red" in told
        assert "is of no use" in told

    def test_what_cannot_be_shown_since_somebody_else_looks_at_it_is_told(self, operator: Operator) -> None:
        identity = operator.park()
        operator.sqs.receive_message(QueueUrl=operator.urls["changes-dlq"], VisibilityTimeout=60)
        result = invoke("dlq", "show", identity)
        assert "Somebody else looks at 1 message at the moment" in result.stderr
        assert isinstance(result.exception, ScanhubError)

    def test_an_unknown_id_is_told(self, operator: Operator) -> None:
        operator.park()
        raised = error("dlq", "show", "zz")
        assert not isinstance(raised, Misconfigured)
        assert "no parked message has an id that begins with 'zz'" in raised.text

    def test_an_empty_id_is_a_mistake_and_never_the_only_message_there_is(self, operator: Operator) -> None:
        operator.park()
        for words in (["show", ""], ["redrive", ""], ["drop", "", "--because", "a typo", "--yes"]):
            raised = error("dlq", *words)
            assert isinstance(raised, Misconfigured)
            assert raised.text == "an empty id names no message; see: scanhub dlq list"
        assert operator.visible("changes-dlq") == 1


class TestRedrive:
    def test_each_goes_back_to_its_own_queue_and_what_is_of_no_use_stays(self, operator: Operator) -> None:
        sweep = operator.park("unavailable", ago=2 * HOUR, queue="sweep")
        crashed = operator.park()
        broken = operator.park("not_json", body="{", function="")
        done = document("dlq", "redrive", "--all", "--rate", "100")
        assert ids(done["redriven"]) == [sweep, crashed]
        assert [(one["id"], "parked again" in one["why"]) for one in done["skipped"]] == [(broken, True)]
        assert (done["failed"], done["twice"], done["dryRun"]) == ([], [], False)
        assert operator.bodies("changes") == [change()]
        assert operator.bodies("sweep") == [change()]
        assert ids(document("dlq", "list")["messages"]) == [broken]

    def test_a_dry_run_sends_nothing(self, operator: Operator) -> None:
        crashed, owed = operator.park(ago=2 * HOUR), operator.park("effects_owed")
        planned = document("dlq", "redrive", "--all", "--all-the-same", "--dry-run")
        assert [(one["id"], one["step"]) for one in planned["planned"]] == [(crashed, "send"), (owed, "force")]
        assert (planned["redriven"], planned["dryRun"]) == ([], True)
        told = invoke("dlq", "redrive", "--all", "--dry-run").stdout
        assert f"skipped {owed} (effects_owed, {FUNCTION}): its result is stored" in told
        assert "Would redrive 1 message; 1 of those wanted would stay parked." in told
        assert (operator.visible("changes"), operator.visible("changes-dlq")) == (0, 2)

    def test_owed_effects_asked_for_by_their_reason_become_forced_scans(self, operator: Operator) -> None:
        operator.park("effects_owed")
        told = invoke("dlq", "redrive", "--reason", "effects_owed")
        assert told.exit_code == 0
        assert (
            "Redrove 1 message, 1 of them as a request for a forced scan; 0 of those wanted stay parked." in told.stdout
        )
        assert operator.bodies("changes") == [scan_request(FunctionArn.parse(FUNCTION), reason="manual", force=True)]

    def test_what_is_named_by_its_id_is_sent_whatever_it_is(self, operator: Operator) -> None:
        broken, other = (operator.park("not_json", body=body, function="") for body in ("{", "}"))
        assert ids(document("dlq", "redrive", broken[:13])["redriven"]) == [broken]
        assert operator.bodies("changes") == ["{"]
        assert ids(document("dlq", "list")["messages"]) == [other]

    def test_one_has_to_say_which(self, operator: Operator) -> None:
        operator.park()
        assert "or --all" in error("dlq", "redrive").text
        assert "--all goes with nothing else" in error("dlq", "redrive", "--all", "--reason", "gone").text
        assert operator.visible("changes-dlq") == 1

    def test_nothing_sent_is_a_failure_and_a_part_of_it_is_3(
        self, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operator.park(queue="sweep")
        monkeypatch.setenv("SCANHUB_SWEEP_QUEUE_URL", f"{operator.urls['sweep']}-typo")
        failed = document("dlq", "redrive", "--all", code=1)
        assert "scanhub-sweep-typo" in failed["failed"][0]["why"]
        sent = operator.park()
        part = document("dlq", "redrive", "--all", code=3)
        assert (ids(part["redriven"]), len(part["failed"])) == ([sent], 1)
        assert "not redriven: " in invoke("dlq", "redrive", "--all").stdout
        assert operator.visible("sweep-dlq") == 1

    def test_an_interrupt_leaves_the_rest_parked_and_visible(self, operator: Operator) -> None:
        for number in range(4):
            operator.park(body=change(f"function-{number}"), ago=timedelta(hours=9 - number))
        process = subprocess.Popen(
            [*SCANHUB, "dlq", "redrive", "--all", "--rate", "0.1"],
            stderr=subprocess.PIPE,
            text=True,
            env=environment({}),
        )
        try:
            while not operator.visible("changes"):
                assert process.poll() is None
        finally:
            process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "interrupted: 1 of 4 redriven; the rest stays parked" in told
        assert operator.bodies("changes") == [change("function-0")]
        assert operator.visible("changes-dlq") == 3


@pytest.mark.parametrize("command", [["redrive", "--all"], ["drop", "--all", "--yes"]], ids=["redrive", "drop"])
class TestWhatIsNotSeen:
    """Else `Redrove 0 messages; 0 of those wanted stay parked` would be read as: the queue is empty."""

    def test_what_somebody_else_looks_at_is_told(self, operator: Operator, command: list[str]) -> None:
        operator.park()
        operator.sqs.receive_message(QueueUrl=operator.urls["changes-dlq"], VisibilityTimeout=60)
        assert "Somebody else looks at 1 message at the moment" in invoke("dlq", *command).stderr
        done = document("dlq", *command)
        assert (done["planned"], done["heldElsewhere"], done["isWhole"]) == ([], 1, True)

    def test_what_was_not_read_is_told(
        self, operator: Operator, command: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Holding.__init__, "__kwdefaults__", {"most": 1})
        monkeypatch.setattr(hold.__wrapped__, "__kwdefaults__", {"most": 1})  # type: ignore[attr-defined]  # functools' word
        operator.park()
        result = invoke("dlq", *command)
        assert result.exit_code == 0
        assert "There are more than can be read at once." in result.stderr


class TestDrop:
    def test_it_records_and_then_deletes(self, operator: Operator) -> None:
        broken = operator.park("not_json", body="{", function="")
        crashed = operator.park()
        done = document("dlq", "drop", "--reason", "not_json", "--because", "a forger", "--yes")
        assert ids(done["dropped"]) == [broken]
        [[record]] = operator.records()
        assert (record["messageId"], record["body"], record["because"]) == (broken, "{", "a forger")
        assert record["droppedBy"].startswith(f"arn:aws:sts::{HUB_ACCOUNT}:")
        assert record["attributes"]["reason"] == "not_json"
        assert done["record"].startswith("operations/dropped/")
        assert ids(document("dlq", "list")["messages"]) == [crashed]

    def test_without_a_yes_and_a_terminal_nothing_happens(self, operator: Operator) -> None:
        operator.park()
        assert "no terminal to confirm on" in error("dlq", "drop", "--all").text
        assert "or --all" in error("dlq", "drop", "--yes").text
        assert operator.visible("changes-dlq") == 1

    @pytest.mark.parametrize(("answer", "left"), [("n", 2), ("y", 0)])
    def test_it_shows_the_counts_and_asks(
        self, operator: Operator, answer: str, left: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operator.park()
        operator.park("gone")
        monkeypatch.setattr(dlq_drop_command, "_can_ask", lambda: True)
        monkeypatch.setattr("typer.confirm", lambda *_, **__: _answered(answer))
        told = invoke("dlq", "drop", "--all")
        assert "COUNT" in told.stdout
        assert operator.visible("changes-dlq") == left
        assert (told.exit_code, len(operator.records())) == ((0, 1) if answer == "y" else (1, 0))

    def test_a_dry_run_drops_nothing(self, operator: Operator) -> None:
        identity = operator.park()
        planned = document("dlq", "drop", "--all", "--dry-run")
        assert (ids(planned["planned"]), planned["dropped"], planned["record"]) == ([identity], [], None)
        assert "scanner_crashed" in invoke("dlq", "drop", "--all", "--dry-run").stdout
        assert (operator.visible("changes-dlq"), operator.records()) == (1, [])

    def test_nothing_like_that_is_no_failure(self, operator: Operator) -> None:
        operator.park()
        told = invoke("dlq", "drop", "--reason", "gone", "--yes")
        assert (told.exit_code, told.stdout) == (0, "No parked message is like that.\n")
        assert operator.records() == []

    def test_without_the_bucket_nothing_is_deleted(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        operator.park()
        monkeypatch.setenv("SCANHUB_RESULTS_BUCKET", "no-such-bucket")
        assert "no-such-bucket" in error("dlq", "drop", "--all", "--yes").text
        assert operator.visible("changes-dlq") == 1

    def test_what_has_gone_while_it_asked_is_told(self, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        operator.park()
        monkeypatch.setattr(dlq_drop_command, "_can_ask", lambda: True)

        def answered(*_: object, **__: object) -> bool:
            operator.sqs.purge_queue(QueueUrl=operator.urls["changes-dlq"])
            return True

        monkeypatch.setattr("typer.confirm", answered)
        told = invoke("dlq", "drop", "--all")
        assert "1 message had gone meanwhile" in told.stdout
        assert (told.exit_code, operator.records()) == (1, [])


def _answered(answer: str) -> bool:
    if answer != "y":
        raise typer.Abort
    return True


@pytest.mark.parametrize(("done", "failed", "code"), [(0, 0, 0), (2, 0, 0), (2, 1, 3), (0, 1, 1)])
def test_exit_codes(done: int, failed: int, code: int) -> None:
    assert after(done=done, failed=failed) == code
