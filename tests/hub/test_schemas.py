import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from hub.document import SCHEMA_VERSION, Part
from hub.findings import AffectedPackage, Finding
from hub.manifest import Manifest, ManifestFunction, ManifestProfile, StoredFile
from hub.notify import document
from hub.packages import Package
from hub.results import Results
from tests.hub.samples import PREFIX, PROFILE, SCAN_ID, SNAPSHOT, STORED, scanned
from tests.hub.schemas import closed, published
from tests.hub.test_notify import FOUND
from worker.memory.objects import MemoryObjects

NAMES = ["finding", "package", "manifest", "sweep"]


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_schema_with_an_id_of_its_version(name: str) -> None:
    schema = published(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:scanhub:schema:{name}:{SCHEMA_VERSION}"
    assert schema["properties"]["schemaVersion"]["const"] == SCHEMA_VERSION


def fields(value: object) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        here = list(value.get("properties", {}).items())
        return here + [pair for inner in value.values() for pair in fields(inner)]
    if isinstance(value, list):
        return [pair for inner in value for pair in fields(inner)]
    return []


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_described(name: str) -> None:
    schema = published(name)
    assert schema["title"]
    assert schema["description"]
    assert [field for field, described in fields(schema) if not described.get("description")] == []


@pytest.mark.parametrize(
    ("model", "path", "name"),
    [
        (Finding, (), "finding"),
        (AffectedPackage, ("properties", "package", "anyOf", 1), "finding"),
        (Package, (), "package"),
        (Manifest, (), "manifest"),
        (ManifestFunction, ("properties", "function"), "manifest"),
        (ManifestProfile, ("properties", "profile"), "manifest"),
        (StoredFile, ("properties", "files", "items"), "manifest"),
    ],
)
def test_the_published_fields_are_those_that_are_written(
    model: type[Part], path: tuple[str | int, ...], name: str
) -> None:
    schema: Any = published(name)
    for step in path:
        schema = schema[step]
    written = {field.alias for field in model.model_fields.values()}
    assert set(schema["properties"]) == set(schema["required"]) == written


def test_readers_of_this_version_take_fields_of_a_later_one() -> None:
    document = Package(name="requests").model_dump(mode="json") | {"later": 1}
    Draft202012Validator(published("package")).validate(document)
    with pytest.raises(ValidationError):
        Draft202012Validator(closed("package")).validate(document)


async def test_a_published_versions_result_fits_them_too() -> None:
    objects = MemoryObjects()
    version = replace(SNAPSHOT, arn=replace(SNAPSHOT.arn, qualifier="7"))
    await Results(objects, now=lambda: STORED).store(
        snapshot=version, profile=PROFILE, scan_id=SCAN_ID, scanned=scanned(), ttl=timedelta(days=30)
    )
    stored = {key.rpartition("/")[2]: one.data for key, one in objects.stored.items()}
    manifest = json.loads(stored["manifest.json"])
    Draft202012Validator(closed("manifest")).validate(manifest)
    assert manifest["function"]["arn"].endswith(":7")
    for line in stored["findings.jsonl"].splitlines():
        Draft202012Validator(closed("finding")).validate(json.loads(line))
        assert json.loads(line)["functionArn"].endswith(":7")


def examples() -> list[dict[str, Any]]:
    text = (Path(__file__).parents[2] / "docs" / "storage.md").read_text("utf-8")
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]


async def test_the_examples_of_the_reference_are_what_is_written() -> None:
    objects = MemoryObjects()
    await Results(objects, now=lambda: STORED).store(
        snapshot=SNAPSHOT, profile=PROFILE, scan_id=SCAN_ID, scanned=scanned(), ttl=timedelta(days=30)
    )
    written = [
        json.loads(line)
        for name in ("findings.jsonl", "packages.jsonl")
        for line in objects.stored[PREFIX + name].data.splitlines()
    ]
    # Those of a sweep and of a drop are held by their own tests.
    manifest, vulnerability, secret, package, _, _, notification = examples()
    assert manifest == json.loads(objects.stored[f"{PREFIX}manifest.json"].data)
    assert [vulnerability["kind"], secret["kind"]] == ["vulnerability", "secret"]
    for example in (vulnerability, secret, package):
        assert example in written
    assert notification == document(FOUND)
