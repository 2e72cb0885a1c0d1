"""The only door to django_fsm: state fields, transitions, and `Stateful`, which records moves.

A model method decorated with `transition` changes the instance; `record()` writes the move as one
compare-and-swap. The database trigger checks the same move and appends the history, one row a hop.

Why a door: the package is untyped and has sharp edges (protected fields refuse
`refresh_from_db`); both are dealt with here once.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import connections, models, router, transaction
from django.db.models import QuerySet

from templates_registry.models import TaskerNow, Timestamped

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:

    class ConcurrentTransition(Exception): ...

    class TransitionNotAllowed(Exception): ...

    class StateField(models.CharField[str, str]):
        def __init__(self, *args: Any, protected: bool = False, **kwargs: Any) -> None: ...

    def transition(
        field: object,
        source: object = ...,
        target: object = ...,
        conditions: Sequence[Callable[[Any], bool]] = ...,
    ) -> Callable[[F], F]: ...

    class RETURN_VALUE:  # noqa: N801 the name is django_fsm's
        allowed_states: Sequence[str]

        def __init__(self, *allowed_states: str) -> None: ...

else:
    from django_fsm import (
        RETURN_VALUE,
        ConcurrentTransition,
        FSMField,
        TransitionNotAllowed,
        transition,
    )
    from django_fsm.signals import post_transition

    class StateField(FSMField):
        """A state that an insert does not read back: a protected field is assigned only once."""

        db_returning = False

        def deconstruct(self):
            name, _, args, kwargs = super().deconstruct()
            return name, "django_fsm.FSMField", args, kwargs


__all__ = [
    "RETURN_VALUE",
    "ConcurrentTransition",
    "StateField",
    "Stateful",
    "TransitionNotAllowed",
    "graph",
    "transition",
]


def graph(model: type[models.Model]) -> set[tuple[str, str, str]]:
    """Return the declared moves of a model's `state` as (from, to, event)."""
    field = model._meta.get_field("state")
    moves = set()
    for declared in field.get_all_transitions(model):  # type: ignore[union-attr]
        target = declared.target
        targets = target.allowed_states if isinstance(target, RETURN_VALUE) else [target]
        moves |= {(str(declared.source), str(to), str(declared.name)) for to in targets}
    return moves


class Stateful(Timestamped):
    """A row with a state machine on `state`, guarded by `state_version`.

    Call one or more transition methods, then `record()`. Each further method appends the state
    left behind to `via`, so that several hops are one UPDATE.
    """

    state_version = models.IntegerField(db_default=1, editable=False)
    state_entered_at = models.DateTimeField(db_default=TaskerNow(), editable=False)
    via = ArrayField(models.TextField(), null=True, editable=False)

    class Meta:
        abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hops: list[tuple[str, str]] = []

    @classmethod
    def moves(cls) -> set[tuple[str, str, str]]:
        """Return the declared moves of this machine as (from, to, event)."""
        return graph(cls)

    def record(self, *changed: str, actor: str, reason: str = "", **metadata: Any) -> None:
        """Write the performed transitions and the named columns as one compare-and-swap.

        Raises `ConcurrentTransition` when the row has moved since it was read. The history rows
        carry `actor`, `reason` and the metadata. Joins the current transaction.
        """
        if not self._hops:
            raise ValueError(f"{self!r} performed no transition; call one before record()")
        hops = [f"{state}:{event}" for state, event in self._hops]
        values = {name: getattr(self, name) for name in changed}
        move = {"event": self._hops[-1][1], "actor": actor, "reason": reason, **metadata}
        using = router.db_for_write(type(self), instance=self)
        with transaction.atomic(using=using):
            _announce(using, move)
            matched = self._unmoved_row(using).update(
                state=self._hops[-1][0], via=hops[:-1] or None, **values
            )
        if not matched:
            raise ConcurrentTransition(f"{self!r} moved since it was read; read it again and retry")
        self.state_version += len(hops)
        self._hops = []

    def _unmoved_row(self, using: str) -> QuerySet[Any]:
        return (
            type(self)
            ._base_manager.using(using)
            .filter(pk=self.pk, state_version=self.state_version)
        )

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: QuerySet[Any] | None = None,
    ) -> None:
        """Reload the row; a protected field refuses a second assignment but not a first one."""
        if fields is None or "state" in (fields := list(fields)):
            self.__dict__.pop("state", None)
            self._hops = []
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)


def _announce(using: str, move: dict[str, Any]) -> None:
    """Tell the history trigger who moves and why, for this transaction."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT set_config('tasker.move', %s, true)", [json.dumps(move, default=str)]
        )


def _note_hop(*, instance: models.Model, name: str, target: str, **_: Any) -> None:
    """Remember a performed transition until `record()` writes it."""
    if isinstance(instance, Stateful):
        instance._hops.append((str(target), name))


if not TYPE_CHECKING:
    post_transition.connect(_note_hop, dispatch_uid="orchestration.fsm")
