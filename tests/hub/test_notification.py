from datetime import datetime

import pytest

from hub.notification import Notification, NotificationKind
from spoke.arn import FunctionArn
from tests.ledger_samples import CHECKOUT, NOW


@pytest.mark.parametrize("kind", [NotificationKind.FAILED, NotificationKind.FINDINGS])
def test_a_notification_of_a_scan_names_its_function(kind: NotificationKind) -> None:
    assert Notification(kind=kind, function=CHECKOUT, reason="").function == CHECKOUT
    for function, since in ((None, None), (None, NOW), (CHECKOUT, NOW)):
        with pytest.raises(ValueError, match=f"a notification of {kind.value} names a function only"):
            Notification(kind=kind, function=function, reason="", since=since)


def test_a_notification_of_the_circuit_names_a_moment_and_no_function() -> None:
    assert Notification(kind=NotificationKind.CIRCUIT, reason="", since=NOW).function is None


@pytest.mark.parametrize(("function", "since"), [(CHECKOUT, NOW), (CHECKOUT, None), (None, None)])
def test_a_notification_of_the_circuit_with_anything_else_is_refused(
    function: FunctionArn | None, since: datetime | None
) -> None:
    with pytest.raises(ValueError, match="a notification of circuit names a moment only"):
        Notification(kind=NotificationKind.CIRCUIT, function=function, reason="", since=since)
