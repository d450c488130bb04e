import pytest

from infra.local.qscanner.inventory import Ecosystem, Found
from infra.local.qscanner.python_packages import PythonPackages

METADATA = b"Metadata-Version: 2.1\nName: PyYAML\nVersion: 5.1\nSummary: YAML parser\n\nName: not-this\nVersion: 9\n"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("PyYAML-5.1.dist-info/METADATA", True),
        ("python/lib/python3.12/site-packages/PyYAML-5.1.dist-info/METADATA", True),
        ("PyYAML-5.1-py3.6.egg-info/PKG-INFO", True),
        ("PyYAML-5.1-py3.6.egg-info", True),
        ("lib/x.egg/EGG-INFO/PKG-INFO", True),
        ("requirements.txt", False),
        ("PyYAML-5.1.dist-info/RECORD", False),
        ("PyYAML-5.1.dist-info/licenses/METADATA", False),
        (".dist-info/METADATA", False),
        ("METADATA", False),
        ("PKG-INFO", False),
    ],
)
def test_wants_what_installers_leave(path: str, wanted: bool) -> None:
    assert PythonPackages().wants(path) is wanted


def test_name_and_version_are_the_headers() -> None:
    detector = PythonPackages()
    detector.file("PyYAML-5.1.dist-info/METADATA", METADATA)
    assert detector.found() == [Found(Ecosystem.PYPI, "PyYAML", "5.1", "PyYAML-5.1.dist-info/METADATA")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"Name: x\n",
        b"\xff\xfe\x00",
        b"Name: x\nVersion: " + b"1" * 300,
        b"Name: a\x1bb\nVersion: 1\n",
        b"Version: 1",
    ],
)
def test_what_is_no_metadata_is_no_package(content: bytes) -> None:
    detector = PythonPackages()
    detector.file("x.egg-info", content)
    assert detector.found() == []
