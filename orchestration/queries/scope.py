"""The namespaces that a reader sees; every query that a person's request ends in takes one.

Only a value and how it narrows a query: whose scope it is, is the business of `access`.
"""

from dataclasses import dataclass

from django.db.models import Q


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of namespaces; None is all of them, also those to come."""

    namespaces: frozenset[str] | None = frozenset()

    @property
    def is_everything(self) -> bool:
        """Nothing is left out."""
        return self.namespaces is None

    def includes(self, namespace: str | None) -> bool:
        """Tell whether what belongs to a namespace is seen; what belongs to none rarely is."""
        return self.namespaces is None or namespace in self.namespaces

    def covers(self, other: "Scope") -> bool:
        """Tell whether everything that the other one sees is seen."""
        if self.namespaces is None:
            return True
        return other.namespaces is not None and other.namespaces <= self.namespaces

    def condition(self, path: str) -> Q:
        """Return the condition that keeps rows whose namespace, at the end of `path`, is seen."""
        return Q() if self.namespaces is None else Q(**{f"{path}__in": sorted(self.namespaces)})

    def as_parameter(self) -> list[str] | None:
        """Return what a statement of ours takes: an array of names, null for all."""
        return None if self.namespaces is None else sorted(self.namespaces)


EVERYTHING = Scope(None)
NOTHING = Scope()
