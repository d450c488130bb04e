"""A LocalStack for every test module that asks for one, and its log beside whatever failed."""

from collections.abc import Generator, Iterator

import pytest

from infra.local.cloud import EmbeddedCloud
from tests.conftest import REGION
from tests.localstack.host_mode import Localstack, running


@pytest.fixture(scope="module")
def localstack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localstack]:
    """An empty LocalStack, with an empty moto beside it, for one test module."""
    # The embedded cloud, not a bare moto: the ledger needs DynamoDB's writes to be atomic, as they are on AWS.
    with (
        EmbeddedCloud() as moto,
        running(moto.endpoint, tmp_path_factory.mktemp("localstack"), region=REGION) as cloud,
    ):
        yield cloud


@pytest.fixture
def on_localstack(localstack: Localstack, monkeypatch: pytest.MonkeyPatch) -> Localstack:
    """The same, with the test's environment leading every AWS client there."""
    for name, value in localstack.environment.items():
        monkeypatch.setenv(name, value)
    return localstack


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the end of LocalStack's log to the report of a failure."""
    report = yield
    cloud = item.funcargs.get("localstack") if isinstance(item, pytest.Function) else None
    if report.failed and isinstance(cloud, Localstack):
        report.sections.append(("LocalStack's log", cloud.log_tail()))
    return report
