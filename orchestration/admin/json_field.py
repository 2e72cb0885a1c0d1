"""A field of a form for any JSON value; unlike Django's, an empty list or object is a value."""

from typing import Any

from django import forms


class JsonField(forms.JSONField):
    """What was typed in as JSON; None when nothing was."""

    empty_values: list[Any] = [None, ""]
