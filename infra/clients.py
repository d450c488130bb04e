"""Where clients for the accounts and regions of an organization come from."""

from typing import Protocol

from infra.calls import AwsClient


class Clients(Protocol):
    """Makes clients: `infra.rollout.sessions.Sessions` on AWS, `infra.local.accounts.Accounts` on a local cloud."""

    def client(self, service: str, *, account: str | None = None, region: str | None = None) -> AwsClient:
        """A boto3 client.

        Args:
            service: Such as `cloudformation`.
            account: Twelve digits; None for the caller's own.
            region: None for the caller's own.

        Raises:
            Misconfigured: The account cannot be entered, or there are no credentials.
            Throttled, Unavailable: AWS cannot be asked now.
        """
        ...
