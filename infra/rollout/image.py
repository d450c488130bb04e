"""The worker's image: built from the checkout and the licensed binary, pushed to ECR, named by its digest."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from infra.rollout.container_engine import ContainerEngine
from infra.rollout.image_replication import ImageReplication
from infra.rollout.image_repository import ImageRepository, hub_key
from infra.rollout.image_sources import BINARY, ImageSources
from infra.rollout.operator import Operator, confirm
from infra.rollout.scanner_binary import PLATFORMS, ScannerBinary
from infra.rollout.site import Site
from infra.rollout.worker_image import REPOSITORY
from spoke.errors import Misconfigured, Unavailable


class FindEngine(Protocol):
    """Looks for a container engine, as late as possible: an image that is there needs none."""

    def __call__(self) -> ContainerEngine:
        """The engine.

        Raises:
            Misconfigured: There is none.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class ImageOrder:
    """What shall be built, and where it shall go.

    Attributes:
        binary: The licensed scanner.
        sources: The checkout.
        repository: The ECR repository's name.
        tag: None makes one of the version and of everything that goes in, so that the same input has the same tag.
        base: The image to build on; None for the Dockerfile's own.
        index: A mirror of the package index; what is installed is bound by its hash wherever it comes from.
        replicate_to: Further regions.
        share_with: Further accounts that may pull.
        is_checked: Whether somebody vouches for the binary's checksum.
    """

    binary: ScannerBinary
    sources: ImageSources
    repository: str = REPOSITORY
    tag: str | None = None
    base: str | None = None
    index: str | None = None
    replicate_to: Sequence[str] = ()
    share_with: Sequence[str] = ()
    is_checked: bool = False

    def name(self) -> str:
        """The tag."""
        if self.tag:
            return self.tag
        parts = (self.sources.digest(), self.binary.sha256, self.binary.architecture, self.base or "")
        return f"{self.sources.version}-{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:12]}"


def publish(
    site: Site, order: ImageOrder, engine: FindEngine, operator: Operator, *, dry_run: bool = False
) -> str | None:
    """Bring the image to ECR in the hub's account and region, unless it is there.

    Returns:
        The image by its digest, for the parameter `ScannerImageUri`; None for a dry run of one that is not there yet.

    Raises:
        Misconfigured: No engine, or AWS or the registry refuses something.
        Declined: The operator did not agree.
        HostFault: The build failed.
        Throttled, Unavailable: AWS or the registry cannot be asked now.
    """
    if site.region in order.replicate_to:
        raise Misconfigured(f"{site.region} is where the image is pushed to: --replicate-to is for further regions")
    tag = order.name()
    home = ImageRepository(site.hub("ecr"), order.repository)
    digest = home.digest(tag)
    replication = ImageReplication(site.hub("ecr"), order.repository)
    missing = replication.missing(order.replicate_to)
    to_do = _show(site, order, tag, digest, missing, operator)
    if dry_run:
        found = home.find()
        return f"{found['repositoryUri']}@{digest}" if found and digest else None
    _agree(order, digest, operator, is_changed=bool(missing or to_do))
    ready = engine() if digest is None else None

    uri = home.ensure(key_arn=hub_key(site.hub("kms")), share_with=order.share_with)
    for region in order.replicate_to:
        # A repository that replication makes has mutable tags and is scanned by nobody.
        there = ImageRepository(site.hub("ecr", region), order.repository)
        there.ensure(key_arn=hub_key(site.hub("kms", region)), share_with=order.share_with)
    replication.ensure(order.replicate_to)
    if ready is None:
        if missing:
            operator.warn(f"{tag} was pushed before, and is not replicated: push it under another --tag")
        return f"{uri}@{digest}"

    _build_and_push(order, ready, home, uri, tag)
    pushed = home.digest(tag)
    if pushed is None:
        raise Unavailable(f"{uri}:{tag} was pushed, but ECR does not show it yet; run it again")
    return f"{uri}@{pushed}"


def _agree(order: ImageOrder, digest: str | None, operator: Operator, *, is_changed: bool) -> None:
    if digest is None:
        question = "Build and push it?"
        if not order.is_checked:
            question = f"Does Qualys give this checksum for the binary? {question}"
        confirm(operator, question)
    elif is_changed:
        # The registry's replication, or who may pull, changes for an image that is there.
        confirm(operator, "Do it?")


def _build_and_push(order: ImageOrder, engine: ContainerEngine, home: ImageRepository, uri: str, tag: str) -> None:
    image = f"{uri}:{tag}"
    arguments = {"QSCANNER": BINARY, "QSCANNER_SHA256": order.binary.sha256, "VERSION": tag}
    if order.base:
        arguments["BASE"] = order.base
    if order.index:
        arguments["PIP_INDEX_URL"] = order.index
    with order.sources.assembled(order.binary) as folder:
        engine.build(folder, image=image, platform=PLATFORMS[order.binary.architecture], arguments=arguments)
    # Only now: a token lasts twelve hours, and a build needs none.
    with engine.signed_in(uri.partition("/")[0], home.credentials()) as registry:
        registry.push(image)


def _show(
    site: Site, order: ImageOrder, tag: str, digest: str | None, missing: Sequence[str], operator: Operator
) -> list[str]:
    """Tell all that would be done; returned is what would be done to the repository."""
    binary = order.binary
    operator.tell(f"scanner: {binary.path}, {binary.architecture}, {binary.size:,} bytes")
    operator.tell(f"SHA-256: {binary.sha256}" + (" (as given)" if order.is_checked else ""))
    where = f"account {site.hub_account}, {site.region}"
    operator.tell(f"image: {order.repository}:{tag}, {where}; " + ("it is there already" if digest else "to be built"))
    differences = list(ImageRepository(site.hub("ecr"), order.repository).differences(share_with=order.share_with))
    for difference in differences:
        operator.tell(f"to do: {difference}")
    for region in missing:
        operator.tell(f"to do: what is pushed to {order.repository} is replicated to {region}")
    return differences
