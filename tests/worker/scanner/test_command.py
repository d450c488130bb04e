from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.settings import Settings
from spoke.arn import FunctionArn
from spoke.errors import Unreadable
from tests.doubles.qscanner_rig import QUEUE, SECRET_ARN, SECRETS, qualys, snapshot
from worker.scanner.command import Target, argv, target

ARN = "arn:aws:lambda:eu-west-1:210987654321:function:orders"
DIGEST = "@sha256:" + "9f" * 32
IMAGE = f"210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/orders{DIGEST}"


def settings(**changes: object) -> Settings:
    values = {
        "changes_queue_url": f"{QUEUE}/changes",
        "changes_dlq_url": f"{QUEUE}/changes-dlq",
        "ledger_table": "scanhub-ledger",
        "results_bucket": "scanhub-results",
        "qualys_secret_arn": SECRET_ARN,
        "external_id": "external-id-1",
    }
    return Settings.model_validate({**values, **changes})


@pytest.mark.parametrize(
    ("by_setting", "function", "expected"),
    [
        ({}, snapshot("orders"), Target("lambda", ARN)),
        ({"qscanner_command": "function"}, snapshot("orders"), Target("function", ARN)),
        ({}, snapshot("orders", package_type="Image", resolved_image_uri=IMAGE), Target("lambda", ARN)),
        ({"qscanner_image_command": "image"}, snapshot("orders"), Target("lambda", ARN)),
        (
            {"qscanner_image_command": "function"},
            snapshot("orders", package_type="Image", resolved_image_uri=IMAGE),
            Target("function", ARN),
        ),
        (
            {"qscanner_image_command": "image"},
            snapshot("orders", package_type="Image", resolved_image_uri=IMAGE),
            Target("image", IMAGE),
        ),
        (
            {"qscanner_image_command": "image"},
            snapshot("orders", package_type="Image", image_uri="repo/orders:latest"),
            Target("lambda", ARN),
        ),
    ],
)
def test_what_is_scanned(by_setting: dict[str, object], function: object, expected: Target) -> None:
    assert target(function, settings(**by_setting)) == expected  # type: ignore[arg-type]  # parametrized


@pytest.mark.parametrize(("qualifier", "argument"), [("live", ARN), ("$LATEST", ARN), ("7", f"{ARN}:7")])
def test_a_version_is_scanned_by_its_own_arn_and_an_alias_by_its_functions(qualifier: str, argument: str) -> None:
    qualified = replace(snapshot("orders"), arn=FunctionArn.parse(f"{ARN}:{qualifier}"))
    assert target(qualified, settings()).argument == argument


@pytest.mark.parametrize(
    "uri",
    [
        "",
        f"-o{DIGEST}",
        f"--output-dir=/etc{DIGEST}",
        "210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/orders:latest",
        f"210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/orders{DIGEST}\n--x",
        f"registry/../etc{DIGEST}",
        f"registry/a b{DIGEST}",
        f"orders{DIGEST}",
    ],
)
def test_an_image_uri_that_is_none_is_refused(uri: str) -> None:
    with pytest.raises(Unreadable, match="its resolved image URI is none"):
        target(
            snapshot("orders", package_type="Image", resolved_image_uri=uri), settings(qscanner_image_command="image")
        )


@given(st.text())
def test_whatever_the_image_uri_it_is_no_option(uri: str) -> None:
    try:
        found = target(
            snapshot("orders", package_type="Image", resolved_image_uri=uri), settings(qscanner_image_command="image")
        )
    except Unreadable:
        return
    assert found.argument[0].isalnum()
    assert not any(character.isspace() for character in found.argument)


@pytest.mark.parametrize(("mode", "asks"), [("inventory-only", False), ("scan-only", False), ("get-report", True)])
def test_a_report_is_asked_for_where_the_mode_gives_one(mode: str, asks: bool) -> None:
    line = argv(
        settings(qscanner_mode=mode),
        qualys(),
        Target("lambda", ARN),
        output_directory=Path("/o"),
        cache_directory=Path("/c"),
    )
    assert ("--report-format" in line) is asks
    assert line[-2:] == ("lambda", ARN)
    assert not any(secret in argument for secret in SECRETS for argument in line)
