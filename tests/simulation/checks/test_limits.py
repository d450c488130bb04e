"""More scans, questions and refusals than may be."""

from hub.scans import Lease, ScanKey
from spoke.arn import FunctionArn
from tests.simulation.court import ARN, Court
from tests.simulation.truth import PROFILE, Function, Version, code_hash, content_id, moment


def another(court: Court, number: int, account: str) -> FunctionArn:
    arn = FunctionArn("aws", "eu-central-1", account, f"payroll-{number}")
    court.scene.organization.functions[arn] = Function(arn, history=[Version(-300, f"{arn.name}-0", moment(-300))])
    content = content_id(code_hash(f"{arn.name}-0"), ())
    owner = f"owner-{number}-{account}"
    court.write(f"scan#{content}#{PROFILE.id}", court.lease(owner, owner, until=900), pk=f"function#{arn}")
    court.oracle.claimed("w1", Lease(ScanKey(arn, content, PROFILE.id), owner, owner, moment(900)))
    return arn


def test_6_more_scans_than_slots(court: Court) -> None:
    for account in ("210000000001", "210000000002", "210000000003"):
        court.start_scan("w1", another(court, 1, account))
    assert court.verdict == "invariant 6: w1 runs 3 scans in 2 slots"


def test_6_more_scans_of_one_account_than_its_share(court: Court) -> None:
    for number in (1, 2):
        court.start_scan("w1", another(court, number, "210000000002"))
    assert court.verdict.startswith("invariant 6: w1 runs 2 scans of account 210000000002")


def test_6_more_questions_in_a_second_than_may_be(court: Court) -> None:
    for _ in range(21):
        court.passes(0.04)
        court.oracle.describing("w1", ARN)
    assert court.verdict.startswith("invariant 6: w1 asks 210000000001 21 times within a second")


def test_10_an_account_that_is_asked_again_and_again(court: Court) -> None:
    for _ in range(9):
        court.passes(10)
        court.oracle.refused("w1", "210000000001")
    assert court.verdict.startswith("invariant 10: w1 asks 210000000001 again and again")


def test_10_an_account_that_answers_in_between_may_be_asked(court: Court) -> None:
    for _ in range(9):
        court.passes(10)
        court.oracle.refused("w1", "210000000001")
        court.oracle.admitted("w1", "210000000001")
    assert court.verdict == ""
