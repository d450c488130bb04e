"""What the scanner's own words say where its exit code does not say enough.

The wording of the scanner is not documented; that of AWS's SDK for Go, which such a program uses, is public. So each
table is small and reads one line at a time, from the last one back: what was said last is what ended the scan, while a
throttle that a retry overcame stands earlier. A line that says nothing known counts for nothing.
"""

import re
from enum import Enum, auto
from typing import Final


class Sign(Enum):
    """What a line points to."""

    QUALYS_REFUSED = auto()
    QUALYS_DOWN = auto()
    THROTTLED = auto()
    SESSION_EXPIRED = auto()
    GONE = auto()
    UNREADABLE = auto()
    DENIED = auto()
    NETWORK = auto()


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


PANIC: Final = _words(r"\bpanic:", r"\bgoroutine\b")
"""Go's runtime writes both when it dies, and exits 2."""

DISK_FULL: Final = _words(r"no space left on device", r"disk quota exceeded")
"""strerror(3)'s texts for it, which Go prints as they are. Not their names: a package may hold a file `ENOSPC.js`.
All the same a package may hold these words too, so they are believed only after a look at the disk."""

_ARN = re.compile(r"\barn:aws\S*", re.IGNORECASE)
"""Taken out before a line is read: a function may be named `qualys-token-401`."""

_QUALYS_HOST = _words(r"\b(?:[a-z0-9-]+\.)*qualys[a-z0-9-]*\.(?:com|eu|in|ca|ae|co|us|sa|net|org|cloud)\b")
"""`gateway.qg1.apps.qualys.com` and its sisters; not `qualys_agent.py`, which a package may hold."""

_NOT_QUALYS = _words(
    r"\baws\b",
    r"amazonaws",
    r"operation error",
    r"api error",
    r"requestid",
    r"getfunction",
    r"accessdenied",
    r"security token",
    r"expiredtoken",
    r"\becr\b",
    r"\bkms",
    r"\bregistry\b",
    r"\bdocker\b",
    r"\bmanifest\b",
)
"""Who else answers 401 and 403: AWS, and image registries."""

_REFUSED = _words(
    r"\b(?:status|code|http|response)\b.{0,20}\b40[13]\b",
    r"\b40[13]\b\W{0,3}(?:unauthori[sz]ed|forbidden)",
    r"\berror\W{1,3}40[13]\b",
    r"\bunauthori[sz]ed\b",
    r"\bauthentication failed\b",
    r"\b(?:invalid|expired|wrong|malformed|rejected|revoked)\b.{0,20}\btoken\b",
    r"\btoken\b.{0,20}\b(?:invalid|expired|wrong|malformed|rejected|revoked|not valid)\b",
)
_REFUSED_BY_HOST = _words(r"\b40[13]\b", r"\bforbidden\b", _REFUSED.pattern)

_DOWN = _words(
    r"\b5\d\d\b",
    r"time-?out|timed out|deadline exceeded",
    r"connection (?:refused|reset)",
    r"no such host",
    r"\bEOF\b",
    r"unavailable",
)

AWS_TABLE: Final = (
    (
        Sign.THROTTLED,
        _words(r"toomanyrequests", r"throttl", r"rate exceeded", r"\bslowdown\b", r"requestlimitexceeded", r"\b429\b"),
    ),
    (Sign.SESSION_EXPIRED, _words(r"expiredtoken", r"requestexpired", r"security token .{0,40}expired")),
    (
        Sign.UNREADABLE,
        _words(
            r"kms\w*exception",
            r"unable to decrypt",
            r"imageaccessdenied",
            r"(?:repository|image)notfoundexception",
            r"\bmanifest unknown\b",
            r"\bname unknown\b",
            # A registry's own words; AWS says "is not authorized".
            r"unauthorized: authentication required",
        ),
    ),
    (Sign.GONE, _words(r"resourcenotfoundexception", r"function not found", r"statuscode: 404")),
    (
        Sign.DENIED,
        _words(
            r"accessdenied",
            r"access denied",
            r"not authorized to perform",
            r"no resource-based policy allows",
            r"unrecognizedclient",
            r"invalidclienttokenid",
            r"signaturedoesnotmatch",
            r"security token .{0,40}invalid",
            r"statuscode: 403",
        ),
    ),
    (
        Sign.NETWORK,
        _words(
            r"\bdial tcp\b",
            r"i/o timeout",
            r"connection (?:refused|reset)",
            r"no such host",
            r"tls handshake",
            r"deadline exceeded",
            r"unexpected EOF",
            r"statuscode: 5\d\d",
            r"serviceexception",
            r"internalfailure",
            r"service unavailable",
        ),
    ),
)
"""In this order: a refused KMS call says `AccessDenied` too, and most lines about a call name the network."""


def qualys(said: str) -> Sign | None:
    """Whether Qualys refused the token, or does not answer."""
    for line in reversed(said.splitlines()):
        without_arns = _ARN.sub("", line)
        if _QUALYS_HOST.search(without_arns):
            if _REFUSED_BY_HOST.search(without_arns):
                return Sign.QUALYS_REFUSED
            if _DOWN.search(without_arns):
                return Sign.QUALYS_DOWN
        elif not _NOT_QUALYS.search(line) and _REFUSED.search(without_arns):
            return Sign.QUALYS_REFUSED
    return None


def aws(said: str) -> Sign | None:
    """What became of the scanner's own call for the function or its image."""
    for line in reversed(said.splitlines()):
        if _QUALYS_HOST.search(_ARN.sub("", line)):
            continue
        for sign, pattern in AWS_TABLE:
            if pattern.search(line):
                return sign
    return None
