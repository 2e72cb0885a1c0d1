"""Which of several versions is the latest.

Releases compare by SemVer precedence; a text that is no SemVer ranks below them, by the time of its
first registration. A pre-release ranks lowest, because it is latest only if nothing else is there.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from templates_registry.schema.content import SEMVER

_PRE_RELEASE, _TEXT, _RELEASE = range(3)


def precedence(version: str, *, registered_at: datetime) -> tuple[Any, ...]:
    """Return a key that sorts versions of one template, the latest last."""
    return (*_rank(version), registered_at)


@lru_cache(maxsize=4096)
def _rank(version: str) -> tuple[int, tuple[Any, ...]]:
    match = SEMVER.fullmatch(version)
    if match is None:
        return _TEXT, ()
    numbers = tuple(int(part) for part in match.groups()[:3])
    if match[4] is None:
        return _RELEASE, numbers
    return _PRE_RELEASE, (*numbers, *map(_identifier, match[4].split(".")))


def _identifier(text: str) -> tuple[int, int, str]:
    """Return a key for one part of a pre-release: numbers below words (SemVer 2.0.0, 11.4)."""
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
