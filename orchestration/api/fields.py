"""Serializer fields that REST framework lacks."""

from typing import Any

from rest_framework import serializers

from orchestration.api.query import snake_case


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
