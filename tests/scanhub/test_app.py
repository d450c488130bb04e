import pytest

from scanhub import __version__
from tests.scanhub.processes import scanhub

SETTINGS = {
    "SCANHUB_CHANGES_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes",
    "SCANHUB_CHANGES_DLQ_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/scanhub-changes-dlq",
    "SCANHUB_LEDGER_TABLE": "scanhub-ledger",
    "SCANHUB_RESULTS_BUCKET": "scanhub-results",
    "SCANHUB_QUALYS_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub/qualys-AbCdEf",
    "SCANHUB_EXTERNAL_ID": "an-external-id",
}
FUNCTION = "arn:aws:lambda:eu-central-1:210000000001:function:payments"


def test_version() -> None:
    run = scanhub("--version")
    assert (run.code, run.out) == (0, f"scanhub {__version__}\n")


@pytest.mark.parametrize(
    "arguments", [["--no-such-option"], ["no-such-command"], ["scan"], ["local", "up", "--spokes", "0"]]
)
def test_wrong_usage_ends_with_2_and_without_a_traceback(arguments: list[str]) -> None:
    run = scanhub(*arguments)
    assert (run.code, run.err.count("\n")) == (2, 1)
    assert run.err.startswith("scanhub")


@pytest.mark.parametrize(
    "command", [["worker"], ["status"], ["scan", "arn:aws:lambda:eu-central-1:210000000001:function:a"]]
)
def test_missing_settings_are_all_named_at_once(command: list[str]) -> None:
    run = scanhub(*command, SCANHUB_SCAN_TIMEOUT="5")
    assert run.code == 2
    assert "Traceback" not in run.err
    for name in ("CHANGES_QUEUE_URL", "CHANGES_DLQ_URL", "LEDGER_TABLE", "RESULTS_BUCKET", "QUALYS_SECRET_ARN"):
        assert f"SCANHUB_{name}: is not set" in run.err
    assert "SCANHUB_SCAN_TIMEOUT: Input should be greater than or equal to 60" in run.err


def test_what_is_no_function_arn_is_told_in_a_line() -> None:
    run = scanhub("show", "payments")
    assert run.code == 2
    assert run.err.count("\n") == 1
    assert "'payments'" in run.err


def test_local_up_wants_an_endpoint() -> None:
    run = scanhub("local", "up")
    assert run.code == 2
    assert run.err == "scanhub: AWS_ENDPOINT_URL is not set; start a cloud with: scanhub local serve\n"


def test_an_endpoint_where_nobody_listens_is_told_in_a_line() -> None:
    run = scanhub("local", "up", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert run.code == 1
    assert "http://127.0.0.1:9" in run.err
    assert "Traceback" not in run.err


@pytest.mark.parametrize("url", ["foo", "http://127.0.0.1:99999", "ftp://127.0.0.1"])
def test_an_endpoint_that_is_no_url_is_told_in_a_line(url: str) -> None:
    run = scanhub("status", AWS_ENDPOINT_URL_SQS=url, **SETTINGS)
    assert (run.code, run.err.count("\n")) == (2, 1)
    assert f"AWS_ENDPOINT_URL_SQS is no URL: {url}" in run.err
