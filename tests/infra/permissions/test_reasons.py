from dataclasses import replace
from pathlib import Path

import pytest

from infra.permissions.code import Use
from infra.permissions.reasons import Reason, faults, load
from infra.permissions.statements import Kind, Statement

SEND = Statement(
    template="hub.yaml",
    holder="TaskRole",
    kind=Kind.GRANT,
    sid="Park",
    guards=(),
    effect="Allow",
    principals=(),
    actions=(("sqs:SendMessage", ()),),
    resources=(("${ChangesDlq.Arn}", ()),),
    conditions=(),
)
PARK = Reason(
    places=("hub.yaml TaskRole Park",),
    actions=("sqs:SendMessage",),
    why="park a message",
    code=(Use("hub/queue.py", "SqsQueue.park", "send_message"),),
    by="",
)


def test_what_fits_has_no_fault() -> None:
    assert list(faults([PARK], [SEND])) == []


def test_a_permission_without_a_reason_is_told() -> None:
    wider = replace(SEND, actions=(*SEND.actions, ("sqs:PurgeQueue", ())))
    assert list(faults([PARK], [wider])) == ["hub.yaml TaskRole Park sqs:PurgeQueue: no reason is given"]


def test_a_reason_without_a_permission_is_told() -> None:
    stale = replace(PARK, places=(*PARK.places, "hub.yaml TaskRole Send"))
    assert list(faults([stale], [SEND])) == ["hub.yaml TaskRole Send sqs:SendMessage: is in no template"]


def test_two_reasons_and_two_statements_of_one_name_are_told() -> None:
    assert list(faults([PARK, PARK], [SEND])) == ["hub.yaml TaskRole Park sqs:SendMessage: has two reasons"]
    (fault,) = faults([PARK], [SEND, SEND])
    assert "twice" in fault


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (Use("hub/queue.py", "SqsQueue.park", "delete_message"), "stands on 0 lines"),
        (Use("hub/queue.py", "SqsQueue.receive", "receive_message"), "does not ask for sqs:SendMessage"),
    ],
)
def test_a_line_that_does_not_use_the_permission_is_told(use: Use, said: str) -> None:
    assert any(said in fault for fault in faults([replace(PARK, code=(use,))], [SEND]))


def test_what_somebody_else_calls_may_be_linked_to_any_line() -> None:
    agent = replace(PARK, by="the ECS agent", code=(Use("hub/ecs_agent.py", "EcsTaskProtection._put", "put"),))
    assert list(faults([agent], [SEND])) == []


@pytest.mark.parametrize(
    "entry",
    [
        'actions = ["sqs:SendMessage"]\nby = "ECS"',
        'actions = ["sqs:SendMessage"]\nwhy = "park"',
        'actions = ["sqs:SendMessage"]\nwhy = "park"\nby = "ECS"\nline = 7',
    ],
    ids=["no why", "nobody uses it", "unknown key"],
)
def test_an_entry_that_is_not_whole_is_refused(tmp_path: Path, entry: str) -> None:
    table = tmp_path / "reasons.toml"
    table.write_text(f'[[permission]]\nof = ["hub.yaml TaskRole Park"]\n{entry}\n')
    with pytest.raises(ValueError, match="TaskRole Park"):
        load(table)
