"""The hub, in the order in which its stacks need each other: network, hub, secret, worker, monitoring."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from infra import stacks
from infra.rollout import credentials, ecs_role, monitoring, parameters, prerequisites, worker_image
from infra.rollout.credentials import Ask
from infra.rollout.deployment import Deployment
from infra.rollout.kept import Kept
from infra.rollout.monitoring import Monitoring
from infra.rollout.parameters import Declared
from infra.rollout.site import HUB_STACK, NETWORK_STACK, Site
from infra.stacks import Stack
from spoke.errors import Misconfigured, ScanhubError

NEWEST = "newest"
_SCHEDULE = "BulkScanSchedule"

_RESERVED = {
    "OrganizationId": "is looked up",
    "ScannerImageUri": "use --image",
    "VpcId": "use --vpc",
    "SubnetIds": "use --subnets",
}


@dataclass(frozen=True, kw_only=True)
class HubOptions:
    """What the operator may decide of the hub; everything else keeps its value, or takes the template's default.

    Attributes:
        image: The worker's image: a URI, or `newest` for the newest in its repository; None keeps the one that runs,
            and takes the newest where none does.
        vpc: The worker's VPC; with `subnets`.
        subnets: The worker's subnets.
        create_network: Deploy a small VPC for the worker.
        parameters: Of hub.yaml, by name; also those that hub-monitoring.yaml alone has.
        qualys_secret: The value for the Qualys secret, replacing the one that it has.
        monitoring: Whether alarms and dashboard are deployed too; scaling always is.
        monitoring_parameters: Of hub-monitoring.yaml, by name.
    """

    image: str | None = None
    vpc: str | None = None
    subnets: tuple[str, ...] = ()
    create_network: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    qualys_secret: SecretStr | None = None
    monitoring: bool = True
    monitoring_parameters: Mapping[str, str] = field(default_factory=dict)


class HubRollout:
    """Brings the hub up, or up to date. Each step may be interrupted: the next run goes on from there.

    Args:
        site: Where.
        deployment: How.
        options: What the operator decided.
        ask: Asks for the Qualys secret, if it has no value and none was given.
    """

    def __init__(self, site: Site, deployment: Deployment, options: HubOptions, ask: Ask) -> None:
        self._site = site
        self._deployment = deployment
        self._operator = deployment.operator
        self._options = options
        self._ask = ask
        self._client = site.hub("cloudformation")
        self._given: Mapping[str, str] = {}

    def run(self) -> None:
        """Do it.

        Raises:
            Declined: The operator did not agree to a change set.
            StackFailed: CloudFormation could not do it.
            Misconfigured: An option, a prerequisite or a stack's state is wrong; with what to do.
            Throttled, Unavailable: AWS cannot be asked now.
            ScanhubError: The hub stands, but its worker does not, since the Qualys secret has no value.
        """
        beside = self._check()
        prerequisites.for_hub(self._site, self._operator)
        before = stacks.describe(self._client, HUB_STACK)
        own_secret = self._own_secret(before)
        if before is None:
            self._check_leftovers()
        image = self._image(before)
        network = self._network(before, needed=bool(image))
        given = {"OrganizationId": self._site.organization.id, **self._given}
        worker = {"ScannerImageUri": image, **network} if image and network else {}
        if worker and not self._deployment.dry_run and "ServiceName" not in (before.outputs if before else {}):
            ecs_role.ensure(self._site.hub("iam"), self._operator, sleep=self._deployment.sleep)
        beside.take_over(before)
        self._hub(given, worker, own_secret)
        if image is None:
            self._operator.warn(
                "no worker runs, since there is no image of it: make one by `scanhub rollout image`, and run this again"
            )
        beside.deploy(self._outputs(before, will_run=image is not None))

    def _check(self) -> Monitoring:
        """See what is wrong before anything is changed; returns the stack beside the hub, with its parameters."""
        options = self._options
        if bool(options.vpc) != bool(options.subnets):
            raise Misconfigured("--vpc and --subnets belong together")
        if options.vpc and options.create_network:
            raise Misconfigured("--create-network makes a VPC: leave out --vpc and --subnets")
        known = self._declared("hub.yaml") if options.parameters else {}
        any_given = options.parameters or options.monitoring_parameters
        known_beside = self._declared(monitoring.TEMPLATE) if any_given else {}
        self._given, beside = monitoring.routed(options.parameters, options.monitoring_parameters, known, known_beside)
        parameters.check(self._given, known, reserved=_RESERVED)
        parameters.check(beside, known_beside, reserved=monitoring.RESERVED)
        return Monitoring(self._site, self._deployment, beside, is_wanted=options.monitoring)

    def _declared(self, template: str) -> Mapping[str, Declared]:
        return parameters.declared(self._client, stacks.template_text(template))

    def _outputs(self, before: Stack | None, *, will_run: bool) -> Mapping[str, str]:
        """The hub's, as they are now; after a dry run, as they would be."""
        found = stacks.outputs(self._client, HUB_STACK) or {}
        if not (self._deployment.dry_run and will_run):
            return found
        kept = before.parameters if before is not None else {}
        default = self._declared("hub.yaml")[_SCHEDULE].default
        return monitoring.expected(found, schedule=self._given.get(_SCHEDULE, kept.get(_SCHEDULE, default)))

    def _own_secret(self, before: Stack | None) -> str:
        """The operator's own secret in the place of the hub's, now or from an earlier run; empty if there is none."""
        kept = before.parameters.get("QualysSecretArn", "") if before is not None else ""
        arn = self._options.parameters.get("QualysSecretArn", kept)
        if arn and self._options.qualys_secret is not None:
            raise Misconfigured(
                f"--qualys-secret-file fills the hub's own secret, but the hub uses {arn}: fill that yourself, or go "
                "back to the hub's own by --parameter QualysSecretArn="
            )
        return arn

    def _check_leftovers(self) -> None:
        """Ledger, bucket and log group have fixed names, and outlive a hub that was removed."""
        left = Kept.of(self._site, None)
        if not left.is_empty:
            raise Misconfigured(
                f"a hub that was removed has left {'; '.join(left.lines())}, and a new one cannot take them over: save "
                "what you need of them and run scanhub rollout remove --delete-results, or take another region"
            )

    def _image(self, before: Stack | None) -> str | None:
        wanted = self._options.image
        if wanted and wanted != NEWEST:
            return wanted
        current = before.parameters.get("ScannerImageUri", "") if before is not None else ""
        repository = self._options.parameters.get("ImageRepositoryName", worker_image.REPOSITORY)
        newest = worker_image.newest(self._site.hub("ecr"), repository)
        if wanted == NEWEST:
            if newest is None:
                raise Misconfigured(f"the repository {repository} holds no image: make one by scanhub rollout image")
            return newest
        if current and newest and current != newest:
            self._operator.tell(f"the worker stays on {current}; --image newest takes {newest}")
        return current or newest

    def _network(self, before: Stack | None, *, needed: bool) -> Mapping[str, str]:
        options = self._options
        if options.vpc:
            return {"VpcId": options.vpc, "SubnetIds": ",".join(options.subnets)}
        if options.create_network:
            made = self._deployment.stack(self._client, NETWORK_STACK, "hub-network.yaml", {})
            return _network_of(made.outputs) if made is not None else {}
        if before is not None and before.parameters.get("VpcId"):
            return {key: before.parameters[key] for key in ("VpcId", "SubnetIds")}
        if found := stacks.outputs(self._client, NETWORK_STACK):
            return _network_of(found)
        if needed:
            raise Misconfigured(
                "the worker needs a network: --create-network makes a small VPC, or name one by --vpc and --subnets"
            )
        return {}

    def _hub(self, given: Mapping[str, str], worker: Mapping[str, str], own_secret: str) -> None:
        """The hub; a worker only once its secret has a value, since its tasks would not stay up."""
        if own_secret:
            self._look_at(own_secret)
            self._deploy({**given, **worker})
            return
        before = stacks.describe(self._client, HUB_STACK)
        if not worker or self._is_filled(before):
            hub = self._deploy({**given, **worker})
            if hub is not None and not self._deployment.dry_run:
                self._fill_secret(hub, needed=False)
            return
        hub = self._deploy(given)
        if self._deployment.dry_run or hub is None:
            self._operator.tell("the worker would follow, once the Qualys secret has its value")
            return
        self._fill_secret(hub, needed=True)
        self._deploy({**given, **worker})

    def _deploy(self, given: Mapping[str, str]) -> Stack | None:
        return self._deployment.stack(self._client, HUB_STACK, "hub.yaml", given, protect=True)

    def _is_filled(self, hub: Stack | None) -> bool:
        arn = hub.outputs.get("QualysSecretArn") if hub is not None else None
        return arn is not None and credentials.has_value(self._site.hub("secretsmanager"), arn)

    def _look_at(self, own_secret: str) -> None:
        """A secret of the operator's own is filled by nobody but them, and may lie where we cannot look."""
        try:
            if not credentials.has_value(self._site.hub("secretsmanager"), own_secret):
                self._operator.warn(f"the secret {own_secret} has no value yet; the worker needs one")
        except Misconfigured as error:
            self._operator.warn(f"whether the Qualys secret has a value cannot be told: {error.text}")

    def _fill_secret(self, hub: Stack, *, needed: bool) -> None:
        arn = hub.outputs["QualysSecretArn"]
        value = self._options.qualys_secret
        if value is None:
            if self._is_filled(hub):
                return
            value = self._ask()
        if value is not None:
            self._put(arn, value)
        elif needed:
            raise ScanhubError(
                f"the hub stands, but not its worker: the secret {arn} has no value; run the command again with "
                "--qualys-secret-file FILE (or - for the standard input), or on a terminal, where it asks"
            )
        else:
            self._operator.warn(f"the secret {arn} has no value yet; the worker needs one")

    def _put(self, arn: str, value: SecretStr) -> None:
        credentials.fill(self._site.hub("secretsmanager"), arn, value)
        self._operator.tell(f"the Qualys secret is filled: {arn}")


def _network_of(outputs: Mapping[str, str]) -> Mapping[str, str]:
    return {"VpcId": outputs["VpcId"], "SubnetIds": outputs["SubnetIds"]}
