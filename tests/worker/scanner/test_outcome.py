import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.scans import PolicyVerdict, ScanStatus
from spoke.errors import (
    HostFault,
    Misconfigured,
    QualysFault,
    ScanhubError,
    ScannerCrashed,
    Throttled,
    UploadFailed,
)
from worker.scanner.disk import Look
from worker.scanner.outcome import Outcome, blames_disk, judge, over_time

ARN = "arn:aws:lambda:eu-west-1:210987654321:function:orders"
FULL = Look(is_short=True, found="3 MiB free in /work")
EMPTY = Look(is_short=False, found="40.0 GiB free in /work")
ENOSPC = "write /tmp/layer.tar: no space left on device"


def raised(exit_code: int, said: str, disk: Look | None = None) -> ScanhubError:
    with pytest.raises(ScanhubError) as error:
        judge(exit_code, said, mode="get-report", target=ARN, disk=disk)
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
    ("number", "words", "name"),
    [
        (signal.SIGKILL, "died by SIGKILL (out of memory?)", "SIGKILL"),
        (signal.SIGABRT, "died by SIGABRT", "SIGABRT"),
        (77, "signal 77", "signal 77"),
    ],
)
def test_death_by_signal_is_a_crash(number: int, words: str, name: str) -> None:
    error = raised(-number, "")
    assert error.exit_code == name
    assert isinstance(error, ScannerCrashed)
    assert error.text.startswith(f"the scanner failed on {ARN}: ")
    assert error.text.endswith(words)


def test_a_refused_token_is_told_from_a_refused_function() -> None:
    aws = "api error AccessDeniedException: status 403: User is not authorized to perform: lambda:GetFunction"
    assert isinstance(raised(1, "POST https://gateway.qg2.apps.qualys.com/auth: 403"), QualysFault)
    assert isinstance(raised(1, aws), ScannerCrashed)


def test_a_full_disk_explains_every_failure_but_not_a_result() -> None:
    for code in (1, 2, 3, 5, 10, 13, 15, 33, 34, 99, -9):
        assert blames_disk(code, ENOSPC) == (code < 40)
        error = raised(code, ENOSPC, FULL) if code < 40 else None
        assert error is None or isinstance(error, HostFault)
    for code in (0, 40, 41, 42, 43, 99):
        assert not blames_disk(code, ENOSPC)
    assert raised(1, ENOSPC, FULL).text == (
        f"the scanner failed on {ARN}: exit 1, the disk is full (3 MiB free in /work): {ENOSPC}"
    )


@pytest.mark.parametrize("said", ["Disk quota exceeded", "mkdir: No space left on device"])
def test_both_words_for_a_full_disk_are_known(said: str) -> None:
    assert blames_disk(1, said)
    assert not blames_disk(1, "no room")


def test_a_disk_called_full_that_is_not_is_a_crash_that_says_both() -> None:
    for code in (1, 5, 6, 7, 10, 34, 38):
        error = raised(code, ENOSPC, EMPTY)
        assert type(error) is ScannerCrashed
        assert error.text == (
            f"the scanner failed on {ARN}: exit {code}, it says that the disk is full, which is not so now "
            f"(40.0 GiB free in /work): {ENOSPC}"
        )


@pytest.mark.parametrize("code", [11, 13, 15, 17, 21])
def test_a_disk_called_full_that_is_not_takes_nothing_from_a_partial_result(code: int) -> None:
    assert judge(code, ENOSPC, mode="get-report", target=ARN, disk=EMPTY) == judge(
        code, "", mode="get-report", target=ARN, disk=None
    )


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        (2, "Error: unknown flag: --x", Misconfigured),
        (3, "", HostFault),
        (33, "", UploadFailed),
        (1, "POST https://gateway.qg2.apps.qualys.com/auth: 403", QualysFault),
        (10, "ThrottlingException: Rate exceeded", Throttled),
        (-9, "", ScannerCrashed),
        (2, "panic: oops", ScannerCrashed),
    ],
)
def test_a_disk_called_full_that_is_not_hides_no_other_cause(code: int, said: str, kind: type[ScanhubError]) -> None:
    error = raised(code, f"{ENOSPC}\n{said}", EMPTY)
    assert type(error) is kind
    assert "disk is full" not in error.text


@given(
    st.integers(-70, 300),
    st.text() | st.sampled_from([ENOSPC, f"toomanyrequests\n{ENOSPC}"]),
    st.sampled_from(["inventory-only", "get-report", "evaluate-policy"]),
    st.sampled_from([FULL, EMPTY]),
)
def test_every_code_ends_in_an_outcome_or_in_an_error_of_the_tree(code: int, said: str, mode: str, seen: Look) -> None:
    disk = seen if blames_disk(code, said) else None
    outcome: Outcome | ScanhubError
    try:
        outcome = judge(code, said, mode=mode, target=ARN, disk=disk)
    except ScanhubError as error:
        outcome = error
    if isinstance(outcome, ScanhubError):
        assert code not in {0, 40, 41, 42, 43}
        assert "\n" not in outcome.text
        assert outcome.detail == said
        assert outcome.exit_code == str(code) or (code < 0 and outcome.exit_code.lower().startswith("sig"))
    else:
        assert (outcome.status is ScanStatus.SUCCESS) == (outcome.reasons == ())
        assert (outcome.policy is PolicyVerdict.ALLOW) == (code == 0 and mode == "evaluate-policy")
        assert outcome.report_owed == (code in {40, 41})


def test_a_scan_ended_by_the_driver_is_a_crash() -> None:
    error = over_time(60, "last words", target=ARN)
    assert (error.text, error.detail) == (f"the scanner ran over its time of 60 s on {ARN}", "last words")
    assert error.exit_code == "timeout"
