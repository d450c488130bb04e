"""Replication of a repository to further regions: one rule among those of the whole registry."""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.calls import AwsClient, calling


class ImageReplication:
    """What the registry of an account and region replicates of one repository.

    Args:
        ecr: A boto3 ECR client of the account and region.
        repository: Its name.

    Raises (all methods):
        Misconfigured: AWS refuses the call.
        Throttled, Unavailable: AWS cannot be asked now.
    """

    def __init__(self, ecr: AwsClient, repository: str) -> None:
        self._ecr = ecr
        self._repository = repository

    def missing(self, regions: Sequence[str]) -> tuple[str, ...]:
        """Those of the regions that no rule serves."""
        if not regions:
            return ()
        account, rules = self._registry()
        served = {
            destination["region"]
            for rule in rules
            if self._is_served_by(rule)
            for destination in rule["destinations"]
            if destination["registryId"] == account
        }
        return tuple(region for region in regions if region not in served)

    def ensure(self, regions: Sequence[str]) -> None:
        """Have what is pushed from now on replicated to further regions of the account.

        The registry has one configuration for all its repositories: the rules of others stay as they are. A filter is a
        prefix, so a repository whose name goes on where this one's ends is replicated too.
        """
        missing = self.missing(regions)
        if not missing:
            return
        account, rules = self._registry()
        ours = {"filter": self._repository, "filterType": "PREFIX_MATCH"}
        wanted = [{"region": region, "registryId": account} for region in missing]
        own = next((rule for rule in rules if rule.get("repositoryFilters") == [ours]), None)
        if own is None:
            merged = [*rules, {"destinations": wanted, "repositoryFilters": [ours]}]
        else:
            extended = {**own, "destinations": [*own["destinations"], *wanted]}
            merged = [extended if rule is own else rule for rule in rules]
        with calling(f"having the repository {self._repository} replicated to {', '.join(missing)}"):
            self._ecr.put_replication_configuration(replicationConfiguration={"rules": merged})

    def _registry(self) -> tuple[str, list[dict[str, Any]]]:
        with calling("reading the registry's replication rules"):
            registry = self._ecr.describe_registry()
        return str(registry["registryId"]), list(registry.get("replicationConfiguration", {}).get("rules", []))

    def _is_served_by(self, rule: Mapping[str, Any]) -> bool:
        filters = rule.get("repositoryFilters") or []
        return not filters or any(self._repository.startswith(one["filter"]) for one in filters)
