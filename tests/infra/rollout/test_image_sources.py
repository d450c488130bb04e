import shutil
from pathlib import Path

import pytest

from infra.rollout import image_sources, scanner_binary
from scanhub import __version__
from spoke.errors import HostFault, Misconfigured
from tests.infra.rollout.programs import elf

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one file of each kind that matters."""
    root = tmp_path / "checkout"
    for name, text in {
        "Dockerfile": "FROM scratch\n",
        ".dockerignore": "*\n!pyproject.toml\n!worker\n!qscanner*\n**/__pycache__\n**/*.py[cod]\n**/.env*\n",
        "pyproject.toml": '[project]\nname = "scanhub"\nversion = "7.1.0"\n',
        "worker/service.py": "run()\n",
        "worker/__pycache__/service.pyc": "",
        "worker/old.pyc": "",
        "worker/.env.local": "SCANHUB_EXTERNAL_ID=not for an image",
        "qscanner-old": "another binary",
        "notes.txt": "",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_this_checkout_is_found_and_passes_what_the_dockerfile_copies() -> None:
    found = image_sources.find()
    assert found.root == ROOT
    assert found.version == __version__
    files = {path.as_posix() for path in found.files()}
    assert {"Dockerfile", "pyproject.toml", "requirements/worker.txt", "worker/service.py", "infra/hub.yaml"} <= files
    assert not [name for name in files if "__pycache__" in name or name.startswith(("tests/", ".git/", "docs/"))]


def test_only_what_the_ignore_file_lets_pass_goes_to_the_engine(checkout: Path) -> None:
    files = [path.as_posix() for path in image_sources.find(checkout).files()]
    assert files == [".dockerignore", "Dockerfile", "pyproject.toml", "worker/service.py"]


def test_the_folder_for_the_engine_holds_sources_and_binary_and_is_gone_afterwards(
    checkout: Path, tmp_path: Path
) -> None:
    binary = scanner_binary.read(elf(tmp_path / "downloaded-qscanner-4.9"))
    with image_sources.find(checkout).assembled(binary) as folder:
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        assert files == [".dockerignore", "Dockerfile", "pyproject.toml", "qscanner", "worker/service.py"]
        assert (folder / "qscanner").read_bytes() == binary.path.read_bytes()
    assert not folder.exists()
    assert not (checkout / "qscanner").exists()


def test_the_same_sources_have_the_same_digest_wherever_they_lie(checkout: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(checkout, elsewhere)
    (elsewhere / "worker" / "__pycache__" / "other.pyc").write_text("of another interpreter")
    (elsewhere / "notes.txt").write_text("changed")
    assert image_sources.find(elsewhere).digest() == image_sources.find(checkout).digest()


@pytest.mark.parametrize(
    ("name", "text"), [("worker/service.py", "stop()\n"), ("worker/new.py", ""), ("Dockerfile", "FROM x\n")]
)
def test_other_sources_have_another_digest(checkout: Path, name: str, text: str) -> None:
    before = image_sources.find(checkout).digest()
    (checkout / name).write_text(text)
    assert image_sources.find(checkout).digest() != before


def test_a_renamed_file_makes_another_digest(checkout: Path) -> None:
    before = image_sources.find(checkout).digest()
    (checkout / "worker" / "service.py").rename(checkout / "worker" / "services.py")
    assert image_sources.find(checkout).digest() != before


def test_an_installed_package_says_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        image_sources, "__file__", str(tmp_path / "site-packages" / "infra" / "rollout" / "image_sources.py")
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misconfigured, match="clone the repository, and name it by --source") as caught:
        image_sources.find()
    assert "\n" not in caught.value.text


def test_another_project_is_no_checkout(checkout: Path) -> None:
    (checkout / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "1"\n')
    with pytest.raises(Misconfigured, match="checkout of scanhub"):
        image_sources.find(checkout)


def test_a_file_that_vanishes_meanwhile_is_a_fault_of_the_machine(checkout: Path, tmp_path: Path) -> None:
    binary = scanner_binary.read(elf(tmp_path / "qscanner"))
    binary.path.unlink()
    with pytest.raises(HostFault, match="cannot be laid out"), image_sources.find(checkout).assembled(binary):
        pytest.fail("there is nothing to build")
