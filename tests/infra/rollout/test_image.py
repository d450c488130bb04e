"""`publish` on a cloud, with an engine that writes down what it is asked."""

from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from infra.calls import AwsClient
from infra.organization import Organization
from infra.rollout import image_sources, scanner_binary
from infra.rollout.container_engine import ContainerEngine
from infra.rollout.image import ImageOrder, publish
from infra.rollout.operator import Declined
from infra.rollout.sessions import Sessions
from infra.rollout.site import Site
from infra.rollout.worker_image import newest
from spoke.errors import HostFault, Misconfigured, Unavailable
from tests.conftest import HUB_ACCOUNT, REGION
from tests.infra.rollout.programs import ARM64, RecordingEngine, elf
from tests.infra.rollout.recording import Recording

URI = f"{HUB_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/scanhub"


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordingEngine:
    made = RecordingEngine(tmp_path / "engine")
    monkeypatch.setenv("PATH", str(made.bin))
    return made


@pytest.fixture
def site(moto: str) -> Site:  # noqa: ARG001  # the server must be empty and known first
    organization = Organization(
        id="o-a1b2c3d4e5", management_account="111122223333", account=HUB_ACCOUNT, partition="aws"
    )
    return Site(clients=Sessions(region=REGION), organization=organization, hub_account=HUB_ACCOUNT, region=REGION)


@pytest.fixture
def order(tmp_path: Path) -> ImageOrder:
    return ImageOrder(binary=scanner_binary.read(elf(tmp_path / "qscanner-4.9.0")), sources=image_sources.find())


def find() -> ContainerEngine:
    return ContainerEngine.find(lambda _: None)


def nobody() -> ContainerEngine:
    pytest.fail("no engine is needed for what is there")


def ecr(region: str = REGION) -> AwsClient:
    return boto3.client("ecr", region_name=region)


def test_it_is_built_pushed_and_named_by_its_digest(site: Site, order: ImageOrder, recording: RecordingEngine) -> None:
    operator = Recording()
    published = publish(site, order, find, operator)
    assert published is not None
    uri, digest = published.split("@")
    assert uri == URI
    [image] = ecr().describe_images(repositoryName="scanhub")["imageDetails"]
    assert image["imageDigest"] == digest
    assert image["imageTags"] == [order.name()]
    # What `rollout hub` takes when nobody names an image.
    assert newest(ecr()) == published

    build = recording.call("build")
    assert f"QSCANNER_SHA256={order.binary.sha256}" in build["argv"]
    assert build["argv"][build["argv"].index("--platform") + 1] == "linux/amd64"
    assert {"Dockerfile", "qscanner", "requirements/worker.txt", "worker/service.py"} <= set(build["context"])
    assert recording.call("login")["argv"][-1] == f"{HUB_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
    assert recording.call("push")["argv"] == ["push", f"{URI}:{order.name()}"]
    assert [call["argv"][0] for call in recording.calls] == ["info", "build", "login", "push", "logout"]
    assert operator.questions == ["Does Qualys give this checksum for the binary? Build and push it?"]
    assert f"SHA-256: {order.binary.sha256}" in operator.lines


def test_no_password_is_anywhere_but_on_the_engines_standard_input(
    site: Site, order: ImageOrder, recording: RecordingEngine
) -> None:
    operator = Recording()
    publish(site, order, find, operator)
    password = recording.call("login")["stdin"]
    assert password
    seen = repr([(call["argv"], call["environ"]) for call in recording.calls]) + operator.everything()
    assert password not in seen


def test_the_same_input_is_not_built_again(site: Site, order: ImageOrder, recording: RecordingEngine) -> None:
    first = publish(site, order, find, Recording())
    calls = len(recording.calls)
    operator = Recording(agreeing=False)
    assert publish(site, order, nobody, operator) == first
    assert len(recording.calls) == calls
    assert operator.questions == []
    assert any("it is there already" in line for line in operator.lines)


def test_another_binary_base_or_source_has_another_tag(order: ImageOrder, tmp_path: Path) -> None:
    names = {
        order.name(),
        replace(order, base="python:3.14-slim").name(),
        replace(order, binary=scanner_binary.read(elf(tmp_path / "newer", body=b"newer"))).name(),
        replace(order, sources=replace(order.sources, names=("pyproject.toml",))).name(),
    }
    assert len(names) == 4
    assert all(name.startswith(f"{order.sources.version}-") for name in names)
    # Where the packages come from does not change what is installed: the lock binds it.
    assert replace(order, index="https://mirror.example.com/simple").name() == order.name()
    assert replace(order, tag="release-7").name() == "release-7"


def test_base_index_and_the_binarys_processor_reach_the_build(
    site: Site, order: ImageOrder, recording: RecordingEngine, tmp_path: Path
) -> None:
    arm = scanner_binary.read(elf(tmp_path / "qscanner-arm64", ARM64))
    wanted = replace(order, binary=arm, base="base:1", index="https://mirror.example.com/simple", is_checked=True)
    operator = Recording()
    publish(site, wanted, find, operator)
    argv = recording.call("build")["argv"]
    assert {"BASE=base:1", "PIP_INDEX_URL=https://mirror.example.com/simple"} <= set(argv)
    assert argv[argv.index("--platform") + 1] == "linux/arm64"
    assert operator.questions == ["Build and push it?"]


def test_a_dry_run_changes_nothing_and_needs_no_engine(site: Site, order: ImageOrder) -> None:
    operator = Recording(agreeing=False)
    assert publish(site, replace(order, replicate_to=["eu-west-1"]), nobody, operator, dry_run=True) is None
    assert ecr().describe_repositories()["repositories"] == []
    assert ecr().describe_registry()["replicationConfiguration"]["rules"] == []
    assert [line for line in operator.lines if line.startswith("to do: ")] == [
        "to do: the repository scanhub is made: scan on push, immutable tags, KMS",
        "to do: scanhub drops what has no tag, after 14 days",
        "to do: what is pushed to scanhub is replicated to eu-west-1",
    ]


def test_a_dry_run_names_what_is_there(site: Site, order: ImageOrder, recording: RecordingEngine) -> None:
    published = publish(site, order, find, Recording())
    calls = len(recording.calls)
    assert publish(site, order, nobody, Recording(), dry_run=True) == published
    assert len(recording.calls) == calls


def test_who_does_not_agree_changes_nothing(site: Site, order: ImageOrder, recording: RecordingEngine) -> None:
    with pytest.raises(Declined):
        publish(site, order, find, Recording(agreeing=False))
    assert recording.calls == []
    assert ecr().describe_repositories()["repositories"] == []


def test_without_an_engine_nothing_is_changed(
    site: Site, order: ImageOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match="no container engine was found"):
        publish(site, order, find, Recording())
    assert ecr().describe_repositories()["repositories"] == []


def test_a_build_that_fails_pushes_nothing(site: Site, order: ImageOrder, recording: RecordingEngine) -> None:
    recording.fail("build")
    with pytest.raises(HostFault, match="could not build"):
        publish(site, order, find, Recording())
    assert [call["argv"][0] for call in recording.calls] == ["info", "build"]


def test_a_push_that_ecr_does_not_show_is_said(
    site: Site, order: ImageOrder, recording: RecordingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(self: object, tag: str) -> None:
        """As if ECR had not heard of it."""

    monkeypatch.setattr("infra.rollout.image_repository.ImageRepository.digest", vanish)
    with pytest.raises(Unavailable, match="does not show it yet"):
        publish(site, order, find, Recording())
    assert recording.call("push")


def test_further_regions_have_a_repository_of_the_same_kind_and_a_rule(
    site: Site, order: ImageOrder, recording: RecordingEngine
) -> None:
    publish(site, replace(order, replicate_to=["eu-west-1", "us-east-1"]), find, Recording())
    for region in ("eu-west-1", "us-east-1"):
        [there] = ecr(region).describe_repositories()["repositories"]
        assert there["imageTagMutability"] == "IMMUTABLE"
        assert there["imageScanningConfiguration"] == {"scanOnPush": True}
        assert there["encryptionConfiguration"]["encryptionType"] == "KMS"
    [rule] = ecr().describe_registry()["replicationConfiguration"]["rules"]
    assert [one["region"] for one in rule["destinations"]] == ["eu-west-1", "us-east-1"]
    assert recording.call("push")


def test_an_image_that_was_pushed_before_is_not_replicated_and_that_is_said(
    site: Site, order: ImageOrder, recording: RecordingEngine
) -> None:
    publish(site, order, find, Recording())
    operator = Recording()
    publish(site, replace(order, replicate_to=["eu-west-1"]), nobody, operator)
    [warning] = operator.warnings
    assert "push it under another --tag" in warning
    assert recording.call("push")


def test_what_an_image_that_is_there_would_change_is_agreed_to_first(
    site: Site, order: ImageOrder, recording: RecordingEngine
) -> None:
    publish(site, order, find, Recording())
    calls = len(recording.calls)
    for more in ({"replicate_to": ["eu-west-1"]}, {"share_with": ["210000000001"]}):
        operator = Recording(agreeing=False)
        with pytest.raises(Declined):
            publish(site, replace(order, **more), nobody, operator)  # type: ignore[arg-type]  # fields by name
        assert operator.questions == ["Do it?"]
    assert ecr().describe_registry()["replicationConfiguration"]["rules"] == []
    assert ecr("eu-west-1").describe_repositories()["repositories"] == []
    assert len(recording.calls) == calls


def test_the_hubs_own_region_is_no_further_one(site: Site, order: ImageOrder) -> None:
    with pytest.raises(Misconfigured, match="for further regions"):
        publish(site, replace(order, replicate_to=[REGION]), nobody, Recording())
