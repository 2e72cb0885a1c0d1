"""Serializer fields that REST framework lacks."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from orchestration.api.query import snake_case
from orchestration.conf import engine_settings


class NullableDict(serializers.DictField):
    """An object that may be null."""

    def __init__(self, **options: Any) -> None:
        """Allow null."""
        super().__init__(allow_null=True, **options)


class WordField(serializers.ChoiceField):
    """One of some words; `ResetForRetry` is read as `reset_for_retry`."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the word in snake case."""
        return super().to_internal_value(snake_case(data) if isinstance(data, str) else data)


class TextField(serializers.CharField):
    """A text of a body: kept as it was sent, and no number that looks like one."""

    def __init__(self, **options: Any) -> None:
        """Keep blanks at both ends."""
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the text; raises `ValidationError` for anything else."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class JsonField(serializers.JSONField):
    """Any JSON that is not nested too deeply to be handled."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the value; its depth is looked at before anything recurses into it."""
        _refuse_deep(data)
        return super().to_internal_value(data)


class ObjectField(serializers.DictField):
    """A JSON object that is not nested too deeply to be handled."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the object; its depth is looked at before anything recurses into it."""
        _refuse_deep(data)
        return super().to_internal_value(data)


def _refuse_deep(value: Any) -> None:
    """Raise `ValidationError` for what has more levels than the setting allows."""
    deepest = engine_settings().max_json_depth
    level = [value]
    for _ in range(deepest):
        level = [inside for each in level for inside in _inside(each)]
        if not level:
            return
    raise serializers.ValidationError(f"is nested deeper than {deepest} levels")


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
