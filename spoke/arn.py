"""Function ARNs as a value: every partition, qualifiers, partial ARNs and bare names."""

import re
from dataclasses import dataclass, replace

# The pieces of the patterns `FunctionArn` and `FunctionName` in botocore's Lambda model (1.43.117).
_PARTITION = r"aws[a-zA-Z-]*"
_REGION = r"(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d"
_ACCOUNT = r"\d{12}"
_NAME = r"[a-zA-Z0-9_-]+"
_QUALIFIER = r"\$LATEST|[a-zA-Z0-9_-]+"

_FULL = re.compile(
    rf"arn:(?P<partition>{_PARTITION})?:lambda:(?P<region>{_REGION}):(?P<account>{_ACCOUNT})"
    rf":function:(?P<name>{_NAME})(?::(?P<qualifier>{_QUALIFIER}))?",
    re.ASCII,
)
_PARTIAL = re.compile(
    rf"(?:arn:(?P<partition>{_PARTITION})?:lambda:)?(?:(?P<region>{_REGION}):)?(?:(?P<account>{_ACCOUNT}):)?"
    rf"(?:function:)?(?P<name>{_NAME})(?::(?P<qualifier>{_QUALIFIER}))?",
    re.ASCII,
)


class InvalidArn(ValueError):
    """The text is no function ARN, or no function name."""


@dataclass(frozen=True, slots=True, order=True)
class FunctionArn:
    """The ARN of a Lambda function.

    Attributes:
        partition: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, ...
        region: Such as `eu-central-1`.
        account: Twelve digits.
        name: The function's name.
        qualifier: A version, an alias or `$LATEST`; None where the ARN has none.
    """

    partition: str
    region: str
    account: str
    name: str
    qualifier: str | None = None

    @classmethod
    def parse(cls, text: str) -> "FunctionArn":
        """A full ARN, as botocore's pattern `FunctionArn` admits it.

        Raises:
            InvalidArn: It is none.
        """
        match = _FULL.fullmatch(text)
        if match is None:
            raise InvalidArn(f"not a function ARN: {text[:200]!r}")
        return cls(match["partition"] or "aws", match["region"], match["account"], match["name"], match["qualifier"])

    @classmethod
    def complete(cls, text: str, *, account: str, region: str, partition: str = "aws") -> "FunctionArn":
        """What Lambda takes as `FunctionName`: a full ARN, a partial one or a bare name; the rest is filled in.

        Raises:
            InvalidArn: Neither.
        """
        match = _PARTIAL.fullmatch(text)
        if match is None:
            raise InvalidArn(f"neither a function ARN nor a name: {text[:200]!r}")
        return cls(
            match["partition"] or partition,
            match["region"] or region,
            match["account"] or account,
            match["name"],
            match["qualifier"],
        )

    @property
    def unqualified(self) -> "FunctionArn":
        """The function itself, without version or alias."""
        return self if self.qualifier is None else replace(self, qualifier=None)

    def __str__(self) -> str:
        tail = f":{self.qualifier}" if self.qualifier is not None else ""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{self.name}{tail}"
