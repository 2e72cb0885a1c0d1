"""The one JSON form of a template's content, and its digest.

Defaults are filled in, nulls of optional keys dropped, keys sorted: comments, order of keys and
defaults written out make no difference. Whole numbers are written without a fraction, because
`1.0` and `1e16` do not survive PostgreSQL's jsonb as they went in.
"""

import hashlib
import json
from typing import Any

from templates_registry.schema.template import TaskTemplate

MAY_HOLD_NUMBERS = (dict, list, float)
_as_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(template: TaskTemplate) -> dict[str, Any]:
    """Return a template's content as it is stored."""
    return template.model_dump(by_alias=True, exclude_none=True)


def digest(template: TaskTemplate) -> str:
    """Return the SHA-256 of a template's canonical JSON, in hexadecimal."""
    return digest_of(canonical(template))


def digest_of(content: dict[str, Any]) -> str:
    """Return the SHA-256 of content in canonical form, as stored or as read back."""
    return hashlib.sha256(_as_text(_plain_numbers(content)).encode()).hexdigest()


def _plain_numbers(value: Any) -> Any:
    """Return a copy in which every whole number is an integer."""
    if isinstance(value, dict):
        return {
            key: _plain_numbers(each) if isinstance(each, MAY_HOLD_NUMBERS) else each
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_plain_numbers(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
