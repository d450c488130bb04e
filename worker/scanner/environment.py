"""The scanner's environment, from an allow-list: nothing is inherited that is not named here."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hub.qualys import QualysCredentials
from spoke.credentials import SessionCredentials

PROXIES = frozenset(
    spelling
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    # Programs disagree on the case (Go reads both, curl only the lower one for http).
    for spelling in (name, name.lower())
)
CA_BUNDLES = frozenset({"SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"})
INHERITED = frozenset({"PATH"}) | PROXIES | CA_BUNDLES

_ENDPOINT = "AWS_ENDPOINT_URL"


def is_inherited(name: str) -> bool:
    """Whether a variable of the worker's environment reaches the scanner."""
    return name in INHERITED or name == _ENDPOINT or name.startswith(f"{_ENDPOINT}_")


def bare_environment(environ: Mapping[str, str], *, home: Path, temporary: Path) -> dict[str, str]:
    """What every process of ours gets; without credentials, as `--version` needs none."""
    kept = {name: value for name, value in environ.items() if is_inherited(name)}
    kept.setdefault("PATH", os.defpath)
    return kept | {"HOME": str(home), "TMPDIR": str(temporary)}


def scan_environment(
    bare: Mapping[str, str], *, region: str, session: SessionCredentials, qualys: QualysCredentials
) -> dict[str, str]:
    """What a scan gets besides: the Qualys token and the spoke role's session.

    Args:
        bare: See `bare_environment`.
        region: Of the function's ARN; with the hub's own one the function "is not reachable in this region".
        session: Narrowed to the one function.
        qualys: The registry fields are passed on only where the secret holds them.
    """
    registry = {
        "QSCANNER_REGISTRY_USERNAME": qualys.registry_username,
        "QSCANNER_REGISTRY_PASSWORD": qualys.registry_password,
        "QSCANNER_REGISTRY_TOKEN": qualys.registry_token,
    }
    return {
        **bare,
        **{name: value.get_secret_value() for name, value in registry.items() if value is not None},
        "QUALYS_ACCESS_TOKEN": qualys.access_token.get_secret_value(),
        "AWS_ACCESS_KEY_ID": session.access_key_id,
        "AWS_SECRET_ACCESS_KEY": session.secret_access_key.get_secret_value(),
        "AWS_SESSION_TOKEN": session.session_token.get_secret_value(),
        "AWS_REGION": region,
    }


def proxy_passwords(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The passwords inside the proxies' URLs: the scanner may print such a URL."""
    found = []
    for name in sorted(PROXIES):
        try:
            password = urlsplit(environ.get(name, "")).password
        except ValueError:  # not a URL; NO_PROXY is a list of hosts
            continue
        if password:
            found += [password, unquote(password)]
    return tuple(dict.fromkeys(found))
