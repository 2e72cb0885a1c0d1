"""Templates in the database: register, synchronise with files, find, revisions.

`storing` writes one template in one transaction, `syncing` does so for every file of `sources`,
`finding` answers which content a new task gets and caches what was parsed, `naming` reads what
people call a template. A running task is bound to a revision, so nothing here can disturb it.
"""

from templates_registry.registry.finding import FoundTemplate, find, revision
from templates_registry.registry.naming import (
    TemplateName,
    TemplateNameError,
    load_named,
    parse_name,
)
from templates_registry.registry.storing import Outcome, Registration, register
from templates_registry.registry.syncing import SyncReport, SyncResult, sync
from templates_registry.registry.versions import precedence
from templates_registry.schema import load_file, load_text, resolve, validate

__all__ = [
    "FoundTemplate",
    "Outcome",
    "Registration",
    "SyncReport",
    "SyncResult",
    "TemplateName",
    "TemplateNameError",
    "find",
    "load_file",
    "load_named",
    "load_text",
    "parse_name",
    "precedence",
    "register",
    "resolve",
    "revision",
    "sync",
    "validate",
]
