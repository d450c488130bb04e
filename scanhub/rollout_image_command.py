"""`scanhub rollout image`: build the worker's image, and push it to ECR in the hub's account."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from infra.rollout import image_sources, scanner_binary
from infra.rollout.container_engine import ContainerEngine, Name
from infra.rollout.image import ImageOrder, publish
from infra.rollout.scanner_binary import Architecture
from infra.rollout.worker_image import REPOSITORY
from scanhub import rollout_options, terminal
from scanhub.aws_options import DryRun, Yes, listed
from scanhub.option_groups import taking
from scanhub.rollout_operator import TerminalOperator
from scanhub.rollout_options import SiteFinder
from scanhub.rollout_run import INTERRUPTED


@taking(site=rollout_options.site)
def image(  # noqa: PLR0913  # each is an option of the command
    *,
    qscanner: Annotated[Path, typer.Option(metavar="FILE", help="The licensed scanner for Linux, unpacked.")],
    sha256: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="Its SHA-256, from where it was downloaded; without it you are asked."),
    ] = None,
    architecture: Annotated[
        Architecture | None, typer.Option(help="Fail unless the scanner is for this one; by default the scanner's own.")
    ] = None,
    tag: Annotated[
        str | None,
        typer.Option(help="By default the version and a hash of all that goes in: the same input, the same tag."),
    ] = None,
    repository: Annotated[str, typer.Option(metavar="NAME", help="The ECR repository.")] = REPOSITORY,
    replicate_to: Annotated[
        list[str] | None, typer.Option("--replicate-to", metavar="REGION,...", help="Further regions to hold it.")
    ] = None,
    share_with: Annotated[
        list[str] | None, typer.Option("--share-with", metavar="ID,...", help="Further accounts that may pull it.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="IMAGE", help="The image to build on, instead of the Dockerfile's.")
    ] = None,
    index: Annotated[
        str | None, typer.Option(metavar="URL", help="A mirror of the package index; without a password in it.")
    ] = None,
    engine: Annotated[Name | None, typer.Option(help="By default the first that is on the PATH.")] = None,
    source: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The checkout to build from; by default this one.")
    ] = None,
    site: SiteFinder,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Build the worker's image from a local qscanner, push it to ECR, and print it by its digest."""
    binary = scanner_binary.read(qscanner, sha256=sha256, architecture=architecture)
    order = ImageOrder(
        binary=binary,
        sources=image_sources.find(source),
        repository=repository,
        tag=tag,
        base=base,
        index=index,
        replicate_to=listed(replicate_to),
        share_with=listed(share_with),
        is_checked=sha256 is not None,
    )
    # The image alone goes to the standard output, for a script to take.
    console = terminal.console(stderr=True)
    with TerminalOperator(assume_yes=yes, dry_run=dry_run, console=console) as operator:
        try:
            there = site()
            find_engine = partial(ContainerEngine.find, operator.tell, engine)
            published = publish(there, order, find_engine, operator, dry_run=dry_run)
        except KeyboardInterrupt:
            operator.warn("interrupted: nothing half done is left in ECR, and the same command goes on from there")
            raise typer.Exit(INTERRUPTED) from None
    if published:
        sys.stdout.write(f"{published}\n")
