"""One line of the table: who does what on what, whether that may be, and why."""

from dataclasses import dataclass, field

from tests.policies.evaluator import Context, Request, Verdict
from tests.policies.world import ORGANIZATIONS, Principal, Resource

ALLOWED: Verdict = "allowed"
DENIED: Verdict = "denied"
FORBIDDEN: Verdict = "denied explicitly"


@dataclass(frozen=True)
class Row:
    """A request and what must become of it.

    Attributes:
        who: The caller.
        does: The action.
        on: The resource.
        verdict: What must become of it.
        why: The reason, for whoever reads the table.
        told: What else the request carries; AWS itself tells of caller, resource and transport.
    """

    who: Principal
    does: str
    on: Resource
    verdict: Verdict
    why: str
    told: Context = field(default_factory=dict)

    @property
    def request(self) -> Request:
        """In the evaluator's words."""
        context: dict[str, str | tuple[str, ...]] = {"aws:SecureTransport": "true"}
        context |= self.who.told()
        if self.on.account in ORGANIZATIONS:
            context |= {"aws:ResourceAccount": self.on.account, "aws:ResourceOrgID": ORGANIZATIONS[self.on.account]}
        context |= self.told
        return Request(
            principal=self.who.arn,
            action=self.does,
            resource=self.on.arn,
            account=self.on.account,
            context=context,
            identity=self.who.identity,
            resource_policy=self.on.policy,
            session=self.who.session,
            boundary=self.who.boundary,
            endpoint=self.who.endpoint,
        )

    def __str__(self) -> str:
        """As the table shows it."""
        told = ", ".join(f"{key}={value}" for key, value in self.told.items())
        return f"{self.who.name} | {self.does} | {self.on.name} | {told or '-'} | {self.verdict} | {self.why}"
