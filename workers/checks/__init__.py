"""System checks of handlers: that they import and have names of their own, that models fit schemas.

`handlers` looks at the registry; `schemas` finds the models that handlers use, and `comparison`
compares one of them with a JSON Schema of a template.
"""

from workers.checks.handlers import check_handlers
from workers.checks.schemas import check_schemas

__all__ = ["check_handlers", "check_schemas"]
