import time

import pytest

from infra.local.qscanner.secret_rules import secrets_in
from infra.local.samples import credentials

KEY_ID = credentials.aws_access_key_id()
KEY = credentials.aws_secret_access_key()
GITHUB = credentials.github_token()
SLACK = "xox" + f"b-{1234567890}-{GITHUB[4:28].lower()}"


def rules(text: str) -> list[str]:
    return [secret.rule_id for secret in secrets_in("config.ini", text.encode())]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f"id = {KEY_ID}", "aws-access-key-id"),
        (f'"{KEY_ID}"', "aws-access-key-id"),
        (f"aws_secret_access_key = {KEY}", "aws-secret-access-key"),
        (f'"SecretAccessKey": "{KEY}"', "aws-secret-access-key"),
        (f"AWS_SECRET_KEY={KEY}\n", "aws-secret-access-key"),
        (f"token: {GITHUB}", "github-token"),
        (f"SLACK={SLACK};", "slack-token"),
        (credentials.private_key(), "private-key"),
        (credentials.private_key().replace("PRIVATE", "RSA PRIVATE"), "private-key"),
    ],
)
def test_finds(text: str, rule: str) -> None:
    assert rules(text) == [rule]


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"X{KEY_ID}",
        f"{KEY_ID}A",
        KEY_ID.lower(),
        f"checksum = {KEY}",
        f"aws_secret_access_key = {KEY}abc",
        f"{GITHUB}x",
        "xoxb-short",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        credentials.private_key().replace("PRIVATE", "PUBLIC"),
    ],
)
def test_leaves_alone(text: str) -> None:
    assert rules(text) == []


def test_tells_place_and_severity_and_masks_the_secret() -> None:
    text = f"[default]\n\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {KEY}\n{credentials.private_key()}"
    found = list(secrets_in("config/credentials.ini", text.encode()))
    assert [(one.rule_id, one.severity, one.start_line, one.end_line) for one in found] == [
        ("aws-access-key-id", "HIGH", 3, 3),
        ("aws-secret-access-key", "CRITICAL", 4, 4),
        ("private-key", "CRITICAL", 5, 5 + credentials.private_key().strip().count("\n")),
    ]
    for secret in found:
        assert secret.target == "config/credentials.ini"
        assert set(secret.match[4:]) == {"*"}
    shown = repr(found)
    assert KEY not in shown
    assert KEY_ID not in shown


def test_binary_files_are_not_searched() -> None:
    assert list(secrets_in("model.bin", b"\0\1" + KEY_ID.encode())) == []


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PRIVATE KEY-----\n" * 37_000,
        "-----BEGIN PRIVATE KEY-----\n" + "A" * 1_000_000,
        "AKIA" * 250_000,
        "aws_secret_access_key" * 48_000,
        "secret_key = " * 80_000,
        "xoxb-" * 200_000,
        " " * 1_000_000,
    ],
)
def test_no_text_makes_a_pattern_take_long(text: str) -> None:
    started = time.process_time()
    list(secrets_in("hostile.txt", text.encode()))
    assert time.process_time() - started < 5
