"""The text of a template, read.

moto 5.2.5 reads it with PyYAML's loader in Python, anew in each call that a template comes with: a third of the time of
a rollout. Here the same constructors are behind libyaml's parser, where PyYAML has it, and each text is read once.
"""

import json
import pickle
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

import yaml
from moto.cloudformation import responses
from moto.cloudformation.models import Stack
from moto.cloudformation.utils import yaml_tag_constructor
from yaml.parser import ParserError
from yaml.scanner import ScannerError

from infra.local.mends.replacement import replaced
from infra.local.mends.stacks.template import Json

_LOADER: Any = type("_Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
_LOADER.add_multi_constructor("", yaml_tag_constructor)

_MOST_TEXTS = 64
"""Of up to 51 KB each."""


@contextmanager
def mended() -> Iterator[None]:
    """Every call reads a template by `parsed`."""
    with ExitStack() as mends:
        mends.enter_context(replaced(Stack, "parse_template", staticmethod(parsed)))
        # GetTemplateSummary and ValidateTemplate read by PyYAML's own name.
        mends.enter_context(replaced(responses, "yaml", _Reader))
        yield


class _Reader:
    """In the place of the module `yaml`: what moto uses of it."""

    Loader = _LOADER

    @staticmethod
    def load(text: str, Loader: object) -> Json:  # noqa: N803, ARG004  # as PyYAML has it
        return parsed(text)

    @staticmethod
    def add_multi_constructor(prefix: str, constructor: object) -> None:
        """The loader has it."""


def parsed(text: str) -> Json:
    """The template, its short forms (`!Ref`) as the long ones; the caller's own, to be changed at will.

    Raises:
        json.JSONDecodeError: It is neither YAML nor JSON.
        yaml.YAMLError: It is YAML that stands for nothing.
    """
    template: Json = pickle.loads(_read(text))  # noqa: S301  # our own bytes
    return template


@lru_cache(maxsize=_MOST_TEXTS)
def _read(text: str) -> bytes:
    # moto changes what it is given, and a copy out of bytes takes half the time of a deep one.
    try:
        return pickle.dumps(yaml.load(text, Loader=_LOADER))  # noqa: S506  # a SafeLoader
    except (ParserError, ScannerError):
        return pickle.dumps(json.loads(text))
