"""Made-up credentials in their real forms.

They are put together here, from a digest, so that no file of this repository holds a text that looks like a secret.
"""

import base64
import hashlib

_RANDOM = hashlib.sha512(b"scanhub sample credentials").digest()


def aws_access_key_id() -> str:
    """`AKIA` and 16 letters or digits of Base32."""
    return "AKIA" + base64.b32encode(_RANDOM).decode()[:16]


def aws_secret_access_key() -> str:
    """40 characters of Base64."""
    return base64.b64encode(_RANDOM).decode()[:40]


def github_token() -> str:
    """`ghp_` and 36 letters or digits."""
    return "ghp_" + base64.b16encode(_RANDOM).decode()[:36]


def private_key() -> str:
    """A PEM block; what it holds is no key."""
    text = base64.b64encode(_RANDOM * 6).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    kind = "PRIVATE KEY"
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])
