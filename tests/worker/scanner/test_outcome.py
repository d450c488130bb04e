import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.scans import PolicyVerdict, ScanStatus
from spoke.errors import HostFault, Misconfigured, QualysFault, ScanhubError, ScannerCrashed
from worker.scanner.outcome import Outcome, crashed, judge

ARN = "arn:aws:lambda:eu-west-1:210987654321:function:orders"


def raised(exit_code: int, said: str) -> ScanhubError:
    with pytest.raises(ScanhubError) as error:
        judge(exit_code, said, mode="get-report", target=ARN)
    return error.value


def test_an_error_says_what_where_and_the_last_word() -> None:
    error = raised(2, "usage: qscanner ...\nError: unknown flag: --scan-types\n")
    assert isinstance(error, Misconfigured)
    assert error.text == (
        f"the scanner failed on {ARN}: exit 2, it refuses a parameter: check SCANHUB_QSCANNER_* and SCANHUB_SCAN_TYPES "
        "against its version: Error: unknown flag: --scan-types"
    )
    assert error.detail == "usage: qscanner ...\nError: unknown flag: --scan-types\n"


@pytest.mark.parametrize(
    ("number", "words"),
    [(signal.SIGKILL, "died by SIGKILL (out of memory?)"), (signal.SIGABRT, "died by SIGABRT"), (77, "signal 77")],
)
def test_death_by_signal_is_a_crash(number: int, words: str) -> None:
    error = raised(-number, "")
    assert isinstance(error, ScannerCrashed)
    assert error.text.startswith(f"the scanner failed on {ARN}: ")
    assert error.text.endswith(words)


def test_a_refused_token_is_told_from_a_refused_function() -> None:
    aws = "api error AccessDeniedException: status 403: User is not authorized to perform: lambda:GetFunction"
    assert isinstance(raised(1, "POST https://gateway.qg2.apps.qualys.com/auth: 403"), QualysFault)
    assert isinstance(raised(1, aws), ScannerCrashed)


def test_a_full_disk_explains_every_failure_but_not_a_result() -> None:
    full = "write: no space left on device"
    for code in (1, 5, 10, 13, 34, 99, -9):
        assert isinstance(raised(code, full), HostFault)
    for code in (0, 40, 41, 42, 43):
        judge(code, full, mode="get-report", target=ARN)


@given(st.integers(-70, 300), st.text(), st.sampled_from(["inventory-only", "get-report", "evaluate-policy"]))
def test_every_code_ends_in_an_outcome_or_in_an_error_of_the_tree(code: int, said: str, mode: str) -> None:
    outcome: Outcome | ScanhubError
    try:
        outcome = judge(code, said, mode=mode, target=ARN)
    except ScanhubError as error:
        outcome = error
    if isinstance(outcome, ScanhubError):
        assert code not in {0, 40, 41, 42, 43}
        assert "\n" not in outcome.text
        assert outcome.detail == said
    else:
        assert (outcome.status is ScanStatus.SUCCESS) == (outcome.reasons == ())
        assert (outcome.policy is PolicyVerdict.ALLOW) == (code == 0 and mode == "evaluate-policy")
        assert outcome.report_owed == (code in {40, 41})


def test_a_scan_ended_by_the_driver_is_a_crash() -> None:
    error = crashed("ran over its time of 60 s", "last words", target=ARN)
    assert (error.text, error.detail) == (f"the scanner ran over its time of 60 s on {ARN}", "last words")
