"""Java packages, by what a JAR says of itself: Maven's properties, else its manifest, else its file name."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from infra.local.qscanner.inventory import Ecosystem, Found, is_plausible

_PROPERTIES = re.compile(r"(?:^|/)META-INF/maven/[^/]+/[^/]+/pom\.properties$")
_MANIFEST = re.compile(r"(?:^|/)META-INF/MANIFEST\.MF$")
_JAR = re.compile(r"(?:^|/)(?P<stem>[^/]+)\.(?:jar|war|ear)$", re.IGNORECASE)
_VERSIONED = re.compile(r"(?P<name>[A-Za-z0-9._-]+?)-(?P<version>\d[A-Za-z0-9._+-]*)")
_ARTIFACT = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(slots=True)
class _Traces:
    """What one archive says: every Maven artifact packed into it, and its own title and version."""

    artifacts: list[tuple[str, str, str]] = field(default_factory=list)
    title: str = ""
    version: str = ""


class JavaPackages:
    """Reads JARs, WARs and EARs, JARs within them, and several artifacts shaded into one."""

    def __init__(self) -> None:
        self._archives: dict[str, _Traces] = {}

    def wants(self, path: str) -> bool:
        """Whether this is a JAR's manifest or Maven's properties."""
        return _PROPERTIES.search(path) is not None or _MANIFEST.search(path) is not None

    def file(self, path: str, content: bytes) -> None:
        """Keep what the file says of the archive that it lies in."""
        traces = self._archives.setdefault(path.rpartition("!/")[0], _Traces())
        text = content.decode("utf-8", "replace")
        if _PROPERTIES.search(path):
            values = dict(_pairs(text.splitlines(), "="))
            traces.artifacts.append(
                (values.get("groupId", ""), values.get("artifactId", ""), values.get("version", ""))
            )
            return
        # A manifest's lines end after 72 bytes and go on after a blank (JAR File Specification).
        values = dict(_pairs(re.sub(r"\r?\n ", "", text).splitlines(), ":"))
        traces.title = values.get("Implementation-Title", "")
        traces.version = values.get("Implementation-Version", "")

    def archive(self, path: str) -> None:
        """Remember the archive: its name may be all that it tells."""
        self._archives.setdefault(path, _Traces())

    def found(self) -> Sequence[Found]:
        """Every artifact of every archive."""
        found = []
        for path, traces in self._archives.items():
            artifacts = [one for one in traces.artifacts if all(one)] or _of_itself(path, traces)
            for group, artifact, version in artifacts:
                name = f"{group}:{artifact}" if group else artifact
                if is_plausible(name, version):
                    found.append(Found(Ecosystem.MAVEN, name, version, path or "META-INF"))
        return found


def _of_itself(path: str, traces: _Traces) -> list[tuple[str, str, str]]:
    jar = _JAR.search(path)
    if jar is None:
        return []
    if _ARTIFACT.fullmatch(traces.title) and traces.version:
        return [("", traces.title, traces.version)]
    named = _VERSIONED.fullmatch(jar["stem"])
    return [] if named is None else [("", named["name"], named["version"])]


def _pairs(lines: Iterable[str], separator: str) -> Iterable[tuple[str, str]]:
    for line in lines:
        key, found, value = line.partition(separator)
        if found and not line.startswith("#"):
            yield key.strip(), value.strip()
