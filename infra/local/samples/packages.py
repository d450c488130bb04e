"""Installed packages as their installers leave them: the metadata is the real package's, its code is left out."""

import base64
import hashlib
import json
from collections.abc import Mapping

from infra.local.samples.zips import zip_of


def python_package(name: str, version: str, summary: str, licence: str) -> dict[str, str]:
    """The files of `pip install --target . name==version`, without the code."""
    folder = f"{name.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{folder}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\nLicense: {licence}\n"
            f"\n{summary}\n"
        ),
        f"{folder}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: bdist_wheel (0.31.1)\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
        f"{folder}/INSTALLER": "pip\n",
    }
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in files.items()]
    files[f"{folder}/RECORD"] = "\n".join([*record, f"{folder}/RECORD,,"]) + "\n"
    return files


def node_package(name: str, version: str, description: str, *, under: str = "") -> dict[str, str]:
    """The `package.json` that npm leaves of an installed package; `under` is the folder of what needs it."""
    manifest = {"name": name, "version": version, "description": description, "main": "index.js", "license": "MIT"}
    return {f"{under}node_modules/{name}/package.json": json.dumps(manifest, indent=2) + "\n"}


def maven_properties(group: str, artifact: str, version: str) -> dict[str, str]:
    """What Maven's archiver packs into every JAR."""
    properties = f"#Created by Apache Maven 3.6.3\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"
    return {f"META-INF/maven/{group}/{artifact}/pom.properties": properties}


def manifest(**attributes: str) -> dict[str, str]:
    """A JAR's manifest. Underscores in the names stand for dashes."""
    lines = ["Manifest-Version: 1.0", *(f"{name.replace('_', '-')}: {value}" for name, value in attributes.items())]
    return {"META-INF/MANIFEST.MF": "\r\n".join(lines) + "\r\n\r\n"}


def jar(group: str, artifact: str, version: str, title: str, *, inner: Mapping[str, bytes] | None = None) -> bytes:
    """A JAR as Maven builds it, without its classes; `inner` are the JARs that it carries."""
    return zip_of(
        {
            **manifest(Implementation_Title=title, Implementation_Version=version, Implementation_Vendor_Id=group),
            **maven_properties(group, artifact, version),
            **(inner or {}),
        }
    )


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
