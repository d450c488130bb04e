"""Many small functions at once, for what is about numbers: a sweep, coverage, a queue.

What they hold does not matter, so they are published without the waits that the samples get.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from infra.calls import AwsClient, calling
from infra.local.deployment import Deployment
from infra.local.publication import function_role
from infra.local.samples.zips import zip_of

RUNTIMES = ("python3.12", "nodejs22.x", "java21")
ALIAS = "live"
AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One function of a crowd.

    Attributes:
        name: The function's name.
        account: Which spoke, from 0.
        region: Which region, from 0.
        runtime: Lambda's identifier.
        tags: The function's tags.
        code: Stands in its package: another number is other code.
        live: The code of version 1, to which the alias `live` points; None for a function without versions.
    """

    name: str
    account: int
    region: int
    runtime: str = RUNTIMES[0]
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    code: int = 1
    live: int | None = None


def spread(number: int, *, spokes: int = 3, regions: int = 2, prefix: str = "service") -> Sequence[Member]:
    """So many functions, `service-000`, `service-001`, ..., the same number in each account and region."""
    places = spokes * regions
    return [
        Member(
            name=f"{prefix}-{index:03}",
            account=index % places // regions,
            region=index % regions,
            runtime=RUNTIMES[index // places % len(RUNTIMES)],
            code=index,
        )
        for index in range(number)
    ]


def publish_crowd(deployment: Deployment, members: Iterable[Member]) -> Mapping[str, Member]:
    """Create the functions; no event tells of them. By ARN.

    Raises:
        Misconfigured: The local cloud refuses one.
        Unavailable: Nothing answers.
    """

    def publish(member: Member) -> tuple[str, Member]:
        account = deployment.spokes[member.account]
        functions = deployment.client("lambda", account=account, region=deployment.regions[member.region])
        with calling(f"publishing the function {member.name}"):
            return _publish(functions, member, roles(account)), member

    @cache
    def roles(account: str) -> str:
        return function_role(deployment.client("iam", account=account))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return dict(threads.map(publish, members))


def update_code(deployment: Deployment, member: Member, code: int) -> None:
    """Give a member other code; no event tells of it."""
    functions = deployment.client(
        "lambda", account=deployment.spokes[member.account], region=deployment.regions[member.region]
    )
    with calling(f"updating the function {member.name}"):
        functions.update_function_code(FunctionName=member.name, ZipFile=package(code))


def package(code: int) -> bytes:
    """The zip of a member."""
    return zip_of({"app.py": f"def handler(event, context):\n    return {code}\n"})


def _publish(functions: AwsClient, member: Member, role: str) -> str:
    created = functions.create_function(
        FunctionName=member.name,
        Runtime=member.runtime,
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": package(member.code if member.live is None else member.live)},
        Tags=dict(member.tags),
    )
    if member.live is not None:
        version = functions.publish_version(FunctionName=member.name)["Version"]
        functions.create_alias(FunctionName=member.name, Name=ALIAS, FunctionVersion=version)
        functions.update_function_code(FunctionName=member.name, ZipFile=package(member.code))
    return str(created["FunctionArn"])
