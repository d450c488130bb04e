"""What `scanhub show` writes, without a cloud."""

from dataclasses import replace

import pytest

from hub.coverage import CoverageState
from scanhub import show_command
from tests.ledger_samples import coverage

REASON = (
    "reading arn:aws:lambda:eu-central-1:210987654321:function:checkout-api: AccessDeniedException: User: "
    "arn:aws:sts::210987654321:assumed-role/scanhub-spoke/scan is not authorized to perform: lambda:GetFunction"
)


def test_where_there_is_no_terminal_no_sentence_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    one = replace(coverage(), state=CoverageState.NO_ACCESS, reason=REASON, last_good=None)
    show_command._tell(one, [])
    function, state, result = capsys.readouterr().out.splitlines()
    assert function == str(one.function)
    assert state == f"state     NO_ACCESS ({REASON}), since {one.at:%Y-%m-%d %H:%M:%S} UTC"
    assert result == "result    none yet"
