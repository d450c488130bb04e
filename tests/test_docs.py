"""What the documents say is held to what is there."""

import re
from pathlib import Path

import pytest

from hub.coverage import CoverageState
from hub.metric_table import Metric
from hub.settings import PREFIX, Settings
from spoke import errors
from spoke.changes import IgnoredReason
from spoke.envelope import MalformedReason
from worker.tries import word

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:)([^)#\s]+)[^)]*\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    missing = [target for target in LINK.findall(document.read_text()) if not (document.parent / target).exists()]
    assert not missing


def test_every_document_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in seen or document.suffix != ".md":
            continue
        seen.add(document)
        waiting += [(document.parent / target).resolve() for target in LINK.findall(document.read_text())]
    assert {path for path in DOCUMENTS if path.parent.name == "docs"} <= seen


def test_the_settings_reference_names_every_setting_with_its_default() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    rows = dict(re.findall(r"^\| `SCANHUB_(\w+)` \| (.*) \|$", text, re.MULTILINE))
    assert set(rows) == {name.upper() for name in Settings.model_fields}, f"a setting is missing ({PREFIX}...)"
    for name, field in Settings.model_fields.items():
        default, _, description = rows[name.upper()].partition(" | ")
        assert description.startswith(field.description or "?"), name
        if field.is_required():
            assert default == "required", name
        elif field.default_factory is None and field.default not in {None, ()}:
            assert default == f"`{_shown(field.default)}`", name


UNCOUNTED = {"account_paused", "account_busy", "lease_held", "code_changed"}
"""No message is parked for these."""


def test_operate_names_every_metric_every_state_and_every_word_of_a_parked_message() -> None:
    text = (ROOT / "docs" / "operate.md").read_text()
    words = {metric.label for metric in Metric} | set(CoverageState) | set(MalformedReason) | set(IgnoredReason)
    words |= {"account_mismatch", "region_mismatch", "effects_owed"}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ScanhubError)]
    # `word` looks at the class alone; some need more to be made.
    words |= {word(kind.__new__(kind)) for kind in kinds if kind is not errors.ScanhubError} - UNCOUNTED
    assert {one for one in words if f"`{one}`" not in text} == set()


def test_every_test_that_the_documents_name_exists() -> None:
    code = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    named = {name for document in DOCUMENTS for name in re.findall(r"`(test_[a-z0-9_]{12,})`", document.read_text())}
    assert named, "reliability.md names the tests behind each promise"
    assert {name for name in named if f"def {name}(" not in code and f"{name}.py" not in code} == set()


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return str(value)
