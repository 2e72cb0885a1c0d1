"""What must hold in every committed state of the database (engine.md 4.5), one statement each.

Tests and the chaos tool call it at their ends; nothing of the engine does. Each statement returns
the rows that break its rule, so an empty answer is a pass.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from orchestration import sql

INVARIANTS = tuple(f"I{number}" for number in range(1, 10))


class Offence(NamedTuple):
    """A task or step that breaks a rule, and what was found."""

    object_uuid: UUID
    detail: str


class Violation(NamedTuple):
    """One broken invariant of one task or step."""

    invariant: str
    object_uuid: UUID
    detail: str


def violations(invariants: Iterable[str] = INVARIANTS) -> list[Violation]:
    """Return what breaks the named invariants, all of them by default.

    The database must be at rest, or at least the statement's own snapshot consistent: call it
    outside of a transaction that is half done.
    """
    return [
        Violation(name, offence.object_uuid, offence.detail)
        for name in invariants
        for offence in sql.fetch(Offence, f"invariants/{name.lower()}")
    ]
