"""The text of an API key: `tsk_<prefix>_<secret>`, made here, taken apart here, hashed here.

The prefix finds the row and may be shown; the secret has 256 random bits, so a plain SHA-256 of the
whole text is all that needs to be stored: there is nothing to guess and nothing to slow down.
"""

import hashlib
import re
import secrets
import string
from typing import NamedTuple

from orchestration.models.api_key import PREFIX_LENGTH

MARK = "tsk_"
SHAPE = re.compile(rf"{MARK}([A-Za-z0-9]{{{PREFIX_LENGTH}}})_[A-Za-z0-9_-]{{43}}")
_LETTERS = string.ascii_letters + string.digits


class KeyText(NamedTuple):
    """A new key as its holder gets it, once."""

    text: str
    prefix: str


def new_key_text() -> KeyText:
    """Return a fresh key."""
    prefix = "".join(secrets.choice(_LETTERS) for _ in range(PREFIX_LENGTH))
    return KeyText(f"{MARK}{prefix}_{secrets.token_urlsafe(32)}", prefix)


def prefix_of(text: str) -> str | None:
    """Return the prefix in a key's text, None for what has not the shape of a key."""
    found = SHAPE.fullmatch(text)
    return found[1] if found else None


def hash_of(text: str) -> str:
    """Return what is stored of a key."""
    return hashlib.sha256(text.encode()).hexdigest()
