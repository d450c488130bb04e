"""Programs for the tests: ELF files of a header alone, and a container engine that writes down what it is asked."""

import json
import shlex
import struct
import sys
from pathlib import Path
from typing import Any

X86_64, ARM64, S390X = 0x3E, 0xB7, 0x16

_ENGINE = """
import json, os, pathlib, sys

here = pathlib.Path({folder!r})
command = sys.argv[1]
config = os.environ.get("DOCKER_CONFIG", "")
seen = {{
    "argv": sys.argv[1:],
    "stdin": sys.stdin.read() if command == "login" else "",
    "environ": dict(os.environ),
    "config": json.loads(pathlib.Path(config, "config.json").read_text()) if config else None,
    "linked": sorted(path.name for path in pathlib.Path(config).iterdir() if path.is_symlink()) if config else [],
}}
if command == "build":
    context = pathlib.Path(sys.argv[-1])
    seen["context"] = sorted(str(path.relative_to(context)) for path in context.rglob("*") if path.is_file())
if command == "login":
    pathlib.Path(config, "config.json").write_text(json.dumps({{"auths": {{sys.argv[-1]: {{"auth": "kept"}}}}}}))
with (here / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps(seen) + "\\n")
print(command, "on stdout")
failing = here / "failing"
if failing.exists() and command in failing.read_text().split():
    print(f"{{command}} is refused: " + seen["stdin"], file=sys.stderr)
    sys.exit(3)
if command == "push":
    import boto3

    uri, _, tag = sys.argv[2].rpartition(":")
    media = "application/vnd.docker.distribution.manifest.v2+json"
    config = {{"digest": "sha256:" + "c" * 64, "size": 1}}
    manifest = {{"schemaVersion": 2, "mediaType": media, "config": config, "layers": []}}
    repository = uri.partition("/")[2]
    boto3.client("ecr").put_image(repositoryName=repository, imageTag=tag, imageManifest=json.dumps(manifest))
"""


def elf(path: Path, machine: int = X86_64, *, bits: int = 2, order: int = 1, body: bytes = b"the scanner") -> Path:
    """A file that begins as a Linux program does."""
    path.write_bytes(b"\x7fELF" + bytes((bits, order, 1)) + bytes(9) + struct.pack("<HH", 2, machine) + body)
    return path


class RecordingEngine:
    """A program on the PATH that takes the commands of a container engine."""

    def __init__(self, folder: Path, name: str = "docker") -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        self.program = self.bin / name
        script = folder / "engine.py"
        script.write_text(_ENGINE.format(folder=str(folder)))
        # Not the interpreter in the first line: a path there may hold no space.
        self.program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(script))} "$@"\n')
        self.program.chmod(0o755)

    def fail(self, *commands: str) -> None:
        """From now on these commands end with 3."""
        (self.folder / "failing").write_text(" ".join(commands))

    @property
    def calls(self) -> list[dict[str, Any]]:
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def call(self, command: str) -> dict[str, Any]:
        [call] = [call for call in self.calls if call["argv"][0] == command]
        return call
