"""Which regions are watched, and in which one the spokes' roles are made."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.calls import calling
from infra.rollout.site import Site
from spoke.errors import Misconfigured

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class Regions:
    """The regions of the spokes.

    Attributes:
        primary: Where the roles are made: IAM is global, and one role cannot belong to two stacks.
        others: All other ones, in order.
    """

    primary: str
    others: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every one, the primary first."""
        return (self.primary, *self.others)


def choose(
    site: Site, asked: Sequence[str], *, primary: str | None, existing: Sequence[str], existing_primary: str | None
) -> Regions:
    """The regions that a rollout shall reach.

    Args:
        site: Where the hub is.
        asked: As the operator named them; `all` for every region enabled by default; none for those that are there
            already or, if there are none, the hub's own.
        primary: As the operator named it.
        existing: Those of spokes that are there already.
        existing_primary: Their primary one.

    Raises:
        Misconfigured: AWS does not know one, or the primary one is not among them.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    names = list(dict.fromkeys(asked)) or list(existing) or [primary or site.region]
    if asked:
        enabled = _enabled(site)
        everywhere = [name for name, opted in enabled.items() if opted == "opt-in-not-required"]
        # A region with opt-in may stand beside `all`.
        names = list(dict.fromkeys(one for name in names for one in (everywhere if name == ALL else [name])))
        if unknown := [name for name in names if name not in enabled]:
            raise Misconfigured(f"not a region that is enabled in {site.hub_account}: {', '.join(unknown)}")
    first = primary or existing_primary or (site.region if site.region in names else names[0])
    if primary is not None and primary not in names:
        raise Misconfigured(f"--primary-region {primary} is not among the regions: {', '.join(names)}")
    # The roles stay where they are, also when only further regions are named.
    return Regions(primary=first, others=tuple(sorted(name for name in names if name != first)))


def _enabled(site: Site) -> dict[str, str]:
    """The regions that are enabled in the hub's account, and whether each had to be opted into (`OptInStatus`)."""
    with calling("asking which regions are enabled"):
        regions: list[dict[str, str]] = site.hub("ec2").describe_regions()["Regions"]
    return {one["RegionName"]: one.get("OptInStatus", "") for one in sorted(regions, key=lambda one: one["RegionName"])}
