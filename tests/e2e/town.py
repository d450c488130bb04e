"""Three spokes, two regions and a few hundred functions of an organization, on the embedded cloud."""

import asyncio
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from moto.core.responses import BaseResponse
from typer.testing import CliRunner, Result

from hub import logs
from hub.redaction import Redactor
from hub.settings import load
from infra.local.cloud import EmbeddedCloud
from infra.local.crowd import Member, publish_crowd, spread
from infra.local.deployment import Deployment, deploy
from infra.local.organization import LocalOrganization, set_up
from scanhub.command_line import app
from scanhub.wiring import open_hub
from tests.conftest import forget_aws
from tests.e2e import quick_worker

NUMBER = 240
LARGE = 12
"""Functions more in one place, so that its list has two pages."""
BY_TAG = ("service-000", "service-001", "service-002")
"""Functions that carry the excluding tag."""
BY_NAME = ("canary-1", "canary-2")
"""Functions that the settings exclude."""
WITH_VERSION = "service-004"
PAYMENTS = ("service-010", "service-011", "service-016")
"""Functions with the tag `team=payments`; others are of other teams."""


@dataclass(frozen=True)
class Called:
    """One call that reached the cloud."""

    service: str
    operation: str


@dataclass(frozen=True, kw_only=True)
class Town:
    """What there is.

    Attributes:
        deployment: Hub and spokes.
        organization: To which they belong.
        members: Every function, by ARN.
        environment: Of every command.
        calls: What has reached the cloud so far.
    """

    deployment: Deployment
    organization: LocalOrganization
    members: Mapping[str, Member]
    environment: Mapping[str, str]
    calls: list[Called]

    def arn(self, name: str) -> str:
        """The only function of this name."""
        [arn] = [arn for arn, member in self.members.items() if member.name == name]
        return arn

    def arns(self, *, account: str = "", region: str = "") -> set[str]:
        """The functions there."""
        return {arn for arn in self.members if account in arn.split(":")[4] and region in arn.split(":")[3]}

    @contextmanager
    def counted(self) -> Iterator[list[Called]]:
        """The calls that are made meanwhile."""
        begun, told = len(self.calls), list[Called]()
        yield told
        told += self.calls[begun:]


def invoke(*arguments: str, stdin: str | None = None, **environment: str) -> Result:
    """Run a command in this process. What it raises is in `exception`; `app.main` would tell it in a line."""
    result = CliRunner().invoke(app, list(arguments), input=stdin, env={"NO_COLOR": "1", **environment})
    # What is logged goes on to a stream that ended with the command.
    logs.configure("WARNING", stream=io.StringIO(), redactor=Redactor(), terminal=False)
    return result


def document(*arguments: str, code: int = 0, stdin: str | None = None, **environment: str) -> Any:  # noqa: ANN401  # whatever JSON it is
    """What a command prints with `--json`."""
    result = invoke(*arguments, "--json", stdin=stdin, **environment)
    assert result.exit_code == code, (
        f"{result.exit_code}: {result.stderr[-2000:]} {result.exception!r} {result.stdout[:2000]}"
    )
    return json.loads(result.stdout)


@contextmanager
def built(directory: Path, number: int = NUMBER) -> Iterator[Town]:
    """Deploy, set up the organization, publish; nothing has swept or scanned yet."""
    with pytest.MonkeyPatch.context() as monkeypatch, EmbeddedCloud() as cloud:
        forget_aws(monkeypatch)
        calls = counting(monkeypatch)
        deployment = deploy(cloud.endpoint)
        organization = set_up(deployment.accounts)
        members = publish_crowd(deployment, _members(number))
        others = {organization.management_account, organization.hub_account}
        environment = {
            **deployment.settings,
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_REGION": deployment.hub_region,
            "SCANHUB_WORK_DIR": str(directory),
            "SCANHUB_EXCLUDE_FUNCTIONS": "canary-*",
            # There is nothing in them, and no role.
            "SCANHUB_EXCLUDE_ACCOUNTS": ",".join(sorted(others)),
            "SCANHUB_SWEEP_REGIONS": ",".join(deployment.regions),
            "SCANHUB_SWEEP_PER_MINUTE": "0",
            "SCANHUB_MAX_CONCURRENT_SCANS": "16",
            "SCANHUB_ENABLE_TAGGING": "false",
            "SCANHUB_LOG_LEVEL": "WARNING",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        asyncio.run(_note_a_worker())
        yield Town(
            deployment=deployment,
            organization=organization,
            members=members,
            environment=environment,
            calls=calls,
        )


def _members(number: int) -> Sequence[Member]:
    crowd = [replace(one, tags={"team": f"team-{index % 5}"}) for index, one in enumerate(spread(number))]
    for index, one in enumerate(crowd):
        if one.name in BY_TAG:
            crowd[index] = replace(one, tags={"QualysScanExclude": "true"})
        elif one.name in PAYMENTS:
            crowd[index] = replace(one, tags={"team": "payments"})
        elif one.name == WITH_VERSION:
            crowd[index] = replace(one, live=10_000)
    canaries = [Member(name=name, account=index, region=0, code=20_000) for index, name in enumerate(BY_NAME)]
    more = [Member(name=f"batch-{index:02}", account=0, region=1, code=30_000 + index) for index in range(LARGE)]
    return [*crowd, *canaries, *more]


def counting(monkeypatch: pytest.MonkeyPatch) -> list[Called]:
    """The calls that reach the embedded cloud from now on (but for those to S3)."""
    calls: list[Called] = []
    original = BaseResponse.call_action

    def call_action(response: BaseResponse) -> Any:  # noqa: ANN401  # as moto has it
        calls.append(Called(str(response.service_name), str(response._get_action())))
        return original(response)

    monkeypatch.setattr(BaseResponse, "call_action", call_action)
    return calls


async def _note_a_worker() -> None:
    async with open_hub(load(), os.environ) as hub:
        await quick_worker.check_in(hub)
