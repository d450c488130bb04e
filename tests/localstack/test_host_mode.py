"""The harness where there is no LocalStack, or none that starts. Runs with the other tests: it needs no LocalStack."""

from pathlib import Path

import pytest

from tests.localstack.host_mode import LocalstackUnavailable, running


def test_a_missing_environment_is_named_with_what_makes_it(tmp_path: Path) -> None:
    with (
        pytest.raises(LocalstackUnavailable, match=r"nowhere: run `make test-localstack`"),
        running("http://127.0.0.1:1", tmp_path, region="eu-central-1", venv=tmp_path / "nowhere"),
    ):
        pass


def test_a_failed_start_ends_at_once_and_shows_the_log(tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$2: no module of that name" >&2\nexit 3\n')
    python.chmod(0o700)
    with (
        pytest.raises(LocalstackUnavailable, match=r"ended with 3 [^\n]*\nlocalstack\.runtime\.main: no module"),
        running("http://127.0.0.1:1", tmp_path, region="eu-central-1", venv=tmp_path / "venv"),
    ):
        pass
