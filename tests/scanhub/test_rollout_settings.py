import json
import shlex

import pytest
from typer.testing import CliRunner

from hub.settings import Settings
from infra.local.accounts import Accounts
from infra.local.cloud import EmbeddedCloud
from infra.local.deployment import deploy
from scanhub.command_line import app
from spoke.errors import Misconfigured
from tests.conftest import REGION


def test_the_hubs_outputs_are_settings_that_the_other_commands_take(monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedCloud() as cloud:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        none = CliRunner().invoke(app, ["rollout", "settings", "--region", REGION])
        assert isinstance(none.exception, Misconfigured)
        assert "scanhub rollout hub" in none.exception.text

        deployment = deploy(endpoint=cloud.endpoint, hub_region=REGION, spokes=1, regions=(REGION,))
        told = CliRunner().invoke(app, ["rollout", "settings", "--json"], env={"AWS_REGION": REGION})
        variables = json.loads(told.output)
        assert variables == {"AWS_REGION": REGION, **deployment.settings}

        lines = CliRunner().invoke(app, ["rollout", "settings"], env={"AWS_REGION": REGION}).output.splitlines()
        exported = dict(shlex.split(line)[1].split("=", 1) for line in lines)
        assert exported == variables
        for name, value in exported.items():
            monkeypatch.setenv(name, value)
        assert Settings().ledger_table == "scanhub-ledger"  # type: ignore[call-arg]  # from the environment
        assert Accounts(cloud.endpoint, REGION).hub == deployment.hub_account
