"""System checks of handlers: that they import, have names of their own, are there, and fit schemas.

`handlers` looks at the registry, `callables` at what templates name; `schemas` finds the models
that handlers use, and `comparison` compares one of them with a JSON Schema of a template.
"""

from workers.checks.callables import check_callables
from workers.checks.handlers import check_handlers
from workers.checks.schemas import check_schemas

__all__ = ["check_callables", "check_handlers", "check_schemas"]
