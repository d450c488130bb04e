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
        known = _known(site)
        names = list(known) if names == [ALL] else names
        if unknown := [name for name in names if name not in known and not _is_enabled(site, name)]:
            raise Misconfigured(f"not a region that is enabled in {site.hub_account}: {', '.join(unknown)}")
    first = primary or existing_primary or (site.region if site.region in names else names[0])
    if primary is not None and primary not in names:
        raise Misconfigured(f"--primary-region {primary} is not among the regions: {', '.join(names)}")
    # The roles stay where they are, also when only further regions are named.
    return Regions(primary=first, others=tuple(sorted(name for name in names if name != first)))


def _known(site: Site) -> tuple[str, ...]:
    """The regions that every account has, without opting in."""
    return tuple(one["RegionName"] for one in _described(site) if one.get("OptInStatus") == "opt-in-not-required")


def _is_enabled(site: Site, name: str) -> bool:
    return any(one["RegionName"] == name for one in _described(site))


def _described(site: Site) -> list[dict[str, str]]:
    with calling("asking which regions are enabled"):
        regions: list[dict[str, str]] = site.hub("ec2").describe_regions()["Regions"]
    return sorted(regions, key=lambda one: one["RegionName"])
