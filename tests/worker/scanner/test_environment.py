from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.qscanner_rig import ENVIRON, PROXY_PASSWORD, SESSION_KEY, SESSION_TOKEN, TOKEN, qualys, session
from worker.scanner.environment import bare_environment, proxy_passwords, scan_environment

HOME, TMP = Path("/scratch/home"), Path("/scratch/tmp")
OWN = {
    "HOME": "/scratch/home",
    "TMPDIR": "/scratch/tmp",
    "QUALYS_ACCESS_TOKEN": TOKEN,
    "QSCANNER_REGISTRY_PASSWORD": "registry-canary-7f3a",
    "AWS_ACCESS_KEY_ID": "ASIASPOKESPOKESPOKE1",
    "AWS_SECRET_ACCESS_KEY": SESSION_KEY,
    "AWS_SESSION_TOKEN": SESSION_TOKEN,
    "AWS_REGION": "eu-west-1",
}
PASSED_ON = {
    *("PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_LAMBDA"),
}
KEPT_BACK = (
    *(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    ),
    *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_DEFAULT_REGION"),
    *("SCANHUB_EXTERNAL_ID", "SCANHUB_AWS_ENDPOINT_URL", "LD_PRELOAD", "PYTHONPATH", "ECS_CONTAINER_METADATA_URI_V4"),
    *("Path", "AWS_ENDPOINT_URLS", "QUALYS_ACCESS_TOKEN", "QSCANNER_REGISTRY_TOKEN", "HOME", "TMPDIR", "AWS_REGION"),
)
NAMES = (
    st.sampled_from([*sorted(PASSED_ON), *KEPT_BACK])
    | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1).map(lambda tail: f"AWS_{tail}")
    | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1).map(lambda tail: f"SCANHUB_{tail}")
    | st.text(min_size=1)
)


@given(st.dictionaries(NAMES, st.text()))
def test_nothing_is_inherited_that_is_not_on_the_list(environ: dict[str, str]) -> None:
    bare = bare_environment(environ, home=HOME, temporary=TMP)
    given = scan_environment(bare, region="eu-west-1", session=session(), qualys=qualys())
    for name, value in given.items():
        if name in OWN:
            assert value == OWN[name]
        elif name != "PATH" or name in environ:
            assert name in PASSED_ON or name.startswith("AWS_ENDPOINT_URL_")
            assert value == environ[name]
    assert set(OWN) <= set(given)
    for name in set(environ) & PASSED_ON:
        assert given[name] == environ[name]


def test_without_a_path_the_systems_own_is_used() -> None:
    assert bare_environment({}, home=HOME, temporary=TMP)["PATH"]


def test_registry_secrets_are_passed_on_only_where_held() -> None:
    held = qualys(registry_username="AWS", registry_token="registry-token-1")
    given = scan_environment({}, region="eu-west-1", session=session(), qualys=held)
    assert {name: value for name, value in given.items() if name.startswith("QSCANNER_")} == {
        "QSCANNER_REGISTRY_USERNAME": "AWS",
        "QSCANNER_REGISTRY_PASSWORD": "registry-canary-7f3a",
        "QSCANNER_REGISTRY_TOKEN": "registry-token-1",
    }


def test_proxy_passwords_are_known() -> None:
    assert proxy_passwords(ENVIRON) == (PROXY_PASSWORD,)
    assert proxy_passwords({"http_proxy": "http://me:p%40ss%20word@proxy:3128"}) == ("p%40ss%20word", "p@ss word")
    assert proxy_passwords({"HTTP_PROXY": "http://[broken", "NO_PROXY": "localhost,.internal"}) == ()
