"""Where the town's functions are, and what is asked of any command there."""

from spoke.arn import FunctionArn
from spoke.errors import Misconfigured
from tests.e2e.town import BY_NAME, BY_TAG, Town, document, invoke

SPOKES = ("210000000001", "210000000002", "210000000003")
FIRST, SECOND = "eu-central-1", "us-east-1"
NO_ROLE = "210000000009"
EXCLUDED = {*BY_TAG, *BY_NAME}


def due(town: Town, **where: str) -> set[str]:
    """The functions there that are to be scanned."""
    return {arn for arn in town.arns(**where) if FunctionArn.parse(arn).name not in EXCLUDED}


def refused(*arguments: str, stdin: str | None = None, **environment: str) -> str:
    """Why a command does not take these, in one line."""
    result = invoke(*arguments, stdin=stdin, **environment)
    assert isinstance(result.exception, Misconfigured), result.output + repr(result.exception)
    assert result.stdout == ""
    assert "\n" not in result.exception.text
    return result.exception.text


def waiting() -> dict[str, int]:
    """Messages by queue."""
    return {name: one["visible"] for name, one in document("status")["queues"].items()}
