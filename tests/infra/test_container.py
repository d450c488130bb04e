"""What can be held of the image and the compose files without an engine."""

import hashlib
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from hub.settings import PREFIX, Settings
from scanhub import __version__
from scanhub.app import HEALTH_CHECK as HEALTH_CHECK_ARGUMENTS
from scanhub.command_line import app
from tests.infra.template import template

ROOT = Path(__file__).parents[2]
USER = "10001:10001"
SCRATCH = "/scratch"
PINNED = re.compile(r"[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}")
SETTINGS = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


@dataclass(frozen=True)
class Stage:
    name: str
    base: str
    steps: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        return [text for word, text in self.steps if word == instruction]


def instructions() -> Iterator[tuple[str, str]]:
    text = "\n".join(
        line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")
    )
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, rest = line.split(maxsplit=1)
            yield word.upper(), " ".join(rest.split())


def read_stages() -> dict[str, Stage]:
    found: list[tuple[str, str, list[tuple[str, str]]]] = []
    for word, text in instructions():
        if word == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", text).groups()  # type: ignore[union-attr]  # a FROM without a name fails here
            found.append((name, base, []))
        elif found:
            found[-1][2].append((word, text))
    return {name: Stage(name, base, tuple(steps)) for name, base, steps in found}


STAGES = read_stages()
FINAL = ("worker", "local")


def lineage(name: str) -> list[Stage]:
    """The stage and those that it stands on, the lowest first."""
    stage = STAGES[name]
    return [*(lineage(stage.base) if stage.base in STAGES else []), stage]


def last(name: str, instruction: str) -> str:
    return [text for stage in lineage(name) for text in stage.all(instruction)][-1]


def environment(name: str) -> dict[str, str]:
    text = " ".join(text for stage in lineage(name) for text in stage.all("ENV"))
    return dict(pair.split("=", 1) for pair in text.split())


def sources_of_the_context() -> list[str]:
    copies = [text for stage in STAGES.values() for text in stage.all("COPY") if "--from=" not in text]
    return [source for text in copies for source in text.split()[:-1]]


def compose(*names: str) -> dict[str, Any]:
    """The services, the later files laid over the earlier ones as compose does it, key by key."""
    services: dict[str, Any] = {}
    for name in names:
        for service, keys in yaml.safe_load((ROOT / name).read_text())["services"].items():
            merged = services.setdefault(service, {})
            for key, value in keys.items():
                merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return services


PLAIN = ("docker-compose.yml",)
EMBEDDED = ("docker-compose.yml", "docker-compose.embedded.yml")
OURS = [(PLAIN, "setup"), (PLAIN, "worker"), (EMBEDDED, "cloud"), (EMBEDDED, "setup"), (EMBEDDED, "worker")]


def pinned_base() -> str:
    [default] = [text.removeprefix("BASE=") for word, text in instructions() if word == "ARG" and "BASE=" in text]
    return default


# The image


def test_the_base_is_pinned_by_tag_and_digest() -> None:
    assert PINNED.fullmatch(pinned_base())


def test_every_stage_stands_on_the_pinned_base_or_on_an_earlier_stage() -> None:
    known = ["${BASE}"]
    for stage in STAGES.values():
        assert stage.base in known
        for text in stage.all("COPY"):
            for source in re.findall(r"--from=(\S+)", text):
                assert source in known
        known.append(stage.name)


def test_the_worker_is_what_is_built_when_nothing_is_asked_for() -> None:
    assert list(STAGES)[-1] == "worker"


def test_the_image_for_local_use_can_be_built_without_the_licensed_binary() -> None:
    # The classic builder builds every stage that stands above the target.
    order = list(STAGES)
    assert order.index("local") < order.index("qscanner")


def test_every_copied_file_exists_and_passes_the_ignore_file() -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [source for source in sources_of_the_context() if source != "${QSCANNER}"]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert Path(source).parts[0] in allowed, source
    assert "qscanner*" in allowed


def test_nothing_goes_to_the_engine_unless_it_is_named() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {"**/.env*", "**/*.tfstate*", "**/__pycache__"} <= set(lines)
    assert not any(line.startswith(("!.", "!*", "!**")) for line in lines)


def test_every_package_of_the_wheel_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copied = sources_of_the_context()
    assert {*packages, "pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]} <= set(
        copied
    )


def test_the_classic_builder_understands_it() -> None:
    for _, text in instructions():
        assert not re.search(r"--mount|--chmod|--chown|--link|<<", text), text
    assert not re.search(r"^# *(syntax|escape|check) *=", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", FINAL)
def test_it_runs_as_a_fixed_user_without_rights(name: str) -> None:
    assert last(name, "USER") == USER
    made = " ".join(STAGES["runtime"].all("RUN"))
    assert "groupadd --gid 10001" in made
    assert "useradd --uid 10001 --gid 10001" in made


@pytest.mark.parametrize("name", FINAL)
def test_it_starts_the_worker_and_stops_it_in_good_order(name: str) -> None:
    assert last(name, "ENTRYPOINT") == '["scanhub"]'
    assert last(name, "CMD") == '["worker"]'
    assert last(name, "STOPSIGNAL") == "SIGTERM"


@pytest.mark.parametrize("name", FINAL)
def test_it_writes_nowhere_but_in_its_volume(name: str) -> None:
    environ = environment(name)
    assert environ["PYTHONDONTWRITEBYTECODE"] == "1"
    assert Path(environ["SCANHUB_WORK_DIR"]).is_relative_to(SCRATCH)
    assert environ["TMPDIR"] == last(name, "WORKDIR") == SCRATCH
    assert last(name, "VOLUME") == f'["{SCRATCH}"]'
    assert f"install -d -o 10001 -g 10001 -m 0700 {SCRATCH}" in " ".join(STAGES["runtime"].all("RUN"))
    assert "compileall" in " ".join(STAGES[f"{name}-environment"].all("RUN"))


@pytest.mark.parametrize("name", FINAL)
def test_every_setting_in_it_is_one_that_the_worker_knows(name: str) -> None:
    names = {key for key in environment(name) if key.startswith(PREFIX)}
    assert names
    assert names <= SETTINGS


@pytest.mark.parametrize("name", FINAL)
def test_it_takes_over_nothing_but_the_environment_and_the_binary(name: str) -> None:
    copies = [text for stage in lineage(name) for text in stage.all("COPY")]
    allowed = {
        f"--from={name}-environment /opt/scanhub /opt/scanhub",
        "--from=qscanner /opt/qscanner /opt/qscanner",
    }
    assert set(copies) <= allowed
    assert "tools" not in [stage.name for stage in lineage(name)]


def test_only_the_image_for_local_use_has_the_stand_in() -> None:
    stand_in = "/opt/scanhub/bin/qscanner-stand-in"
    assert environment("local")["SCANHUB_QSCANNER_PATH"] == stand_in
    assert environment("worker")["SCANHUB_QSCANNER_PATH"] == "/opt/qscanner"
    assert f"rm {stand_in}" in " ".join(STAGES["worker-environment"].all("RUN"))
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert Path(stand_in).name in scripts


def test_every_package_is_held_by_its_hash() -> None:
    commands = [
        command for stage in STAGES.values() for text in stage.all("RUN") for command in re.split(r"&&|;|\|\|", text)
    ]
    installs = [command for command in commands if re.search(r"pip\b.* install ", command)]
    assert len(installs) == 5
    for command in installs:
        if "--requirement" in command:
            assert {"--require-hashes", "--only-binary=:all:"} <= set(command.split())
        else:
            assert {"--no-deps", "--no-index", "/dist/*.whl"} <= set(command.split())
    [wheel] = [command for command in commands if re.search(r"pip wheel ", command)]
    assert {"--no-deps", "--no-build-isolation"} <= set(wheel.split())


def test_no_secret_can_be_given_to_the_build() -> None:
    names = [re.split(r"[= ]", text)[0] for word, text in instructions() if word == "ARG"]
    names += [name for stage in STAGES for name in environment(stage)]
    assert "QSCANNER_SHA256" in names
    assert [name for name in names if re.search(r"TOKEN|SECRET|PASSWORD|KEY|EXTERNAL_ID", name)] == []


@pytest.mark.parametrize("name", FINAL)
def test_the_labels_tell_the_version_of_this_tree(name: str) -> None:
    assert f"VERSION={__version__}" in STAGES[name].all("ARG")
    labels = " ".join(STAGES[name].all("LABEL"))
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f'org.opencontainers.image.{label}="' in labels
    assert 'image.version="${VERSION}"' in labels


def test_the_task_definition_mounts_what_the_image_declares() -> None:
    task = template("hub.yaml")["Resources"]["Task"]["Properties"]
    [container] = task["ContainerDefinitions"]
    environ = {pair["Name"]: pair["Value"] for pair in container["Environment"]}
    assert container["User"] == USER
    assert container["ReadonlyRootFilesystem"] is True
    assert [mount["ContainerPath"] for mount in container["MountPoints"]] == [SCRATCH]
    for name in ("SCANHUB_WORK_DIR", "TMPDIR"):
        assert environ[name] == environment("worker")[name]
    # What the image knows best, the task leaves to it.
    assert not {"SCANHUB_QSCANNER_PATH", "SCANHUB_QSCANNER_SHA256"} & set(environ)
    assert {key for key in environ if key.startswith(PREFIX)} <= SETTINGS


# The checksum of the licensed binary: the real commands of the stage, on a file of the test


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    path = tmp_path / "qscanner"
    path.write_bytes(b"\x7fELF not really")
    return path


def check_binary(binary: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    script = "\n".join(STAGES["qscanner"].all("RUN")).replace("/opt/qscanner", str(binary))
    return subprocess.run(
        ["/bin/sh", "-ec", script],
        env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_right_binary_passes_and_cannot_be_written(binary: Path) -> None:
    checked = check_binary(binary, QSCANNER_SHA256=hashlib.sha256(binary.read_bytes()).hexdigest())
    assert checked.returncode == 0, checked.stderr
    assert binary.stat().st_mode & 0o777 == 0o555


@pytest.mark.parametrize(
    "sum_given", [{}, {"QSCANNER_SHA256": ""}, {"QSCANNER_SHA256": "0" * 64}, {"QSCANNER_SHA256": "latest"}]
)
def test_a_missing_or_other_checksum_stops_the_build(binary: Path, sum_given: dict[str, str]) -> None:
    checked = check_binary(binary, **sum_given)
    assert checked.returncode != 0
    if not sum_given.get("QSCANNER_SHA256"):
        assert "--build-arg QSCANNER_SHA256=" in checked.stderr


# Compose


@pytest.mark.parametrize(("files", "name"), OURS)
def test_every_container_of_ours_is_hardened(files: tuple[str, ...], name: str) -> None:
    service = compose(*files)[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["pids_limit"] > 0
    assert service["mem_limit"]
    assert "privileged" not in service
    assert "user" not in service
    assert service["build"]["target"] == "local"
    [mount] = service["tmpfs"]
    assert mount.startswith(f"{SCRATCH}:size=")
    assert mount.endswith(",mode=0700,uid=10001,gid=10001")


@pytest.mark.parametrize("files", [PLAIN, EMBEDDED])
def test_the_worker_starts_when_the_deployment_is_done(files: tuple[str, ...]) -> None:
    services = compose(*files)
    assert set(services) == {"cloud", "setup", "worker"}
    assert services["cloud"]["healthcheck"]["test"][0] == "CMD"
    assert services["setup"]["depends_on"] == {"cloud": {"condition": "service_healthy"}}
    assert services["worker"]["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}
    [written] = services["setup"]["volumes"]
    assert services["worker"]["volumes"] == [f"{written}:ro"]
    mount = written.split(":")[1]
    assert f"install -d -o 10001 -g 10001 -m 0700 {mount}" in " ".join(STAGES["local"].all("RUN"))
    assert f"{mount}/worker.env" in services["setup"]["command"][0]
    assert services["worker"]["command"] == [f". {mount}/worker.env; exec scanhub worker"]


HEALTH_CHECK = ["CMD", "scanhub", "worker", "--check"]
PACE = {"interval": 30, "timeout": 10, "retries": 3, "start_period": 120}
"""Seconds and a count, the same wherever a worker runs: a stuck one is replaced within three minutes."""


def seconds(text: str) -> int:
    return int(re.fullmatch(r"(\d+)s", text)[1])  # type: ignore[index]  # another form of time fails here


def test_the_task_definition_the_compose_file_and_the_image_ask_the_worker_in_one_way() -> None:
    task = template("hub.yaml")["Resources"]["Task"]["Properties"]
    on_ecs = dict(task["ContainerDefinitions"][0]["HealthCheck"])
    assert on_ecs.pop("Command") == HEALTH_CHECK
    assert on_ecs == {"Interval": 30, "Timeout": 10, "Retries": 3, "StartPeriod": 120}
    composed = dict(compose(*PLAIN)["worker"]["healthcheck"])
    assert composed.pop("test") == HEALTH_CHECK
    assert composed.pop("retries") == PACE["retries"]
    assert {name: seconds(text) for name, text in composed.items()} == {
        name: value for name, value in PACE.items() if name != "retries"
    }
    options, command = last("worker", "HEALTHCHECK").split(" CMD ")
    assert json.loads(command) == HEALTH_CHECK[1:]
    given = dict(option.removeprefix("--").split("=") for option in options.split())
    assert int(given.pop("retries")) == PACE["retries"]
    assert {name.replace("-", "_"): seconds(text) for name, text in given.items()} == {
        name: value for name, value in PACE.items() if name != "retries"
    }


def test_an_image_that_also_serves_the_cloud_is_not_asked_for_a_worker() -> None:
    assert [stage.name for stage in STAGES.values() if stage.all("HEALTHCHECK")] == ["worker"]


def test_the_health_check_is_the_one_that_is_answered_without_the_command_line() -> None:
    assert HEALTH_CHECK[2:] == HEALTH_CHECK_ARGUMENTS
    assert last("worker", "ENTRYPOINT") == json.dumps(HEALTH_CHECK[1:2])


def test_images_token_and_base_are_variables() -> None:
    cloud = compose(*PLAIN)["cloud"]
    assert cloud["image"] == "${LOCALSTACK_IMAGE:-localstack/localstack:4.14.0}"
    assert cloud["environment"]["LOCALSTACK_AUTH_TOKEN"] == "${LOCALSTACK_AUTH_TOKEN:-}"
    for files, name in OURS:
        service = compose(*files)[name]
        assert service["image"] == "${SCANHUB_IMAGE:-scanhub:local}"
        assert service["build"]["args"] == {"BASE": f"${{BASE:-{pinned_base()}}}"}


@pytest.mark.parametrize("files", [PLAIN, EMBEDDED])
def test_the_cloud_is_reached_by_its_name_and_only_from_this_machine(files: tuple[str, ...]) -> None:
    services = compose(*files)
    for name in ("setup", "worker"):
        assert services[name]["environment"]["AWS_ENDPOINT_URL"] == "http://cloud:4566"
        assert "ports" not in services[name]
    [port] = services["cloud"]["ports"]
    assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize(("files", "name"), OURS)
def test_compose_gives_only_settings_that_the_worker_knows(files: tuple[str, ...], name: str) -> None:
    environ = compose(*files)[name].get("environment", {})
    assert {key for key in environ if key.startswith(PREFIX)} <= SETTINGS
    assert all(isinstance(value, str) for value in environ.values()), "YAML read a number or a truth value"


@pytest.mark.parametrize(("files", "name"), OURS)
def test_compose_uses_only_commands_and_options_that_there_are(files: tuple[str, ...], name: str) -> None:
    service = compose(*files)[name]
    line = " ".join(service["command"])
    if "entrypoint" in service:
        [line] = re.findall(r"\bscanhub ([^;>]+)", line)
    words = line.split(" --", maxsplit=1)[0].split()
    command = get_command(app)
    for word in words:
        assert isinstance(command, TyperGroup)
        command = command.commands[word]
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", line)) <= options


# What older and newer compose both read: 1.29 refuses some of these keys, v2 warns of or ignores the others.


@pytest.mark.parametrize("name", EMBEDDED)
def test_both_generations_of_compose_read_the_file(name: str) -> None:
    document = yaml.safe_load((ROOT / name).read_text())
    assert {key for key in document if not key.startswith("x-")} <= {"services", "volumes"}
    newer = {"annotations", "attach", "develop", "models", "post_start", "pre_stop", "provider", "uts"}
    for service in document["services"].values():
        assert not newer & set(service)
        for condition in service.get("depends_on", {}).values():
            assert set(condition) == {"condition"}
        assert "start_interval" not in service.get("healthcheck", {})


# The script that makes a base


def test_the_script_for_a_base_is_sound_and_says_how_it_is_used() -> None:
    script = ROOT / "infra" / "local" / "container" / "make-base.sh"
    subprocess.run(["/bin/sh", "-n", str(script)], check=True)
    told = subprocess.run([str(script)], capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "usage:" in told.stderr
