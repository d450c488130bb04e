from pathlib import Path
from typing import Any

import pytest

from tests.policies import evaluator as module
from tests.policies.evaluator import ANONYMOUS, Evaluator, Request

ACCOUNT, OTHER = "123456789012", "210987654321"
QUEUE = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:orders"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/session"
STRANGER = f"arn:aws:sts::{OTHER}:assumed-role/reader/session"


def policy(effect: str = "Allow", action: str = "sqs:*", sid: str = "Any", **more: Any) -> dict[str, Any]:
    statement = {"Sid": sid, "Effect": effect, "Action": action, "Resource": "*", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def receive(principal: str = ROLE, **policies: Any) -> Request:
    return Request(principal=principal, action="sqs:ReceiveMessage", resource=QUEUE, account=ACCOUNT, **policies)


ANYBODY = policy(Principal="*")
DENIED_TO_ALL = policy("Deny", sid="Never", Principal="*")


@pytest.mark.parametrize(
    ("request_", "verdict"),
    [
        (receive(), "denied"),
        (receive(identity=(policy(),)), "allowed"),
        (receive(resource_policy=ANYBODY), "allowed"),
        (receive(identity=(policy(),), resource_policy=DENIED_TO_ALL), "denied explicitly"),
        (receive(STRANGER, identity=(policy(),)), "denied"),
        (receive(STRANGER, resource_policy=ANYBODY), "denied"),
        (receive(STRANGER, identity=(policy(),), resource_policy=ANYBODY), "allowed"),
        (receive(ANONYMOUS, resource_policy=ANYBODY), "allowed"),
        (receive(ANONYMOUS), "denied"),
        (receive(identity=(policy(),), session=policy(action="sqs:SendMessage")), "denied"),
        (receive(identity=(policy(),), session=policy()), "allowed"),
        (receive(identity=(policy(),), boundary=policy(action="lambda:*")), "denied"),
        (receive(identity=(policy(),), boundary=policy()), "allowed"),
        (receive(identity=(policy(),), service_control=(policy(action="lambda:*"),)), "denied"),
        (receive(identity=(policy(),), service_control=(policy(action="*"),)), "allowed"),
    ],
)
def test_every_kind_of_policy_has_its_say(evaluator: Evaluator, request_: Request, verdict: str) -> None:
    (decision,) = evaluator.evaluate([request_])
    assert decision.verdict == verdict
    assert decision.allowed == (verdict == "allowed")


def test_a_decision_names_its_statements(evaluator: Evaluator) -> None:
    request = receive(identity=(policy(sid="Mine"),), resource_policy=DENIED_TO_ALL)
    (decision,) = evaluator.evaluate([request])
    assert set(decision.statements) == {"identity: Mine", "resource: Never"}
    assert decision.blocked_by == ("resource",)


def test_answers_come_in_the_order_of_the_questions(evaluator: Evaluator) -> None:
    asked = [receive(identity=(policy(),)) if number % 3 else receive() for number in range(200)]
    decisions = evaluator.evaluate(asked)
    assert [decision.allowed for decision in decisions] == [bool(number % 3) for number in range(200)]
    assert evaluator.evaluate([]) == ()


def test_a_condition_on_the_encryption_context_counts(evaluator: Evaluator) -> None:
    held = {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-central-1:123456789012:log-group:/a"}
    allowed = policy(action="kms:Decrypt", Principal={"Service": "logs.cn-north-1.amazonaws.com.cn"})
    allowed["Statement"][0]["Condition"] = {"ArnEquals": held}

    def decrypt(principal: str, **context: Any) -> Request:
        return Request(
            principal=principal,
            action="kms:Decrypt",
            resource=KEY,
            account=ACCOUNT,
            resource_policy=allowed,
            context=context,
        )

    china = "logs.cn-north-1.amazonaws.com.cn"
    decisions = evaluator.evaluate([decrypt(china, **held), decrypt(china), decrypt(china.removesuffix(".cn"), **held)])
    assert [decision.allowed for decision in decisions] == [True, False, False]


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        (Request(principal=ROLE, action="sqs:RecieveMessage", resource=QUEUE, account=ACCOUNT), "invalid.action"),
        (Request(principal=ROLE, action="sqz:ReceiveMessage", resource=QUEUE, account=ACCOUNT), "invalid.service"),
        (Request(principal=ROLE, action="sqs:ReceiveMessage", resource=KEY, account=ACCOUNT), "no.resource.types"),
        (receive(context={"sqs:Flavour": "plain"}), "AWS sends no sqs:Flavour with it"),
        (receive(identity=({"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]},)), "policy.errors"),
    ],
)
def test_what_is_misspelt_is_an_error_and_not_a_denial(evaluator: Evaluator, request_: Request, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        evaluator.evaluate([receive(), request_])


def test_every_fault_is_named_at_once(evaluator: Evaluator) -> None:
    wrong = [Request(principal=ROLE, action=f"sqs:No{name}", resource=QUEUE, account=ACCOUNT) for name in "ABC"]
    with pytest.raises(ValueError, match="NoA") as caught:
        evaluator.evaluate(wrong)
    assert len(str(caught.value).splitlines()) == 3


def test_a_process_that_ended_is_told() -> None:
    with Evaluator() as one:
        one._process.kill()
        with pytest.raises((RuntimeError, BrokenPipeError)):
            one.evaluate([receive()])


def test_where_it_is_not_installed_it_says_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "NODE", tmp_path / ".venv-node")
    with pytest.raises(RuntimeError, match=r"run `make \.venv-node/\.installed`"):
        Evaluator()
