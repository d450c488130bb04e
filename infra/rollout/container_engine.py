"""Docker, or what answers to the same commands: builds an image and pushes it, and leaves no credential behind."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self, get_args

from infra.rollout.image_repository import Credentials
from spoke.errors import HostFault, Misconfigured, Unavailable

Name = Literal["docker", "podman", "finch", "nerdctl"]
"""Those that are known to take the same commands, in the order in which they are looked for."""

_CREDENTIALS = {"auths", "credsStore", "credHelpers", "identitytoken"}
"""What of the operator's own engine configuration is left out."""


class ContainerEngine:
    """An engine's command line.

    Args:
        program: Its path.
        tell: Takes each line of its output.
        environ: What it is given, beside what this class sets.
    """

    def __init__(self, program: Path, tell: Callable[[str], None], environ: Mapping[str, str] | None = None) -> None:
        self._program = program
        self._tell = tell
        self._environ = {**(os.environ if environ is None else environ), **_PLAIN}

    @classmethod
    def find(cls, tell: Callable[[str], None], name: Name | None = None) -> Self:
        """The engine on the PATH.

        Args:
            tell: See the class.
            name: None takes the first that is there.

        Raises:
            Misconfigured: There is none, or it does not answer.
        """
        candidates = (name,) if name else get_args(Name)
        for candidate in candidates:
            if path := shutil.which(candidate):
                engine = cls(Path(path), tell)
                engine.check()
                return engine
        raise Misconfigured(
            f"no container engine was found on the PATH ({', '.join(candidates)}): install one, or run this command "
            "where one is; the image cannot be built without"
        )

    @property
    def name(self) -> str:
        """Such as `docker`."""
        return self._program.name

    def check(self) -> None:
        """Ask whether it works.

        Raises:
            Misconfigured: It does not answer; with its reason.
        """
        # "info" asks the engine behind the command; "--version" would be answered by the command alone.
        done = self._ask(["info"], self._environ)
        if done.returncode:
            reason = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it gives no reason")
            raise Misconfigured(f"{self.name} does not work here: {reason.strip()}")

    def build(self, folder: Path, *, image: str, platform: str, arguments: Mapping[str, str]) -> None:
        """Build the Dockerfile's last stage.

        Args:
            folder: The build context.
            image: Name and tag.
            platform: Such as `linux/amd64`.
            arguments: The build arguments; no secret among them.

        Raises:
            HostFault: The build failed.
        """
        given = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        command = ["build", "--platform", platform, "--tag", image, *given, str(folder)]
        if code := self._run(command, self._environ):
            raise HostFault(f"{self.name} could not build the image (it ended with {code}); its reason stands above")

    @contextmanager
    def signed_in(self, registry: str, credentials: Credentials) -> Iterator["SignedIn"]:
        """Sign in to a registry, with a configuration of our own that is gone afterwards.

        Args:
            registry: A host name.
            credentials: They go to the engine's standard input: never to its arguments or environment.

        Raises:
            Misconfigured: The registry refuses them, or the engine cannot reach it.
        """
        with tempfile.TemporaryDirectory(prefix="scanhub-registry-") as name:
            environ = {**self._environ, **_own_configuration(Path(name), self._environ)}
            password = credentials.password.get_secret_value()
            login = ["login", "--username", credentials.user, "--password-stdin", registry]
            done = self._ask(login, environ, stdin=password)
            if done.returncode:
                reason = done.stderr.replace(password, "***").strip().splitlines() or ["no reason given"]
                raise Misconfigured(f"{self.name} could not sign in to {registry}: {reason[-1]}")
            try:
                yield SignedIn(self, environ)
            finally:
                # The folder goes in any case; an engine with a keeper of its own is told as well.
                self._ask(["logout", registry], environ)

    def _ask(
        self, command: list[str], environ: Mapping[str, str], *, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  # the engine that the operator has, without a shell
            [str(self._program), *command], env=environ, input=stdin, capture_output=True, text=True, check=False
        )

    def _run(self, command: list[str], environ: Mapping[str, str]) -> int:
        with subprocess.Popen(  # noqa: S603  # the engine that the operator has, without a shell
            [str(self._program), *command],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                self._tell(line.rstrip())
            return process.wait()


class SignedIn:
    """An engine that may push. Made by `ContainerEngine.signed_in`."""

    def __init__(self, engine: ContainerEngine, environ: Mapping[str, str]) -> None:
        self._engine = engine
        self._environ = environ

    def push(self, image: str) -> None:
        """Push an image.

        Raises:
            Unavailable: It failed; pushing again goes on where it stopped.
        """
        if code := self._engine._run(["push", image], self._environ):  # noqa: SLF001  # made by the engine for itself
            raise Unavailable(f"{self._engine.name} could not push {image} (it ended with {code}); run it again")


_PLAIN = {
    # An index of the image and a statement about its build would be pushed: ECR scans, and ECS runs, a plain image.
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    # Podman's own format knows no health check.
    "BUILDAH_FORMAT": "docker",
}


def _own_configuration(folder: Path, environ: Mapping[str, str]) -> Mapping[str, str]:
    """A configuration without credentials: what the operator's says of contexts, proxies and plug-ins stays.

    Without the credential store among them, a password would end in the operator's keychain.
    """
    home = Path(environ.get("HOME", "/"))
    theirs = Path(environ.get("DOCKER_CONFIG", home / ".docker"))
    kept: dict[str, object] = {}
    if (theirs / "config.json").is_file():
        try:
            read = json.loads((theirs / "config.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise Misconfigured(f"{theirs / 'config.json'} cannot be read: {error}") from error
        kept = {key: value for key, value in read.items() if key not in _CREDENTIALS}
    (folder / "config.json").write_text(json.dumps(kept), "utf-8")
    for name in ("contexts", "cli-plugins", "buildx"):
        if (theirs / name).is_dir():
            (folder / name).symlink_to((theirs / name).resolve())
    return {"DOCKER_CONFIG": str(folder), "REGISTRY_AUTH_FILE": str(folder / "auth.json")}
