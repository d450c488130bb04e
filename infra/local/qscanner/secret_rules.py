"""A few rules for secrets left in files. What a rule matched leaves this module masked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TEXT_PROBE = 8192


@dataclass(frozen=True, slots=True)
class _Rule:
    """A pattern; its group `secret`, or else the whole match, is what must not show."""

    id: str
    category: str
    severity: str
    title: str
    pattern: re.Pattern[str]


# Every repetition is bounded, so that no file can make a pattern take long.
_RULES = (
    _Rule(
        "aws-access-key-id",
        "AWS",
        "HIGH",
        "AWS access key id",
        re.compile(r"(?<![A-Z0-9])(?P<secret>(?:AKIA|ASIA)[A-Z2-7]{16})(?![A-Z0-9])"),
    ),
    _Rule(
        "aws-secret-access-key",
        "AWS",
        "CRITICAL",
        "AWS secret access key",
        re.compile(
            r"(?i:aws_?(?:secret)?_?(?:access)?_?key|secret_?access_?key)[\"']?\s{0,4}[:=]\s{0,4}[\"']?"
            r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
        ),
    ),
    _Rule(
        "private-key",
        "Asymmetric private key",
        "CRITICAL",
        "Private key in PEM form",
        re.compile(
            r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----\s{1,4}(?P<secret>[A-Za-z0-9+/=\s]{64,8192})"
            r"-----END (?:[A-Z]{2,10} )?PRIVATE KEY-----"
        ),
    ),
    _Rule(
        "github-token",
        "GitHub",
        "CRITICAL",
        "GitHub token",
        re.compile(r"(?<![A-Za-z0-9_])(?P<secret>gh[pousr]_[A-Za-z0-9]{36})(?![A-Za-z0-9])"),
    ),
    _Rule(
        "slack-token",
        "Slack",
        "HIGH",
        "Slack token",
        re.compile(r"(?<![A-Za-z0-9])(?P<secret>xox[abprs]-[A-Za-z0-9-]{10,72})(?![A-Za-z0-9-])"),
    ),
)


@dataclass(frozen=True, slots=True, order=True)
class Secret:
    """One secret found.

    Attributes:
        target: The file.
        start_line: The first line of the match, from 1.
        end_line: The last one.
        rule_id: Which rule matched.
        category: Whose secret it is.
        severity: `LOW`, `MEDIUM`, `HIGH` or `CRITICAL`.
        title: The rule's title.
        match: The first four characters of the secret, the others masked.
    """

    target: str
    start_line: int
    end_line: int
    rule_id: str
    category: str
    severity: str
    title: str
    match: str


def secrets_in(path: str, content: bytes) -> Iterator[Secret]:
    """Every secret in a file; none in a binary one, which a NUL near its start gives away."""
    if b"\0" in content[:_TEXT_PROBE]:
        return
    text = content.decode("utf-8", "replace")
    for rule in _RULES:
        for match in rule.pattern.finditer(text):
            start = text.count("\n", 0, match.start()) + 1
            end = start + match[0].rstrip("\n").count("\n")
            secret = match["secret"]
            masked = secret[:4] + "*" * min(len(secret) - 4, 16)
            yield Secret(path, start, end, rule.id, rule.category, rule.severity, rule.title, masked)
