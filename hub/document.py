"""The common part of every document that is stored: camelCase names, a schema version, unknown fields passed over."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

SCHEMA_VERSION = 1
"""Of manifest, findings, packages and notifications. It moves only when a reader of the old form would go wrong."""


class Part(BaseModel):
    """A piece of a document. Fields that a later version added are passed over when an older one is read."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,
    )


class Document(Part):
    """A whole document, or one line of a JSON Lines file."""

    schema_version: Literal[1] = 1

    def line(self) -> bytes:
        """As JSON in one line, without the line feed."""
        return self.model_dump_json().encode()
