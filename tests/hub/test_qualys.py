import json
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from hub.qualys import PODS, QualysCredentials, parse
from spoke.errors import Misconfigured

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:scanhub/qualys-AbCdEf"
ONE_PLATFORM = "set exactly one of qualys_pod and qualys_gateway_url"
CANARY = "eyJhbGciOiJSUzI1NiJ9.canary.5f2a1c9d"


def parsed(**values: Any) -> QualysCredentials:
    return parse(json.dumps(values), where=SECRET)


def fault(text: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        parse(text, where=SECRET)
    line = str(caught.value)
    assert line.startswith(f"the secret {SECRET} is not usable: ")
    assert "\n" not in line
    assert CANARY not in f"{line} {caught.value!r}"
    assert caught.value.__suppress_context__
    return line.split("usable: ")[1]


@pytest.mark.parametrize("pod", PODS)
def test_every_pod_is_taken(pod: str) -> None:
    assert parsed(qualys_pod=pod, qualys_access_token=CANARY).pod == pod


def test_a_pod_in_small_letters_is_the_same_pod() -> None:
    assert parsed(qualys_pod=" eu2 ", qualys_access_token=CANARY).pod == "EU2"


def test_a_private_platform_with_a_registry_and_fields_of_others() -> None:
    credentials = parsed(
        qualys_gateway_url="https://gateway.qualys.example",
        qualys_access_token=CANARY,
        registry_username="puller",
        registry_password=" p w ",
        registry_token="ghp_0123",
        rotated_by="ops",
    )
    assert credentials.pod is None
    assert credentials.gateway_url == "https://gateway.qualys.example"
    assert credentials.secret_values() == (CANARY, "puller", " p w ", "ghp_0123")


def test_a_line_feed_behind_the_token_is_dropped() -> None:
    assert parsed(qualys_pod="US1", qualys_access_token=f"{CANARY}\n").access_token == SecretStr(CANARY)


def test_what_is_empty_is_no_secret_value() -> None:
    """A redaction that looked for it would find it everywhere."""
    credentials = parsed(qualys_pod="US1", qualys_access_token=CANARY, registry_username="", registry_token=" \n")
    assert credentials.secret_values() == (CANARY,)


def test_nothing_secret_shows() -> None:
    credentials = parsed(
        qualys_pod="US1", qualys_access_token=CANARY, registry_password="hunter2", registry_token="t0k"
    )
    shown = f"{credentials!r} {credentials} {credentials.model_dump()} {credentials.model_dump_json()}"
    assert not [value for value in credentials.secret_values() if value in shown]
    with pytest.raises(ValidationError):
        credentials.pod = "US2"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the document: Invalid JSON"),
        (CANARY, "the document: Invalid JSON"),
        (json.dumps([CANARY]), "the document: Input should be an object"),
        (json.dumps(CANARY), "the document: Input should be an object"),
        ('{"qualys_pod": "US1"}', "qualys_access_token: Field required"),
        ('{"qualys_pod": "US1", "qualys_access_token": 5}', "qualys_access_token: Input should be"),
        ('{"qualys_pod": "US1", "qualys_access_token": " "}', "qualys_access_token: must be one word"),
        (f'{{"qualys_pod": "US1", "qualys_access_token": "{CANARY} x"}}', "qualys_access_token: must be one word"),
        (f'{{"qualys_pod": "US1", "qualys_access_token": "{CANARY}\\u0000"}}', "qualys_access_token: must be one word"),
        (f'{{"qualys_pod": "US9", "qualys_access_token": "{CANARY}"}}', "qualys_pod: must be one of US1, US2"),
        (f'{{"qualys_access_token": "{CANARY}"}}', "set exactly one of qualys_pod and qualys_gateway_url"),
        (
            f'{{"qualys_pod": "US1", "qualys_gateway_url": "https://x", "qualys_access_token": "{CANARY}"}}',
            ONE_PLATFORM,
        ),
        (
            f'{{"qualys_gateway_url": "http://{CANARY}", "qualys_access_token": "t"}}',
            "qualys_gateway_url: String should match",
        ),
    ],
)
def test_an_unusable_secret_says_where_and_what_but_no_value(text: str, says: str) -> None:
    assert says in fault(text)


def test_every_fault_at_once() -> None:
    text = json.dumps({"qualys_pod": "US9", "qualys_access_token": f"{CANARY} {CANARY}", "registry_token": 5})
    assert [one.split(":")[0] for one in fault(text).split("; ")] == [
        "qualys_pod",
        "qualys_access_token",
        "registry_token",
    ]
    neither = fault(json.dumps({"registry_token": 5}))
    assert neither.endswith("registry_token: Input should be a valid string; " + ONE_PLATFORM)
