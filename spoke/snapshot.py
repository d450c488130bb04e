"""What GetFunction said of one function at one moment."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from spoke.arn import FunctionArn


def fingerprint(code_sha256: str, layers: Sequence[str]) -> str:
    """The identity of a function's content: 64 hexadecimal digits.

    Args:
        code_sha256: Lambda's `CodeSha256`, base64, as it came.
        layers: The layer *version* ARNs in their order; order matters, later layers cover earlier ones.
    """
    # Neither part can hold a line feed, so the joined text is unambiguous.
    return hashlib.sha256("\n".join([code_sha256, *layers]).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSnapshot:
    """One function at one moment. Unknown states, runtimes and architectures are kept as they came.

    Attributes:
        arn: Without qualifier, or of a published version.
        code_sha256: Base64, 44 characters; of an image function the hex digest that Lambda gives.
        layers: Layer version ARNs in order.
        package_type: `Zip` or `Image`, or what AWS adds later.
        architectures: `x86_64`, `arm64`, ...
        runtime: None for an image function.
        state: `Pending`, `Active`, `Inactive`, `Failed` or newer; None where the API left it out.
        state_reason_code: Such as `ImageAccessDenied` or `KMSKeyAccessDenied`.
        last_update_status: `Successful`, `InProgress`, `Failed`.
        last_update_status_reason_code: As `state_reason_code`.
        last_modified: Aware, UTC. It orders snapshots: code and configuration updates move it, tags do not.
        code_size: Bytes of the package as stored (compressed); 0 for an image.
        image_uri: As configured (`repo:tag`); None for a zip function.
        resolved_image_uri: With the digest (`repo@sha256:...`).
        code_error: Why Lambda could not hand out the package (`Code.Error.ErrorCode`); None where it could.
        kms_key_arn: The customer's key, if one is set.
        tags: None where the role may not list them.
    """

    arn: FunctionArn
    code_sha256: str
    last_modified: datetime
    layers: tuple[str, ...] = ()
    package_type: str = "Zip"
    architectures: tuple[str, ...] = ("x86_64",)
    runtime: str | None = None
    state: str | None = "Active"
    state_reason_code: str | None = None
    last_update_status: str | None = "Successful"
    last_update_status_reason_code: str | None = None
    code_size: int = 0
    image_uri: str | None = None
    resolved_image_uri: str | None = None
    code_error: str | None = None
    kms_key_arn: str | None = None
    tags: Mapping[str, str] | None = None

    @property
    def fingerprint(self) -> str:
        """See `fingerprint`."""
        return fingerprint(self.code_sha256, self.layers)

    @property
    def runtime_name(self) -> str | None:
        """The runtime, or `image`: what a list of functions shows in its place."""
        return "image" if self.is_image else self.runtime

    @property
    def is_image(self) -> bool:
        """Whether the code is a container image."""
        return self.package_type == "Image"
