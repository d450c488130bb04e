"""Parameters of a template: which there are, and which the operator gave."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.calls import AwsClient, calling
from spoke.errors import Misconfigured


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A parameter as its template declares it.

    Attributes:
        default: None if a value must be given.
        is_hidden: Whether CloudFormation shows its value to nobody (`NoEcho`).
        allowed: The only values that it takes; empty if it is free.
    """

    default: str | None = None
    is_hidden: bool = False
    allowed: tuple[str, ...] = ()


def declared(client: AwsClient, template: str) -> Mapping[str, Declared]:
    """The template's parameters, as CloudFormation reads them.

    Args:
        client: A boto3 CloudFormation client.
        template: The template's text.

    Raises:
        Misconfigured: CloudFormation refuses the template or the call.
        Throttled, Unavailable: AWS cannot be asked now.
    """
    with calling("reading a template's parameters"):
        answer = client.get_template_summary(TemplateBody=template)["Parameters"]
    return {
        one["ParameterKey"]: Declared(
            default=one.get("DefaultValue"),
            is_hidden=bool(one.get("NoEcho")),
            allowed=tuple(one.get("ParameterConstraints", {}).get("AllowedValues", ())),
        )
        for one in answer
    }


def parse(given: Iterable[str]) -> dict[str, str]:
    """`Key=Value` as the operator gave them.

    Raises:
        Misconfigured: One is malformed, or given twice. Its value is not repeated: it may be a secret given by mistake.
    """
    parameters: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.isalnum():
            raise Misconfigured("--parameter is not usable: write --parameter Key=Value")
        if key in parameters:
            raise Misconfigured(f"--parameter {key} is given twice")
        parameters[key] = value
    return parameters


def check(given: Mapping[str, str], known: Mapping[str, Declared], *, reserved: Mapping[str, str]) -> None:
    """See that the template knows what the operator gave.

    Args:
        given: From `parse`.
        known: From `declared`.
        reserved: Parameters that are looked up or have an option of their own, with what to do instead.

    Raises:
        Misconfigured: With the first that it does not know, or does not take.
    """
    for key, value in given.items():
        if key in reserved:
            raise Misconfigured(f"--parameter {key}: {reserved[key]}")
        if key not in known:
            names = ", ".join(sorted(set(known) - set(reserved)))
            raise Misconfigured(f"--parameter {key}: the template has no such parameter; it has {names}")
        if known[key].is_hidden:
            raise Misconfigured(f"--parameter {key}: its value is a secret, and must not stand on a command line")
        if known[key].allowed and value not in known[key].allowed:
            raise Misconfigured(f"--parameter {key}: must be one of {', '.join(known[key].allowed)}")
