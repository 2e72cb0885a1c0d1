"""Templates as people name them, in commands and tests: a file, or NAMESPACE/NAME[:VERSION]."""

import re
from pathlib import Path
from typing import NamedTuple

from templates_registry.registry.finding import find
from templates_registry.schema import TaskTemplate, load_file
from templates_registry.schema.files import SUFFIXES

_NAME = re.compile(r"([a-z][a-z0-9_]*)/([^/:\s]+)(?::([^/:\s]+))?")


class TemplateName(NamedTuple):
    """What a registered template is found by; without a version it is the latest one."""

    namespace: str
    name: str
    version: str | None


class TemplateNameError(ValueError):
    """A text that names no template: neither a file nor NAMESPACE/NAME[:VERSION]."""


def parse_name(text: str) -> TemplateName | None:
    """Return the name that a text is, None when it is none; a file of templates is no name."""
    match = None if text.endswith(SUFFIXES) else _NAME.fullmatch(text)
    return None if match is None else TemplateName(match[1], match[2], match[3])


def load_named(text: str) -> TaskTemplate:
    """Return the template of a file, or a registered one.

    Raises `TemplateNameError`, `TemplateError` (the file) or `TemplateNotFound`.
    """
    if Path(text).is_file() or text.endswith(SUFFIXES):
        return load_file(text)
    name = parse_name(text)
    if name is None:
        raise TemplateNameError(f"{text!r} is neither a file nor NAMESPACE/NAME[:VERSION].")
    return find(*name).template
