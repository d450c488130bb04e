"""The main job on the embedded cloud: events on each spoke's default bus become results in the hub."""

from collections.abc import Iterator

import pytest

from infra.local.cloud import EmbeddedCloud
from tests.conftest import forget_aws
from tests.e2e.checks import MainJob
from tests.e2e.main_job import Aftermath, run

pytestmark = [pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """One run for all tests of this module."""
    with pytest.MonkeyPatch.context() as monkeypatch, EmbeddedCloud() as cloud:
        forget_aws(monkeypatch)
        yield run(cloud.endpoint, tmp_path_factory.mktemp("main-job"), monkeypatch)


class TestMainJob(MainJob):
    """On moto, mended."""
