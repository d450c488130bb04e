"""What the documents say is held to what is there."""

import re
from pathlib import Path

import pytest

from hub.settings import PREFIX, Settings

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


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return str(value)
