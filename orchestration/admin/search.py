"""What a word typed into a search box may mean: an id, the beginning of one, its end, or a name."""

import re
from uuid import UUID

from django.db.models import Q, TextField
from django.db.models.functions import Cast

UUID_START = re.compile(r"[0-9a-f]{8}[0-9a-f-]{0,28}", re.IGNORECASE)
UUID_END_LENGTH = 8


def uuid_between(field: str, word: str) -> Q | None:
    """Return the range of ids that begin with a word, None when no id does."""
    digits = word.replace("-", "")
    if not UUID_START.fullmatch(word) or len(digits) > 32:
        return None
    least, greatest = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return Q(**{f"{field}__gte": least, f"{field}__lte": greatest})


def uuid_ending(field: str, word: str) -> tuple[dict[str, Cast], Q] | None:
    """Return an annotation and the condition that an id ends with a word of eight digits."""
    if not re.fullmatch(rf"[0-9a-f]{{{UUID_END_LENGTH}}}", word, re.IGNORECASE):
        return None
    return {"id_text": Cast(field, TextField())}, Q(id_text__endswith=word.lower())
