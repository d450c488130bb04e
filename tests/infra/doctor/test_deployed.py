import json
from pathlib import Path

import botocore
import pytest

from infra.doctor.deployed import SUFFIXES, Answers


def test_the_suffixes_are_those_of_every_partition_that_botocore_knows() -> None:
    data = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())
    assert {one["id"]: one["outputs"]["dnsSuffix"] for one in data["partitions"]} == SUFFIXES


def test_what_was_answered_is_asked_once_and_what_was_refused_again() -> None:
    answers, asked = Answers(), []

    def ask() -> str | None:
        asked.append(1)
        if len(asked) == 1:
            raise ConnectionError
        return None

    with pytest.raises(ConnectionError):
        answers.once("own spoke", ask)
    assert [answers.once("own spoke", ask) for _ in range(3)] == [None] * 3
    assert len(asked) == 2
