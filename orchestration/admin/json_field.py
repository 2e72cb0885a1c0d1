"""A field of a form for any JSON value; unlike Django's, an empty list or object is a value."""

from typing import Any

from django import forms


class JsonField(forms.JSONField):
    """What was typed in as JSON; None when nothing was."""

    def __init__(self, **kwargs: Any) -> None:
        """Take nothing but nothing for empty."""
        super().__init__(**kwargs)
        self.empty_values = [None, ""]
