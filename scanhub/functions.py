"""Function ARNs as a user types them."""

from spoke.arn import FunctionArn, InvalidArn
from spoke.errors import Misconfigured


def parse(text: str) -> FunctionArn:
    """The function, or one of its published versions; an alias stands for its function.

    Raises:
        Misconfigured: It is no full function ARN.
    """
    try:
        return FunctionArn.parse(text).content
    except InvalidArn as error:
        raise Misconfigured(
            f"{error}; give it in full: arn:aws:lambda:eu-central-1:123456789012:function:name"
        ) from None
