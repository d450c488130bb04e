"""Secrets removed from text by value, never by guess: hashes and digests stay whole."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "[redacted]"
SHORTEST = 6
"""Values with fewer characters are left alone: they are words ("admin", "root") and would blank half of every log,
while nothing that short is a secret that could be kept."""


class Redactor:
    """Replaces known secret values, as they are and as programs are wont to write them.

    Looked for are the value itself and its JSON-escaped, URL-encoded and base64 forms, the last also inside a longer
    base64 text (`Authorization: Basic` encodes `user:password`).

    The logs and the scanner driver share one, which can be told new values at any time. Its `repr` shows none.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: frozenset[str] = frozenset()
        self._pattern: re.Pattern[bytes] | None = None
        self._longest = 0
        self.add(*values)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._values)} values>"

    @property
    def longest(self) -> int:
        """Bytes of the longest form looked for; 0 without values."""
        return self._longest

    def add(self, *values: str) -> None:
        """Look for these too. Values shorter than `SHORTEST` characters are passed over."""
        stripped = {value.strip() for value in values} | set(values)
        known = self._values | {value for value in stripped if len(value.strip()) >= SHORTEST}
        if known == self._values:
            return
        forms = {form for value in known for form in _forms(value)}
        # The longest first: where one value begins with another, nothing of the longer one may be left over.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._values = known
        self._longest = len(ordered[0])
        self._pattern = re.compile(b"|".join(map(re.escape, ordered)))

    def text(self, text: str) -> str:
        """The text without the values."""
        if self._pattern is None:
            return text
        # Lone surrogates are legal in a str and must not make the logging of them fail.
        return self.data(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """The bytes without the values."""
        return data if self._pattern is None else self._pattern.sub(MASK.encode(), data)

    def stream(self) -> "RedactingStream":
        """For output that comes in pieces."""
        return RedactingStream(self)

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """What can be told for sure of the beginning of a stream: (redacted, rest).

        The rest is shorter than the longest form and must stand before the next piece.
        """
        if self._pattern is None:
            return data, b""
        # A form that begins before this point lies in `data` as a whole, so the longest is found if it is there.
        certain = max(0, len(data) - self._longest + 1)
        done: list[bytes] = []
        at = 0
        for match in self._pattern.finditer(data):
            if match.start() >= certain:
                break
            done += [data[at : match.start()], MASK.encode()]
            at = match.end()
        end = max(at, certain)
        done.append(data[at:end])
        return b"".join(done), data[end:]


class RedactingStream:
    """Redacts output that comes in pieces; a value that straddles two pieces is found.

    The pieces that `feed` and `flush` return, joined, are `Redactor.data` of the pieces fed, joined.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """The next piece; returns what is certain by now, perhaps nothing."""
        done, self._held = self._redactor.split(self._held + data)
        return done

    def flush(self) -> bytes:
        """The end: returns what was held back."""
        held, self._held = self._held, b""
        return self._redactor.data(held)


def _forms(value: str) -> Iterator[bytes]:
    raw = value.encode("utf-8", "surrogatepass")
    yield raw
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped.encode("utf-8", "surrogatepass")
        yield escaped.replace("/", "\\/").encode("utf-8", "surrogatepass")
        # Go's encoder writes these three as \u escapes unless told otherwise.
        for character in "<>&":
            escaped = escaped.replace(character, f"\\u{ord(character):04x}")
        yield escaped.encode("utf-8", "surrogatepass")
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield encoded.encode()
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded).encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw)
        yield encode(raw).rstrip(b"=")
        for before in range(3):
            yield _inside_base64(encode(b"\0" * before + raw), before, len(raw))


def _inside_base64(encoded: bytes, before: int, length: int) -> bytes:
    """The characters that depend on the value alone when `before` (0-2) other bytes stand in front of it.

    At most four bits at either end, which share a character with a neighbour, are left out.
    """
    first = -(-before * 8 // 6)
    return encoded[first : (before + length) * 8 // 6]
