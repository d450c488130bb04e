import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from infra.rollout.container_engine import ContainerEngine
from infra.rollout.image_repository import Credentials
from spoke.errors import HostFault, Misconfigured, Unavailable
from tests.infra.rollout.programs import RecordingEngine

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
CREDENTIALS = Credentials(user="AWS", password=SecretStr("the-token-of-ecr"))


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordingEngine:
    made = RecordingEngine(tmp_path / "engine")
    monkeypatch.setenv("PATH", str(made.bin))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    return made


def test_without_an_engine_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match=r"\(docker, podman, finch, nerdctl\): install one") as caught:
        ContainerEngine.find(print)
    assert "\n" not in caught.value.text


def test_an_engine_that_was_named_is_not_replaced_by_another(recording: RecordingEngine) -> None:
    with pytest.raises(Misconfigured, match=r"on the PATH \(podman\)"):
        ContainerEngine.find(print, "podman")
    assert recording.calls == []


def test_another_engine_than_docker_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = RecordingEngine(tmp_path / "engine", "nerdctl")
    monkeypatch.setenv("PATH", str(made.bin))
    assert ContainerEngine.find(print).name == "nerdctl"


def test_an_engine_that_does_not_answer_is_said_with_its_reason(recording: RecordingEngine) -> None:
    recording.fail("info")
    with pytest.raises(Misconfigured, match="docker does not work here: info is refused"):
        ContainerEngine.find(print)


def test_a_build_names_platform_image_and_arguments(recording: RecordingEngine, tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text("FROM scratch")
    told: list[str] = []
    ContainerEngine.find(told.append).build(
        tmp_path / "context",
        image=f"{REGISTRY}/scanhub:1",
        platform="linux/arm64",
        arguments={"QSCANNER": "qscanner", "BASE": "python:3.13"},
    )
    call = recording.call("build")
    assert call["argv"] == [
        *["build", "--platform", "linux/arm64", "--tag", f"{REGISTRY}/scanhub:1"],
        *["--build-arg", "QSCANNER=qscanner", "--build-arg", "BASE=python:3.13", str(tmp_path / "context")],
    ]
    assert call["context"] == ["Dockerfile"]
    assert call["environ"]["BUILDX_NO_DEFAULT_ATTESTATIONS"] == "1"
    assert told == ["build on stdout"]


def test_a_build_that_fails_is_a_fault_of_this_machine(recording: RecordingEngine, tmp_path: Path) -> None:
    recording.fail("build")
    told: list[str] = []
    with pytest.raises(HostFault, match="ended with 3"):
        ContainerEngine.find(told.append).build(tmp_path, image="x:1", platform="linux/amd64", arguments={})
    assert "build is refused:" in told


def test_the_password_goes_to_standard_input_alone_and_nothing_of_it_stays(recording: RecordingEngine) -> None:
    told: list[str] = []
    engine = ContainerEngine.find(told.append)
    with engine.signed_in(REGISTRY, CREDENTIALS):
        pass
    login, logout = recording.call("login"), recording.call("logout")
    assert login["argv"] == ["login", "--username", "AWS", "--password-stdin", REGISTRY]
    assert login["stdin"] == "the-token-of-ecr"
    assert logout["argv"] == ["logout", REGISTRY]
    for call in recording.calls:
        assert "the-token-of-ecr" not in json.dumps([call["argv"], call["environ"]])
    assert "the-token-of-ecr" not in "".join(told)
    assert not Path(login["environ"]["DOCKER_CONFIG"]).exists()
    assert Path(login["environ"]["REGISTRY_AUTH_FILE"]).parent == Path(login["environ"]["DOCKER_CONFIG"])


def test_the_push_uses_the_sign_in_and_the_build_does_not(recording: RecordingEngine, tmp_path: Path) -> None:
    recording.fail("push")
    engine = ContainerEngine.find(print)
    engine.build(tmp_path, image="x:1", platform="linux/amd64", arguments={})
    with pytest.raises(Unavailable, match="could not push x:1"), engine.signed_in(REGISTRY, CREDENTIALS) as registry:
        registry.push("x:1")
    assert "DOCKER_CONFIG" not in recording.call("build")["environ"]
    push = recording.call("push")
    assert push["config"] == {"auths": {REGISTRY: {"auth": "kept"}}}
    # After a failure too.
    assert recording.call("logout")
    assert not Path(push["environ"]["DOCKER_CONFIG"]).exists()


def test_a_refused_sign_in_is_said_without_the_password(recording: RecordingEngine) -> None:
    recording.fail("login")
    engine = ContainerEngine.find(print)
    with (
        pytest.raises(Misconfigured, match=r"could not sign in to .*: login is refused: \*\*\*$") as caught,
        engine.signed_in(REGISTRY, CREDENTIALS),
    ):
        pytest.fail("it is not signed in")
    assert "the-token-of-ecr" not in str(caught.value)


def test_the_operators_contexts_and_proxies_stay_and_their_credentials_are_left_out(
    recording: RecordingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    (own / "contexts" / "meta").mkdir(parents=True)
    (own / "cli-plugins").mkdir()
    (own / "config.json").write_text(
        json.dumps(
            {
                "auths": {"registry.example.com": {"auth": "secret"}},
                "credsStore": "desktop",
                "credHelpers": {"x": "y"},
                "currentContext": "colima",
                "proxies": {"default": {"httpsProxy": "http://proxy.example.com:3128"}},
            }
        )
    )
    monkeypatch.setenv("DOCKER_CONFIG", str(own))
    with ContainerEngine.find(print).signed_in(REGISTRY, CREDENTIALS):
        pass
    login = recording.call("login")
    assert set(login["config"]) == {"currentContext", "proxies"}
    assert login["linked"] == ["cli-plugins", "contexts"]
    assert json.loads((own / "config.json").read_text())["credsStore"] == "desktop"
    assert (own / "contexts" / "meta").is_dir()


def test_a_configuration_that_cannot_be_read_is_said(recording: RecordingEngine, tmp_path: Path) -> None:
    config = tmp_path / "home" / ".docker" / "config.json"
    config.parent.mkdir(parents=True)
    config.write_text("{")
    engine = ContainerEngine.find(print)
    with pytest.raises(Misconfigured, match=r"config\.json cannot be read"), engine.signed_in(REGISTRY, CREDENTIALS):
        pytest.fail("it is not signed in")
    assert [call["argv"][0] for call in recording.calls] == ["info"]
