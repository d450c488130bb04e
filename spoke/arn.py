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
_REGION_NAME = re.compile(_REGION, re.ASCII)
_ACCOUNT_ID = re.compile(_ACCOUNT, re.ASCII)

MAX_TEXT = 256
"""Characters of an ARN, partial or full: what GetFunction takes as `FunctionName` (botocore's Lambda model)."""

MAX_NAME = 64
"""Characters of a function's name (Lambda's API reference of CreateFunction)."""

MAX_QUALIFIER = 128
"""Characters of an alias (`Alias` in botocore's Lambda model); versions are shorter."""

# By the start of the region; botocore's `partitions` data says the same in regular expressions.
_PARTITIONS = {
    "cn-": "aws-cn",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
}


class InvalidArn(ValueError):
    """The text is no function ARN, or no function name."""


def partition_of(region: str) -> str:
    """The partition in which a region lies: `aws` for every region that is in no other one."""
    for start, partition in _PARTITIONS.items():
        if region.startswith(start):
            return partition
    return "aws"


def is_region(text: str) -> bool:
    """Whether it has the form of a region's name."""
    return _REGION_NAME.fullmatch(text) is not None and len(text) <= MAX_NAME


def is_account(text: str) -> bool:
    """Whether it has the form of an account id: twelve digits."""
    return _ACCOUNT_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
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
        """A full ARN, as botocore's pattern `FunctionArn` admits it and Lambda's lengths allow.

        The pattern lets the partition be empty; it is then the region's.

        Raises:
            InvalidArn: It is none.
        """
        match = _match(_FULL, text)
        if match is None:
            raise InvalidArn(f"not a function ARN: {text[:200]!r}")
        region = match["region"]
        return cls(
            match["partition"] or partition_of(region), region, match["account"], match["name"], match["qualifier"]
        )

    @classmethod
    def complete(cls, text: str, *, account: str, region: str, partition: str | None = None) -> "FunctionArn":
        """What Lambda takes as `FunctionName`: a full ARN, a partial one or a bare name; the rest is filled in.

        Where the pattern leaves a choice, what comes first is read first: `123456789012:name` is an account and a name,
        `function:name` the name alone, `name:live` a name and its alias. A word that stands alone is always the name.

        Args:
            text: What was written.
            account: Taken where `text` has none.
            region: Taken where `text` has none.
            partition: Taken where `text` has none; by default the region's.

        Raises:
            InvalidArn: Neither.
        """
        match = _match(_PARTIAL, text)
        if match is None:
            raise InvalidArn(f"neither a function ARN nor a name: {text[:200]!r}")
        where = match["region"] or region
        return cls(
            match["partition"] or partition or partition_of(where),
            where,
            match["account"] or account,
            match["name"],
            match["qualifier"],
        )

    @property
    def unqualified(self) -> "FunctionArn":
        """The function itself, without version or alias."""
        return self if self.qualifier is None else replace(self, qualifier=None)

    @property
    def is_version(self) -> bool:
        """Whether it is one published version: its qualifier is a number, which no alias's name may be alone."""
        return self.qualifier is not None and self.qualifier.isascii() and self.qualifier.isdigit()

    @property
    def content(self) -> "FunctionArn":
        """What has code of its own: a published version, else the function, whose unpublished code can change.

        An alias stands for other code tomorrow, and `$LATEST` is the function itself: neither names code.
        """
        return self if self.is_version else self.unqualified

    def __lt__(self, other: "FunctionArn") -> bool:
        return self._sorted_by() < other._sorted_by()

    def __str__(self) -> str:
        tail = f":{self.qualifier}" if self.qualifier is not None else ""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:function:{self.name}{tail}"

    def _sorted_by(self) -> tuple[str, ...]:
        # A qualifier that is None does not compare with a text; the function comes before its versions.
        return (self.partition, self.region, self.account, self.name, self.qualifier or "")


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    if len(text) > MAX_TEXT:
        return None
    match = pattern.fullmatch(text)
    if match is None or len(match["name"]) > MAX_NAME or len(match["qualifier"] or "") > MAX_QUALIFIER:
        return None
    return match
