"""One thing that the demo asks for, and everything that must come of it.

A case says what is special about it; every step that it does not name must be complete after one
attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BLOCKED = "blocked_by_failures"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One task to create and everything that is expected of it.

    Where it fails, `steps` begins with those that are done all the same, in any order.
    """

    title: str
    namespace: str
    name: str
    steps: tuple[str, ...]
    context: Mapping[str, Any]
    state: str = "complete"
    attempts: Mapping[str, int] = field(default_factory=dict)  # of steps that take more than one
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # step: path: value
    fails_at: str = ""
    error_code: str = ""

    @property
    def workflow(self) -> str:
        """The template, as a person names it."""
        return f"{self.namespace}/{self.name}"
